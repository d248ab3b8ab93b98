// SPDX-License-Identifier: MIT
//
// A frame is an event that has been encoded once for all uses: live subscribers, replay and queues
// share the same bytes. One allocation holds the count of owners, the head of an HTTP/1.1 chunk,
// the block itself and the chunk's tail, so that the chunked form needs no second buffer. After
// them lies the label, which is never sent:
//
//     | owners, sizes | "2f\r\n" | id: 7\ndata: hello\n\n | "\r\n" | topic | key |
//                                '------- wire() -------'
//                       '------------- chunked() --------------'
//
// The bytes never change after the frame is made; the count is atomic. So frames may be handed to
// any thread, while one frame object, like a shared_ptr, belongs to one thread at a time. A frame
// remembers the memory_resource that it came from, and its memory is returned there.
#ifndef SSEKIT_FRAME_HPP
#define SSEKIT_FRAME_HPP

#include <ssekit/detail/base/size.hpp>
#include <ssekit/detail/base/tuning.hpp>
#include <ssekit/detail/frame/block.hpp>
#include <ssekit/detail/frame/growing_block.hpp>
#include <ssekit/detail/frame/survey.hpp>
#include <ssekit/detail/text/encoding.hpp>
#include <ssekit/encoder.hpp>
#include <ssekit/errc.hpp>
#include <ssekit/event.hpp>
#include <ssekit/frame_label.hpp>
#include <ssekit/framing.hpp>
#include <ssekit/memory.hpp>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
#include <utility>

namespace ssekit::inline SSEKIT_ABI {

struct frame_result;

/// Thread safety: as a shared_ptr.
class [[nodiscard]] frame {
  public:
    constexpr frame() noexcept = default;
    frame(const frame& other) noexcept : block_(other.block_) {
        if (block_ != nullptr) block_->owners.fetch_add(1, std::memory_order_relaxed);
    }
    constexpr frame(frame&& other) noexcept : block_(std::exchange(other.block_, nullptr)) {}
    frame& operator=(frame other) noexcept {
        swap(other);
        return *this;
    }
    void swap(frame& other) noexcept { std::swap(block_, other.block_); }
    SSEKIT_INLINED ~frame() {
        if (block_ != nullptr) let_go();
    }

    /// Effects: encodes the event. \returns the frame, or an empty one and what `encode_to` says,
    /// errc::data_too_long also from 4 GiB, errc::label_too_long for a topic or key from 64 KiB, or
    /// errc::out_of_memory.
    static frame_result make(const event_view& event, encode_options options = {},
                             const frame_label& label = {},
                             memory_resource* memory = heap()) noexcept;

    /// \returns a frame of comment lines, empty when the text is too long to be encoded or there is
    /// no memory.
    static frame comment(std::string_view text, comment_form form = comment_form::block,
                         memory_resource* memory = heap()) noexcept;

    /// \returns a frame of bytes that are sent as they are in either framing: the caller is
    /// responsible for them. Empty when they are 4 GiB or more, or there is no memory.
    static frame verbatim(std::string_view bytes, memory_resource* memory = heap()) noexcept;

    /// Effects: copies a frame that holds one event, with the id in front of it if there is one to
    /// be set, and with another label: how a hub publishes what others have encoded.
    /// \returns the copy, or an empty frame and errc::id_is_assigned when an id is to be set and
    /// the event has one; errc::not_one_event for a frame that was built of several blocks;
    /// errc::nothing_to_send when there is neither data nor retry in it, such as in comments and in
    /// the empty frame, and for verbatim bytes; what `validate_id` says of the id; or
    /// data_too_long, label_too_long and out_of_memory as `make`.
    /// Complexity: one allocation and one copy; a frame that was built is read once more.
    frame_result numbered(std::optional<std::string_view> id, const frame_label& label = {},
                          memory_resource* memory = heap()) const noexcept;

    /// \returns errc::ok, or why it cannot be published: nothing_to_send, not_one_event, or
    /// id_is_assigned where it has an id and may have none. Complexity: as above.
    [[nodiscard]] errc may_be_published(bool with_id) const noexcept;

    [[nodiscard]] explicit operator bool() const noexcept { return block_ != nullptr; }

    /// The block as clients read it.
    /// Preconditions: not empty. Lifetime: as long as any copy of the frame.
    [[nodiscard]] std::string_view wire() const noexcept { return {block_->wire(), block_->size}; }
    /// The block as one chunk of HTTP/1.1. Preconditions and lifetime as above.
    [[nodiscard]] std::string_view chunked() const noexcept {
        const std::size_t head = block_->head_size;
        return {block_->wire() - head, head + block_->size + block_->tail_size};
    }
    [[nodiscard]] std::string_view in(framing form) const noexcept {
        return form == framing::chunked ? chunked() : wire();
    }

    /// The label that it was made with. Preconditions and lifetime as above.
    [[nodiscard]] frame_label label() const noexcept {
        const char* const topic = block_->label();
        return {{topic, block_->topic_size},
                {topic + block_->topic_size, block_->key_size},
                block_->removes_key};
    }

    /// The id and the type of an event that `make` or a data_writer has encoded, as a client reads
    /// them; an id that is not there is empty. Preconditions and lifetime as above.
    [[nodiscard]] std::string_view id() const noexcept {
        return field("id: ", after("event: ", wire()));
    }
    [[nodiscard]] std::string_view type() const noexcept {
        const std::string_view type = field("event: ", after("id: ", wire()));
        return type.empty() ? std::string_view("message") : type;
    }

    /// How many frame objects share the bytes; for tests, and only a hint when there are threads.
    [[nodiscard]] std::uint32_t owners() const noexcept {
        return block_ == nullptr ? 0 : block_->owners.load(std::memory_order_relaxed);
    }

    /// Takes over what frame_block::construct has made. Not for users.
    explicit frame(detail::frame_block* made) noexcept : block_(made) {}

  private:
    // A sole owner competes with no other, and saves the atomic step.
    void let_go() noexcept {
        if (block_->owners.load(std::memory_order_acquire) == 1 ||
            block_->owners.fetch_sub(1, std::memory_order_acq_rel) == 1) {
            block_->release();
        }
    }

    /// \returns the lines after the first, where that is the field of this name.
    static std::string_view after(std::string_view name, std::string_view lines) noexcept {
        return lines.starts_with(name) ? lines.substr(lines.find('\n') + 1) : lines;
    }
    static std::string_view field(std::string_view name, std::string_view lines) noexcept {
        if (!lines.starts_with(name)) return {};
        return lines.substr(name.size(), lines.find('\n') - name.size());
    }

    // `write` writes `size` bytes to an unchecked_out, which it takes by value.
    template <class Write>
    static frame_result assemble(std::size_t size, detail::frame_content content,
                                 const frame_label& label, memory_resource* memory,
                                 Write&& write) noexcept;

    detail::frame_block* block_ = nullptr;
};

struct [[nodiscard]] frame_result {
    ssekit::frame frame;
    errc ec;
};

/// Collects the bytes of a frame: what a data_writer writes to. The bytes become the frame without
/// being copied.
///
///     ssekit::frame_builder block;
///     ssekit::data_writer data(block, {.type = "tick"});
///     std::format_to(data.out(), "{}", price);
///     data.finish();
///     auto [frame, code] = block.build();
class frame_builder {
  public:
    explicit frame_builder(memory_resource* memory = heap()) noexcept : block_(memory) {}

    /// Effects: adds bytes, which are blocks as clients read them. Never throws: memory that cannot
    /// be had shows in `build`.
    void append(const char* bytes, std::size_t size) noexcept {
        if (!block_.append({bytes, size})) fail(errc::out_of_memory);
    }

    /// Effects: notes that an event begins, and what is wrong with it: what a data_writer calls.
    void begin_block(errc head) noexcept {
        if (const std::string_view wire = block_.wire(); !wire.empty() && !detail::ends_block(wire))
            fail(errc::unfinished);
        fail(head);
    }

    /// Effects: hands the bytes over to a frame; the builder is then as new, whatever is returned.
    /// \returns the frame, or an empty one and what has gone wrong first: errc::out_of_memory, what
    /// `validate` said of the head of an event, errc::unfinished when an event was not ended, or
    /// the bytes do not end with a blank line; else errc::nothing_to_send when there are no bytes,
    /// or data_too_long and label_too_long as `frame::make`.
    frame_result build(const frame_label& label = {}) noexcept;

  private:
    void fail(errc code) noexcept {
        if (code_ == errc::ok) code_ = code;
    }

    detail::growing_block block_;
    errc code_ = errc::ok;
};

// ---- how

template <class Write>
SSEKIT_INLINED inline frame_result
frame::assemble(std::size_t size, detail::frame_content content, const frame_label& label,
                memory_resource* memory, Write&& write) noexcept {
    using layout = detail::frame_block;
    if (size > layout::longest_wire) return {frame(), errc::data_too_long};
    if (!layout::fits(label.topic, label.key)) return {frame(), errc::label_too_long};
    const std::size_t all =
        layout::allocation_size(size, label.topic.size() + label.key.size(), memory == heap());
    char* const bytes = layout::allocate(all, memory);
    if (bytes == nullptr) return {frame(), errc::out_of_memory};
    write(detail::unchecked_out{bytes + layout::head_room});
    return {frame(layout::construct(bytes, size, content, label, all, memory)), errc::ok};
}

inline frame_result frame::make(const event_view& event, encode_options options,
                                const frame_label& label, memory_resource* memory) noexcept {
    if (const errc code = detail::admit(event, options.utf8); code != errc::ok)
        return {frame(), code};
    const auto [size, as_it_is] = detail::measure(event, options.utf8);
    const utf8_policy utf8 = options.utf8;
    // The usual order is a constant below, which saves 26 instructions of each publish.
    if (options.order != field_order::id_first) {
        return assemble(size, detail::frame_content::event, label, memory,
                        [&event, options, as_it_is = as_it_is](detail::unchecked_out out) {
                            detail::put_event(out, event, options, as_it_is);
                        });
    }
    return assemble(size, detail::frame_content::event, label, memory,
                    [&event, utf8, as_it_is = as_it_is](detail::unchecked_out out) {
                        detail::put_event(out, event, utf8, as_it_is);
                    });
}

inline frame frame::comment(std::string_view text, comment_form form,
                            memory_resource* memory) noexcept {
    const std::size_t size = encoded_comment_size(text, form);
    if (size == 0) return frame();
    return assemble(
               size, detail::frame_content::comment, {}, memory,
               [text, form](detail::unchecked_out out) { detail::put_comment(out, text, form); })
        .frame;
}

inline frame frame::verbatim(std::string_view bytes, memory_resource* memory) noexcept {
    return assemble(bytes.size(), detail::frame_content::bytes, {}, memory,
                    [bytes](detail::unchecked_out out) { detail::put(out, bytes); })
        .frame;
}

inline errc frame::may_be_published(bool with_id) const noexcept {
    if (block_ == nullptr) return errc::nothing_to_send;
    if (block_->content == detail::frame_content::event) {
        if (!after("event: ", wire()).starts_with("id: ")) return errc::ok;
        if (!with_id) return errc::id_is_assigned;
        return after("id: ", wire()) == "\n" ? errc::nothing_to_send : errc::ok;
    }
    if (block_->content != detail::frame_content::blocks) return errc::nothing_to_send;
    const detail::survey seen(wire());
    if (!seen.is_one_block) return errc::not_one_event;
    if (!with_id && seen.has_id) return errc::id_is_assigned;
    return seen.has_data || seen.has_retry ? errc::ok : errc::nothing_to_send;
}

inline frame_result frame::numbered(std::optional<std::string_view> id, const frame_label& label,
                                    memory_resource* memory) const noexcept {
    if (const errc code = may_be_published(!id); code != errc::ok) {
        return {frame(), code};
    }
    if (!id) {
        return assemble(block_->size, block_->content, label, memory,
                        [this](detail::unchecked_out out) { detail::put(out, wire()); });
    }
    if (const errc code = validate_id(*id); code != errc::ok) return {frame(), code};
    const std::size_t more = detail::add_sizes(sizeof "id: \n" - 1, id->size());
    return assemble(detail::add_sizes<std::size_t>(more, block_->size),
                    detail::frame_content::event, label, memory,
                    [this, id](detail::unchecked_out out) {
                        detail::put(out, "id: ");
                        detail::put(out, *id);
                        detail::put(out, "\n");
                        detail::put(out, wire());
                    });
}

inline frame_result frame_builder::build(const frame_label& label) noexcept {
    using layout = detail::frame_block;
    const auto finish = [&]() -> frame_result {
        const std::string_view wire = block_.wire();
        if (code_ != errc::ok) return {frame(), code_};
        if (wire.empty()) return {frame(), errc::nothing_to_send};
        if (!detail::ends_block(wire)) return {frame(), errc::unfinished};
        if (wire.size() > layout::longest_wire) return {frame(), errc::data_too_long};
        if (!layout::fits(label.topic, label.key)) return {frame(), errc::label_too_long};
        layout* const made = block_.finish(label);
        return {frame(made), made == nullptr ? errc::out_of_memory : errc::ok};
    };
    frame_result result = finish();
    block_.clear();
    code_ = errc::ok;
    return result;
}

} // namespace ssekit::inline SSEKIT_ABI

#endif
