// SPDX-License-Identifier: MIT
//
// What a stream reads: its logs, each up to some place. Before that it may have a snapshot to give
// out, the newest event of each key of what it reads:
// - it has what was published before it began, in the order of publishing, each once, but nothing
//   that is replaced, removed or let go before it leaves, or that the filter rejects;
// - nothing else leaves until it is whole, not even a gap or what was sent; a throttle holds none of
//   it back;
// - its readers stand at the ends of their logs, and logs that are added later have no part in it.
#ifndef SSEKIT_FUZZ_HUB_READING_HPP
#define SSEKIT_FUZZ_HUB_READING_HPP

#include "hub_log.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace fuzz {

struct reading {
    struct reader {
        log_ptr log;
        std::size_t next;      // what it has not passed, in the log's list
        std::size_t heard = 0; // the same in the list of what is not kept
        bool has_part = false; // in the snapshot
    };
    std::vector<reader> readers = {};
    std::size_t filter = 0;
    bool has_snapshot = false;
    std::uint64_t given = 0; // of the snapshot: the last one; and none that is newer belongs to it
    std::uint64_t has_until = 0;

    [[nodiscard]] logs reads() const {
        logs out = 0;
        for (const reader& r : readers) out |= 1u << r.log->bit;
        return out;
    }
    [[nodiscard]] static bool is_at_end(const reader& r) { return r.next == r.log->all.size(); }
    [[nodiscard]] static bool has_heard(const reader& r) {
        return r.heard == r.log->beside->all.size();
    }
    [[nodiscard]] static bool has_read(const reader& r) { return is_at_end(r) && has_heard(r); }
    [[nodiscard]] static reader at_end(const log_ptr& log) {
        return {log, log->all.size(), log->beside->all.size()};
    }
    [[nodiscard]] bool has_read_all() const {
        return !has_snapshot && std::all_of(readers.begin(), readers.end(),
                                            [&](const reader& r) { return has_read(r); });
    }
    [[nodiscard]] bool closed_only() const {
        return std::all_of(readers.begin(), readers.end(),
                           [&](const reader& r) { return r.log->is_tag() || r.log->closed; });
    }

    void begin_snapshot(std::uint64_t last) {
        for (reader& r : readers) r.next = r.log->all.size(), r.has_part = true;
        has_snapshot = true;
        given = 0;
        has_until = last;
        next_value();
    }
    /// \returns the next event of the snapshot; null where that is whole, and then there is none.
    event_ptr next_value() {
        event_ptr first;
        for (const reader& r : readers) {
            if (!has_snapshot || !r.has_part) continue;
            for (const event_ptr& e : r.log->newest_of_each_key()) {
                const bool comes =
                    e->offset > given && e->offset <= has_until && wanted(filter, *e);
                if (comes && (!first || e->offset < first->offset)) first = e;
            }
        }
        has_snapshot = first != nullptr;
        return first;
    }
};

} // namespace fuzz

#endif
