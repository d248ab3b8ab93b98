// SPDX-License-Identifier: MIT
//
// The bytes of a body as they are meant: those that come, or what a decoder makes of them.
#ifndef SSEKIT_DETAIL_SOURCE_PLAIN_BODY_HPP
#define SSEKIT_DETAIL_SOURCE_PLAIN_BODY_HPP

#include <ssekit/content_decoder.hpp>
#include <ssekit/detail/http/text.hpp>

#include <string_view>

namespace ssekit::inline SSEKIT_ABI::detail {

class plain_body {
  public:
    /// A body begins, and nobody looks at the last one any more.
    /// \param coding the value of Content-Encoding, "" without one
    /// \returns false when the decoder cannot take it off. Without a decoder the library has done
    /// so, or has refused the answer.
    [[nodiscard]] bool begin(content_decoder* decoder, std::string_view coding) noexcept {
        waiting_ = {};
        decoder_ = coding.empty() || equal_ignoring_case(coding, "identity") ? nullptr : decoder;
        return decoder_ == nullptr || decoder_->begin(coding);
    }

    /// Calls `read` with bytes, a string_view& that it takes them off, until there are none or it
    /// returns false. What it leaves is there again in the next call.
    /// \returns false when the coding is broken.
    template <class Read>
    [[nodiscard]] bool each(std::string_view& input, Read&& read) {
        if (decoder_ == nullptr) {
            while (!input.empty() && read(input)) continue;
            return true;
        }
        for (;;) {
            if (waiting_.empty()) waiting_ = decoder_->decode(input);
            if (decoder_->failed()) return false;
            if (!waiting_.empty()) {
                if (!read(waiting_)) return true;
            } else if (input.empty()) {
                return true;
            }
        }
    }

    /// Whether it may end here.
    [[nodiscard]] bool is_complete() const noexcept {
        return decoder_ == nullptr || decoder_->is_complete();
    }

  private:
    content_decoder* decoder_ = nullptr; // of this body
    std::string_view waiting_ = {};      // decoded, not yet read
};

} // namespace ssekit::inline SSEKIT_ABI::detail

#endif
