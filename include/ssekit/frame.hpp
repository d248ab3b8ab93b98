// SPDX-License-Identifier: MIT
//
// A frame is an event that has been encoded, once, for everybody: live subscribers, replay and
// queues share the same bytes. One allocation holds the count of owners, the head of an HTTP/1.1
// chunk, the block itself and the chunk's tail, so that the chunked form costs no second buffer
// either. Behind them lies what is never sent, the label:
//
//     | owners, sizes | "2f\r\n" | id: 7\ndata: hello\n\n | "\r\n" | topic | key |
//                                '------- wire() -------'
//                       '------------- chunked() --------------'
//
// The bytes never change after the frame is made; the count is atomic. So frames may be handed to
// any thread, while one frame object, like a shared_ptr, belongs to one thread at a time.
#ifndef SSEKIT_FRAME_HPP
#define SSEKIT_FRAME_HPP

#include <ssekit/detail/buffer.hpp>
#include <ssekit/encoder.hpp>
#include <ssekit/errc.hpp>
#include <ssekit/event.hpp>

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <new>
#include <string_view>
#include <utility>

namespace ssekit {

/// How a stream's blocks stand on the wire.
enum class framing : std::uint8_t {
    raw,     ///< as they are: HTTP/2, HTTP/1.0, or a server that frames chunks itself
    chunked, ///< each block is one chunk of "Transfer-Encoding: chunked"
};

/// What an event is about, for whoever handles frames unopened. It never leaves the process.
struct frame_label {
    std::string_view topic = {}; ///< where it was published
    std::string_view key = {};   ///< a newer event of the same key replaces this one; "": none does
};

struct frame_result;

class frame {
  public:
    constexpr frame() noexcept = default;
    frame(const frame& other) noexcept : block_(other.block_) {
        if (block_ != nullptr) block_->owners.fetch_add(1, std::memory_order_relaxed);
    }
    constexpr frame(frame&& other) noexcept : block_(std::exchange(other.block_, nullptr)) {}
    frame& operator=(frame other) noexcept {
        std::swap(block_, other.block_);
        return *this;
    }
    ~frame() {
        if (block_ != nullptr && is_last_owner()) {
            block_->~block();
            detail::buffer::release(reinterpret_cast<char*>(block_));
        }
    }

    /// Effects: encodes the event. \returns the frame, or an empty one and what `encode_to` says,
    /// errc::data_too_long from 4 GiB on, errc::label_too_long for a topic or key from 64 KiB on,
    /// or errc::out_of_memory.
    [[nodiscard]] static frame_result make(const event_view& event,
                                           utf8_policy utf8 = utf8_policy::pass_through,
                                           const frame_label& label = {}) noexcept;

    /// \returns a frame of comment lines, empty when there is no memory.
    [[nodiscard]] static frame comment(std::string_view text) noexcept;

    /// \returns a frame of bytes that are sent as they are in either framing: the caller answers
    /// for them. Empty when there is no memory.
    [[nodiscard]] static frame verbatim(std::string_view bytes) noexcept;

    [[nodiscard]] explicit operator bool() const noexcept { return block_ != nullptr; }

    /// The block as clients read it.
    /// Preconditions: not empty. Lifetime: as long as any copy of the frame.
    [[nodiscard]] std::string_view wire() const noexcept {
        return {bytes() + block_->head, block_->size};
    }
    /// The block as one chunk of HTTP/1.1. Preconditions and lifetime as above.
    [[nodiscard]] std::string_view chunked() const noexcept {
        return {bytes() + block_->chunk,
                block_->head - block_->chunk + block_->size + block_->tail};
    }
    [[nodiscard]] std::string_view in(framing form) const noexcept {
        return form == framing::chunked ? chunked() : wire();
    }

    /// The label that it was made with. Preconditions and lifetime as above.
    [[nodiscard]] frame_label label() const noexcept {
        const char* const behind = bytes() + block_->head + block_->size + block_->tail;
        return {{behind, block_->topic}, {behind + block_->topic, block_->key}};
    }

    /// The id and the type of an event that `make` has encoded, as a client reads them; an id that
    /// is not there is empty. Preconditions and lifetime as above.
    [[nodiscard]] std::string_view id() const noexcept { return field("id: ", wire()); }
    [[nodiscard]] std::string_view type() const noexcept {
        std::string_view lines = wire();
        if (lines.starts_with("id: ")) lines.remove_prefix(lines.find('\n') + 1);
        const std::string_view type = field("event: ", lines);
        return type.empty() ? std::string_view("message") : type;
    }

    /// How many frame objects share the bytes; for tests, and a hint only when threads are about.
    [[nodiscard]] std::uint32_t owners() const noexcept {
        return block_ == nullptr ? 0 : block_->owners.load(std::memory_order_relaxed);
    }

  private:
    friend class frame_builder;

    struct block {
        std::atomic<std::uint32_t> owners{1};
        std::uint32_t size = 0;  // of the wire form
        std::uint16_t chunk = 0; // where the chunk begins, from the start of the allocation
        std::uint16_t head = 0;  // where the wire form begins
        std::uint16_t tail = 0;  // bytes behind the wire form
        std::uint16_t topic = 0; // bytes of the label's parts
        std::uint16_t key = 0;
    };

    static constexpr std::string_view chunk_end = "\r\n";
    static constexpr std::size_t longest_chunk_head = sizeof "ffffffff\r\n" - 1;
    static constexpr std::size_t head_room = sizeof(block) + longest_chunk_head;

    // A sole owner has nobody to count against, and saves the atomic step.
    bool is_last_owner() noexcept {
        return block_->owners.load(std::memory_order_acquire) == 1 ||
               block_->owners.fetch_sub(1, std::memory_order_acq_rel) == 1;
    }

    explicit frame(block* adopted) noexcept : block_(adopted) {}

    static char* allocate(std::size_t wire_size, std::size_t label_size = 0) noexcept {
        if (wire_size > 0xffffffff) return nullptr;
        return new (std::nothrow) char[head_room + wire_size + chunk_end.size() + label_size];
    }

    static std::string_view field(std::string_view name, std::string_view lines) noexcept {
        if (!lines.starts_with(name)) return {};
        return lines.substr(name.size(), lines.find('\n') - name.size());
    }

    // Takes over memory whose bytes [head_room, head_room + size) are the wire form.
    static frame adopt(char* memory, std::size_t size, bool verbatim = false) noexcept {
        auto* const made = ::new (static_cast<void*>(memory)) block;
        made->size = static_cast<std::uint32_t>(size);
        made->head = made->chunk = head_room;
        if (verbatim) return frame(made);
        char* p = memory + head_room;
        *--p = '\n';
        *--p = '\r';
        for (std::size_t rest = size; rest != 0; rest >>= 4) *--p = "0123456789abcdef"[rest & 15];
        made->chunk = static_cast<std::uint16_t>(p - memory);
        made->tail = static_cast<std::uint16_t>(chunk_end.size());
        detail::copy_bytes(memory + head_room + size, chunk_end.data(), chunk_end.size());
        return frame(made);
    }

    const char* bytes() const noexcept { return reinterpret_cast<const char*>(block_); }

    block* block_ = nullptr;
};

struct frame_result {
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
///     ssekit::frame f = block.build().frame;
class frame_builder {
  public:
    /// Never throws: memory that cannot be had shows in `build`.
    void append(const char* bytes, std::size_t size) noexcept {
        if (memory_.size() == 0 && !memory_.extend(frame::head_room)) failed_ = true;
        if (!failed_ && !memory_.append({bytes, size})) failed_ = true;
    }

    /// Effects: hands the bytes over to a frame; the builder is as new.
    /// \returns errc::nothing_to_send when nothing was appended, errc::out_of_memory,
    /// errc::data_too_long from 4 GiB on.
    [[nodiscard]] frame_result build() noexcept {
        if (failed_ || !memory_.reserve_more(frame::chunk_end.size()))
            return fail(errc::out_of_memory);
        if (memory_.size() <= frame::head_room) return fail(errc::nothing_to_send);
        const std::size_t size = memory_.size() - frame::head_room;
        if (size > 0xffffffff) return fail(errc::data_too_long);
        return {frame::adopt(memory_.detach(), size), errc::ok};
    }

  private:
    frame_result fail(errc code) noexcept {
        *this = frame_builder();
        return {frame(), code};
    }

    detail::buffer memory_;
    bool failed_ = false;
};

inline frame_result frame::make(const event_view& event, utf8_policy utf8,
                                const frame_label& label) noexcept {
    if (const errc code = detail::admit(event, utf8); code != errc::ok) return {frame(), code};
    if (std::max(label.topic.size(), label.key.size()) > 0xffff) {
        return {frame(), errc::label_too_long};
    }
    const auto [size, as_it_is] = detail::measure(event, utf8);
    if (size > 0xffffffff) return {frame(), errc::data_too_long};
    char* const memory = allocate(size, label.topic.size() + label.key.size());
    if (memory == nullptr) return {frame(), errc::out_of_memory};
    detail::unchecked_out out{memory + head_room};
    detail::put_event(out, event, utf8, as_it_is);
    frame_result made{adopt(memory, size), errc::ok};
    made.frame.block_->topic = static_cast<std::uint16_t>(label.topic.size());
    made.frame.block_->key = static_cast<std::uint16_t>(label.key.size());
    out.p += chunk_end.size();
    detail::put(out, label.topic);
    detail::put(out, label.key);
    return made;
}

inline frame frame::comment(std::string_view text) noexcept {
    const std::size_t size = encoded_comment_size(text);
    char* const memory = allocate(size);
    if (memory == nullptr) return frame();
    detail::unchecked_out out{memory + head_room};
    detail::put_comment(out, text);
    return adopt(memory, size);
}

inline frame frame::verbatim(std::string_view bytes) noexcept {
    char* const memory = allocate(bytes.size());
    if (memory == nullptr) return frame();
    detail::copy_bytes(memory + head_room, bytes.data(), bytes.size());
    return adopt(memory, bytes.size(), true);
}

} // namespace ssekit

#endif
