// SPDX-License-Identifier: MIT
#ifndef SSEKIT_DETAIL_LOG_KEY_TEXT_HPP
#define SSEKIT_DETAIL_LOG_KEY_TEXT_HPP

#include <ssekit/frame.hpp>

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace ssekit::inline SSEKIT_ABI::detail {

/// Whether equal keys of different topics are one key: in the log of a pattern they are not.
enum class key_scope : std::uint8_t { log, topic };

/// The key of an event as its log tells keys apart. In the frame the key stands after the topic, so
/// both are one text.
class key_text {
  public:
    key_text(const frame& event, key_scope scope) noexcept {
        const frame_label label = event.label();
        size_ = label.key.size();
        text_ = size_ == 0 || scope == key_scope::log
                    ? label.key
                    : std::string_view(label.topic.data(), label.topic.size() + size_);
    }

    [[nodiscard]] bool empty() const noexcept { return size_ == 0; }
    [[nodiscard]] std::string_view view() const noexcept { return text_; }
    /// \returns the other's text where it may be the same key, else none: "ab" of "c" is not "b" of
    /// "ca".
    [[nodiscard]] std::string_view comparable(const key_text& other) const noexcept {
        return other.size_ == size_ ? other.text_ : std::string_view();
    }

  private:
    std::string_view text_;
    std::size_t size_; // of the key alone
};

} // namespace ssekit::inline SSEKIT_ABI::detail

#endif
