// SPDX-License-Identifier: MIT
#ifndef SSEKIT_DETAIL_BASE_LIST_HPP
#define SSEKIT_DETAIL_BASE_LIST_HPP

#include <ssekit/version.hpp>

namespace ssekit::inline SSEKIT_ABI::detail {

template <class T>
class list;

/// The link of a T in a list<T>; on its own it is linked to itself. It leaves its list when it
/// dies.
template <class T>
class list_node {
  public:
    list_node() noexcept = default;
    list_node(const list_node&) = delete;
    list_node& operator=(const list_node&) = delete;
    ~list_node() { unlink(); }

    [[nodiscard]] bool linked() const noexcept { return next_ != this; }

    void unlink() noexcept {
        previous_->next_ = next_;
        next_->previous_ = previous_;
        previous_ = next_ = this;
    }

  private:
    friend class list<T>;

    void insert_before(list_node& position) noexcept {
        previous_ = position.previous_;
        next_ = &position;
        previous_->next_ = this;
        next_->previous_ = this;
    }

    list_node* previous_ = this;
    list_node* next_ = this;
};

/// An intrusive list of T, which derives from list_node<T>. It owns nothing; everything is O(1).
template <class T>
class list {
  public:
    [[nodiscard]] bool empty() const noexcept { return !head_.linked(); }
    [[nodiscard]] T& front() noexcept { return static_cast<T&>(*head_.next_); }

    /// The item after `item`, nullptr at the end.
    [[nodiscard]] T* after(T& item) noexcept {
        list_node<T>* const next = static_cast<list_node<T>&>(item).next_;
        return next == &head_ ? nullptr : static_cast<T*>(next);
    }

    /// Takes the item out of its list first, if it is in one.
    void push_back(T& item) noexcept {
        static_cast<list_node<T>&>(item).unlink();
        link_back(item);
    }
    /// Preconditions: the item is in no list.
    void link_back(T& item) noexcept { static_cast<list_node<T>&>(item).insert_before(head_); }

    /// Moves all of `other` to the end of this list.
    void splice_back(list& other) noexcept {
        if (other.empty()) return;
        list_node<T>* const first = other.head_.next_;
        list_node<T>* const last = other.head_.previous_;
        other.head_.next_ = other.head_.previous_ = &other.head_;
        head_.previous_->next_ = first;
        first->previous_ = head_.previous_;
        last->next_ = &head_;
        head_.previous_ = last;
    }

  private:
    list_node<T> head_;
};

} // namespace ssekit::inline SSEKIT_ABI::detail

#endif
