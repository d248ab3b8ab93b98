// SPDX-License-Identifier: MIT
//
// The topics that have a name, by kind: each kind has a table of its own and a ring in the order of
// making, so a new name looks at the patterns and at nothing else, and a new pattern at the names.
#ifndef SSEKIT_DETAIL_HUB_TOPIC_NAMES_HPP
#define SSEKIT_DETAIL_HUB_TOPIC_NAMES_HPP

#include <ssekit/detail/base/links.hpp>
#include <ssekit/detail/base/slab.hpp>
#include <ssekit/detail/base/text_index.hpp>
#include <ssekit/detail/base/tuning.hpp>
#include <ssekit/detail/hub/topic.hpp>
#include <ssekit/memory.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace ssekit::inline SSEKIT_ABI::detail {

class topic_names {
  public:
    using number = std::uint32_t;

    topic_names(topic_slab& topics, memory_resource* memory) noexcept
        : topics_(&topics), tables_{text_index(memory), text_index(memory), text_index(memory)} {
        for (number i = 0; i < heads_.size(); ++i) heads_[i] = {head + i, head + i};
    }
    topic_names(const topic_names&) = delete;
    topic_names& operator=(const topic_names&) = delete;

    [[nodiscard]] std::size_t size(topic_kind kind) const noexcept { return sizes_[index(kind)]; }

    /// \returns the number, 0 when there is none.
    SSEKIT_INLINED [[nodiscard]] number find(topic_kind kind,
                                             std::string_view name) const noexcept {
        const number* const found = tables_[index(kind)].find(name, text_at{topics_});
        return found == nullptr ? 0 : *found;
    }

    /// \returns whether there is memory for one more of the kind.
    [[nodiscard]] bool reserve(topic_kind kind) noexcept { return tables_[index(kind)].reserve(); }

    /// Preconditions: no topic of its kind has its name; reserve().
    void insert(number where) noexcept {
        const topic& self = (*topics_)[where];
        tables_[index(self.kind)].insert(self.name(), where);
        link_back(links{this}, head + static_cast<number>(self.kind), where);
        ++sizes_[index(self.kind)];
    }
    /// Preconditions: it is here.
    void erase(number where) noexcept {
        const topic& self = (*topics_)[where];
        tables_[index(self.kind)].erase(self.name(), where);
        unlink(links{this}, where);
        --sizes_[index(self.kind)];
    }

    /// Effects: `call(number)` for each of the kind; it may erase the topic that it is given.
    template <class Call>
    void for_each(topic_kind kind, Call&& call) const noexcept {
        const links at{const_cast<topic_names*>(this)};
        const number ring = head + static_cast<number>(kind);
        for (number item = at(ring).next, next = 0; item != ring; item = next) {
            next = at(item).next;
            call(item);
        }
    }

  private:
    static constexpr number head = 1u << 31;
    static constexpr std::size_t index(topic_kind kind) noexcept {
        return static_cast<std::size_t>(kind);
    }
    struct text_at {
        const topic_slab* topics;
        std::string_view operator()(number item) const noexcept { return (*topics)[item].name(); }
    };
    struct links {
        topic_names* self;
        link& operator()(number item) const noexcept {
            return item < head ? (*self->topics_)[item].kin : self->heads_[item - head];
        }
    };

    topic_slab* topics_;
    std::array<text_index, 3> tables_;
    std::array<std::size_t, 3> sizes_{};
    std::array<link, 3> heads_{};
};

} // namespace ssekit::inline SSEKIT_ABI::detail

#endif
