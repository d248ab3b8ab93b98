// SPDX-License-Identifier: MIT
#ifndef SSEKIT_DETAIL_SOURCE_PULL_RANGE_HPP
#define SSEKIT_DETAIL_SOURCE_PULL_RANGE_HPP

#include <ssekit/version.hpp>

#include <cstddef>
#include <iterator>
#include <type_traits>
#include <utility>

namespace ssekit::inline SSEKIT_ABI::detail {

/// An input iterator over what the pointers refer to that a callable returns, up to the first null.
template <class Next>
class pull_iterator {
  public:
    using pointer = std::invoke_result_t<Next&>;
    using iterator_concept = std::input_iterator_tag;
    using value_type = std::remove_cv_t<std::remove_pointer_t<pointer>>;
    using difference_type = std::ptrdiff_t;

    /// Effects: calls `next`.
    explicit pull_iterator(Next next) : next_(std::move(next)), at_(next_()) {}

    [[nodiscard]] const value_type& operator*() const noexcept { return *at_; }
    [[nodiscard]] const value_type* operator->() const noexcept { return at_; }
    pull_iterator& operator++() {
        at_ = next_();
        return *this;
    }
    void operator++(int) { ++*this; }
    [[nodiscard]] bool operator==(std::default_sentinel_t) const noexcept { return at_ == nullptr; }

  private:
    Next next_;
    pointer at_;
};

/// The range of such an iterator. \tparam Next is copied for it
template <class Next>
class pull_range {
  public:
    explicit pull_range(Next next) : next_(std::move(next)) {}
    [[nodiscard]] auto begin() const { return pull_iterator(next_); }
    [[nodiscard]] static std::default_sentinel_t end() noexcept { return {}; }

  private:
    Next next_;
};

} // namespace ssekit::inline SSEKIT_ABI::detail

#endif
