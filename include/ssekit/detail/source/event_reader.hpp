// SPDX-License-Identifier: MIT
//
// From the bytes of one response after the other to events: decoding, parsing, and what was
// dropped. Where a response ends inside an event, that event may still be delivered, by the next
// call that asks for one.
#ifndef SSEKIT_DETAIL_SOURCE_EVENT_READER_HPP
#define SSEKIT_DETAIL_SOURCE_EVENT_READER_HPP

#include <ssekit/content_decoder.hpp>
#include <ssekit/detail/source/plain_body.hpp>
#include <ssekit/errc.hpp>
#include <ssekit/event.hpp>
#include <ssekit/event_source_options.hpp>
#include <ssekit/parser.hpp>

#include <cstdint>
#include <string_view>

namespace ssekit::inline SSEKIT_ABI::detail {

class event_reader {
  public:
    explicit event_reader(const parser_options& options) noexcept : parser_(options) {}

    [[nodiscard]] ssekit::parser& parser() noexcept { return parser_; }
    [[nodiscard]] const ssekit::parser& parser() const noexcept { return parser_; }

    /// A response begins. \param coding its Content-Encoding
    /// \returns false when nothing can take that off.
    [[nodiscard]] bool begin(content_decoder* decoder, std::string_view coding) noexcept {
        parser_.reconnect();
        ending_ = ending::none;
        return body_.begin(decoder, coding);
    }

    /// Effects: takes bytes off the front of `input`, up to an event or an error.
    /// \returns the event; nullptr also where `error` says what was dropped.
    [[nodiscard]] const event_view* next(std::string_view& input,
                                         const comment_hook& on_comment) noexcept {
        const event_view* event = nullptr;
        read(input, [&](std::string_view& bytes) {
            event = on_comment ? parser_.next(bytes, on_comment) : parser_.next(bytes);
            if (parser_.error() != errc::ok) note(parser_.error(), parser_.error_offset());
            return event == nullptr && error_ == errc::ok;
        });
        return event;
    }
    /// Effects: pushes the bytes into an open_sink, and takes them off the front of `input`, until
    /// that stops. Its watcher calls `note` for each error.
    template <class Sink>
    void feed_into(std::string_view& input, Sink& sink) {
        read(input, [&](std::string_view& bytes) {
            bytes.remove_prefix(feed(parser_, bytes, sink));
            return !sink.has_stopped;
        });
    }
    /// Effects: hands decoded bytes to `take`, which returns whether it wants more.
    template <class Take>
    void copy_to(std::string_view& input, const Take& take) {
        read(input, [&](std::string_view& bytes) {
            const std::string_view all = bytes;
            bytes = {};
            return take(all);
        });
    }

    /// The response has ended in order.
    /// \returns whether there is an unfinished event, which the next call gives out.
    [[nodiscard]] bool has_unfinished() noexcept {
        if (ending_ == ending::none && parser_.is_inside_event()) ending_ = ending::due;
        return ending_ != ending::none;
    }
    [[nodiscard]] bool is_ending() const noexcept { return ending_ != ending::none; }
    /// There is no response any more.
    /// \returns whether it was inside an event, which is dropped.
    [[nodiscard]] bool end() noexcept {
        ending_ = ending::none;
        return parser_.finish() == errc::incomplete;
    }

    /// Of the newest call: the first error, and where in the body.
    void forget_error() noexcept { error_ = errc::ok; }
    [[nodiscard]] errc error() const noexcept { return error_; }
    [[nodiscard]] std::uint64_t error_offset() const noexcept { return error_offset_; }
    /// Whether the body is not what its coding says.
    [[nodiscard]] bool is_broken() const noexcept { return is_broken_; }
    /// Whether it may end here, so far as its coding says.
    [[nodiscard]] bool is_complete() const noexcept { return body_.is_complete(); }
    /// Since the beginning.
    [[nodiscard]] std::uint64_t dropped() const noexcept { return dropped_; }
    [[nodiscard]] errc last_drop() const noexcept { return last_drop_; }

    void note(errc code, std::uint64_t at) noexcept {
        if (error_ == errc::ok) {
            error_ = code;
            error_offset_ = at;
        }
        if (code == errc::comment_too_long) return; // which drops no event
        ++dropped_;
        last_drop_ = code;
    }

  private:
    enum class ending : std::uint8_t { none, due, done };

    template <class Read>
    void read(std::string_view& input, const Read& read) {
        is_broken_ = false;
        if (ending_ == ending::due) {
            ending_ = ending::done;
            std::string_view blank_line = "\n\n";
            read(blank_line);
        } else if (ending_ == ending::none) {
            is_broken_ = !body_.each(input, read);
        }
    }

    ssekit::parser parser_;
    plain_body body_ = {};
    ending ending_ = ending::none;
    bool is_broken_ = false;
    errc error_ = errc::ok;
    errc last_drop_ = errc::ok;
    std::uint64_t error_offset_ = 0;
    std::uint64_t dropped_ = 0;
};

} // namespace ssekit::inline SSEKIT_ABI::detail

#endif
