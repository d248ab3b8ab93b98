// SPDX-License-Identifier: MIT
//
// Where an event of a sequence goes: everything that a hub can publish to, in one argument, so that
// whoever carries events from one process to another has one function to call for all of them.
#ifndef SSEKIT_EVENT_TARGET_HPP
#define SSEKIT_EVENT_TARGET_HPP

#include <ssekit/topic_list.hpp>
#include <ssekit/version.hpp>

#include <chrono>
#include <concepts>
#include <cstdint>
#include <string_view>

namespace ssekit::inline SSEKIT_ABI {

enum class target_kind : std::uint8_t {
    topics, ///< as hub::publish
    tag,    ///< as hub::publish_to_tag
    all,    ///< as hub::publish_to_all
    close,  ///< as hub::close_topic, with the event as its last one
};

/// `"orders"`, `{"orders", "news"}` or any other topic_list, or one of the functions below.
/// Lifetime: borrows the names, as topic_list does.
class event_target {
  public:
    template <class Names>
    requires(std::convertible_to<const Names&, topic_list>) constexpr event_target(
        const Names& topics) noexcept
        : names_(topics) {}
    template <detail::text_like... T>
    requires(sizeof...(T) > 1) constexpr event_target(const T&... topics) noexcept
        : names_(topics...) {}

    /// All streams with the tag, now or when they come back.
    [[nodiscard]] static constexpr event_target to_tag(std::string_view tag) noexcept {
        return {tag, target_kind::tag};
    }
    /// Every subscriber.
    [[nodiscard]] static constexpr event_target to_all() noexcept {
        return {topic_list(), target_kind::all};
    }
    /// The topic takes no more events after this one, as after hub::close_topic.
    [[nodiscard]] static constexpr event_target
    closing(std::string_view topic,
            std::chrono::milliseconds keep_for = std::chrono::seconds(30)) noexcept {
        event_target made(topic, target_kind::close);
        made.keep_for_ = keep_for;
        return made;
    }

    [[nodiscard]] constexpr target_kind kind() const noexcept { return kind_; }
    /// The topics; the one tag, or the one topic that is closed; empty for all.
    [[nodiscard]] constexpr const topic_list& names() const noexcept { return names_; }
    /// Of `closing`.
    [[nodiscard]] constexpr std::chrono::milliseconds keep_for() const noexcept {
        return keep_for_;
    }

  private:
    constexpr event_target(const topic_list& names, target_kind kind) noexcept
        : names_(names), kind_(kind) {}

    topic_list names_;
    target_kind kind_ = target_kind::topics;
    std::chrono::milliseconds keep_for_{};
};

} // namespace ssekit::inline SSEKIT_ABI

#endif
