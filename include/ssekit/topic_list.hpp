// SPDX-License-Identifier: MIT
//
// Names of topics, as functions and options take them: one, several in braces, or whatever
// container they are already in. Only a few views are copied, so the names have to live as long as
// the list is used. For an argument that is the call; an option may be kept, so it does not take a
// temporary.
#ifndef SSEKIT_TOPIC_LIST_HPP
#define SSEKIT_TOPIC_LIST_HPP

#include <ssekit/version.hpp>

#include <array>
#include <concepts>
#include <cstddef>
#include <iterator>
#include <span>
#include <string_view>
#include <type_traits>

namespace ssekit::inline SSEKIT_ABI {

namespace detail {

template <class T>
concept text_like = std::convertible_to<const T&, std::string_view>;

template <class T>
concept texts_like = !text_like<T> && requires(const T& several) {
    std::data(several)[std::size(several)];
    requires text_like<std::remove_cvref_t<decltype(*std::data(several))>>;
};

// clang-format 14 takes these for expressions.
// clang-format off
/// A temporary whose contents die with it, so that a view of it would dangle. (`T` is that of a
/// `T&&`.)
template <class T>
concept dangling = !std::is_lvalue_reference_v<T> && !std::ranges::enable_borrowed_range<T> &&
                   (std::is_class_v<T> || std::is_array_v<T>);

template <class T>
concept kept_text = !dangling<T> && text_like<std::remove_cvref_t<T>>;
template <class T>
concept kept_texts = !dangling<T> && texts_like<std::remove_cvref_t<T>>;
// clang-format on

} // namespace detail

/// `"orders"`, `{"orders", "news"}`, or an array, span or vector of whatever converts to
/// std::string_view. Lifetime: borrows what it is made from.
class topic_list {
  public:
    /// More than these have to be in a container.
    static constexpr std::size_t most_in_braces = 8;

    constexpr topic_list() noexcept = default;
    template <detail::text_like T>
    constexpr topic_list(const T& one) noexcept : few_{std::string_view(one)}, size_(1) {}
    template <detail::text_like... T>
    requires(sizeof...(T) > 1) constexpr topic_list(const T&... several) noexcept
        : few_{std::string_view(several)...}, size_(sizeof...(T)) {
        static_assert(sizeof...(T) <= most_in_braces, "put so many names into an array or vector");
    }
    template <detail::texts_like T>
    constexpr topic_list(const T& several) noexcept
        : many_(std::data(several)), size_(std::size(several)),
          name_of_([](const void* names, std::size_t i) noexcept -> std::string_view {
              return static_cast<decltype(std::data(several))>(names)[i];
          }) {}

    [[nodiscard]] constexpr std::size_t size() const noexcept { return size_; }
    [[nodiscard]] constexpr bool empty() const noexcept { return size_ == 0; }
    /// Preconditions: i < size().
    [[nodiscard]] constexpr std::string_view operator[](std::size_t i) const noexcept {
        return name_of_ == nullptr ? few_[i] : name_of_(many_, i);
    }

  private:
    std::array<std::string_view, most_in_braces> few_{};
    const void* many_ = nullptr;
    std::size_t size_ = 0;
    std::string_view (*name_of_)(const void* names, std::size_t i) noexcept = nullptr;
};

/// A topic_list that may be kept in an options struct: it is not made of a temporary string or
/// container, whose names would be gone before they are read.
class kept_topic_list : public topic_list {
  public:
    constexpr kept_topic_list() noexcept = default;
    constexpr kept_topic_list(const topic_list& names) noexcept : topic_list(names) {}
    template <detail::kept_text T>
    constexpr kept_topic_list(T&& one) noexcept : topic_list(one) {}
    template <detail::kept_texts T>
    constexpr kept_topic_list(T&& several) noexcept : topic_list(several) {}
    // Name it first: it would be gone too soon.
    template <detail::dangling T>
    requires(!std::derived_from<T, topic_list>) kept_topic_list(T&& temporary)
    = delete;
    template <class... T>
    requires(sizeof...(T) > 1 && (detail::dangling<T> || ...)) kept_topic_list(T&&... temporaries)
    = delete;
    template <detail::kept_text... T>
    requires(sizeof...(T) > 1) constexpr kept_topic_list(T&&... several) noexcept
        : topic_list(several...) {}
};

} // namespace ssekit::inline SSEKIT_ABI

#endif
