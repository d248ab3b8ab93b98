// SPDX-License-Identifier: MIT
#ifndef SSEKIT_EVENT_KEY_HPP
#define SSEKIT_EVENT_KEY_HPP

#include <ssekit/version.hpp>

#include <concepts>
#include <string_view>

namespace ssekit::inline SSEKIT_ABI {

/// What an event is about: a newer event of the same key replaces this one. An empty key: the event
/// is about nothing that could change, and nothing replaces it.
/// Lifetime: a view, read by the call that it is given to.
class event_key {
  public:
    constexpr event_key() noexcept = default;
    template <std::convertible_to<std::string_view> Text>
    constexpr event_key(const Text& text) noexcept : text_(text) {}

    [[nodiscard]] constexpr std::string_view view() const noexcept { return text_; }
    /// Whether the key has no value once this event is there: see removal_of.
    [[nodiscard]] constexpr bool removes() const noexcept { return removes_; }

    friend constexpr event_key removal_of(std::string_view key) noexcept;

  private:
    std::string_view text_ = {};
    bool removes_ = false;
};

/// \returns the key of an event that is the last of its key, as the event that says that a sensor
/// has been taken away. Readers get it as any other event; those that begin later with the newest
/// event of each key get none of this key.
[[nodiscard]] constexpr event_key removal_of(std::string_view key) noexcept {
    event_key out(key);
    out.removes_ = true;
    return out;
}

} // namespace ssekit::inline SSEKIT_ABI

#endif
