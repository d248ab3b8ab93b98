// SPDX-License-Identifier: MIT
#ifndef SSEKIT_DETAIL_BASE_TEXT_QUEUE_HPP
#define SSEKIT_DETAIL_BASE_TEXT_QUEUE_HPP

#include <ssekit/detail/base/links.hpp>
#include <ssekit/detail/base/owned_text.hpp>
#include <ssekit/detail/base/slab.hpp>
#include <ssekit/detail/base/text_index.hpp>
#include <ssekit/memory.hpp>

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <utility>

namespace ssekit::inline SSEKIT_ABI::detail {

/// Texts in the order in which they came, each once, with a value each; any can be found and taken
/// out. Complexity: O(1) each, but for `for_each`.
template <class Value>
class text_queue {
  public:
    explicit text_queue(memory_resource* memory) noexcept
        : memory_(memory), index_(memory), items_(memory) {}
    text_queue(const text_queue&) = delete;
    text_queue& operator=(const text_queue&) = delete;

    [[nodiscard]] std::size_t size() const noexcept { return size_; }

    /// Effects: the text is the last. \returns false without memory, and nothing has changed.
    /// Preconditions: it is not here.
    [[nodiscard]] bool add(std::string_view text, const Value& value) noexcept {
        const std::uint32_t made = index_.reserve() ? items_.make() : 0;
        if (made == 0) return false;
        item& last = items_[made];
        if (!last.text.assign(text, *memory_)) {
            items_.destroy(made);
            return false;
        }
        last.value = value;
        last.order = {made, made};
        link_back(links{this}, head, made);
        index_.insert(text, made);
        ++size_;
        return true;
    }

    /// \returns the value of the text, null where it is not here.
    [[nodiscard]] const Value* find(std::string_view text) const noexcept {
        const std::uint32_t* const found = index_.find(text, text_at{this});
        return found == nullptr ? nullptr : &items_[*found].value;
    }
    /// Effects: the text is not here any more. Preconditions: it is.
    void remove(std::string_view text) noexcept { drop(*index_.find(text, text_at{this})); }

    /// The one that has been here longest. Lifetime: until it goes. Preconditions: there is one.
    [[nodiscard]] std::string_view first_text() const noexcept {
        return items_[ring_.next].text.view();
    }
    [[nodiscard]] const Value& first() const noexcept { return items_[ring_.next].value; }
    void drop_first() noexcept { drop(ring_.next); }

    /// Effects: `call(text, value)` for each, in order.
    template <class Call>
    void for_each(Call&& call) const {
        for (std::uint32_t at = ring_.next; at != head; at = items_[at].order.next) {
            call(items_[at].text.view(), items_[at].value);
        }
    }

  private:
    struct item {
        owned_text text;
        Value value{};
        link order{};
    };
    static constexpr std::uint32_t head = 1u << 31;
    struct links {
        text_queue* self;
        link& operator()(std::uint32_t at) const noexcept {
            return at == head ? self->ring_ : self->items_[at].order;
        }
    };
    struct text_at {
        const text_queue* self;
        std::string_view operator()(std::uint32_t at) const noexcept {
            return self->items_[at].text.view();
        }
    };

    void drop(std::uint32_t at) noexcept {
        index_.erase(items_[at].text.view(), at);
        unlink(links{this}, at);
        items_.destroy(at);
        --size_;
    }

    memory_resource* memory_;
    std::size_t size_ = 0;
    link ring_{head, head};
    text_index index_;
    slab<item, 64> items_;
};

} // namespace ssekit::inline SSEKIT_ABI::detail

#endif
