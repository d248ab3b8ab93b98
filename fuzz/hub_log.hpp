// SPDX-License-Identifier: MIT
//
// What a hub remembers, as naively as can be said. A log is the list of all that was ever published
// to it, and a number: how many of them, the oldest, have gone. Which may go, and which have to, the
// bounds say:
// - an event goes when a bound is passed, the oldest first; but the newest stays while the log is
//   read, and alone it may exceed the bound of bytes;
// - while the log is read, what was published within `burst.within` stays beyond `events` and
//   `bytes`, up to the burst's own bounds, which count at once; when nobody reads, `events` and
//   `bytes` count at once; age counts always, and may be looked at a quarter of a second late;
// - where the newest event of each key is kept besides, the one that was updated longest ago goes
//   first; a key whose removal was published has none;
// - events that are not kept are in a log of their own, which is read as long as the other is, and
//   is empty when nobody does.
#ifndef SSEKIT_FUZZ_HUB_LOG_HPP
#define SSEKIT_FUZZ_HUB_LOG_HPP

#include "check.hpp"

#include <ssekit/encoder.hpp>
#include <ssekit/frame.hpp>
#include <ssekit/retention.hpp>
#include <ssekit/time.hpp>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace fuzz {

using namespace std::chrono_literals;
using ssekit::time_point;

// Sets of logs are bits: topics, patterns, tags. What is published to a topic is read in the logs
// that `feeds` names.
using logs = unsigned;
inline constexpr std::array<std::string_view, 10> names{"a",   "b",  "x/1",  "x/2", "y/z/1",
                                                        "x/*", "**", "y/**", "u",   "v"};
inline constexpr std::array<logs, 5> feeds{0x41, 0x42, 0x64, 0x68, 0xd0};
inline constexpr logs all_topics = 0x1f, all_patterns = 0xe0, all_tags = 0x300;

inline bool has(logs set, std::size_t bit) {
    return (set >> bit & 1) != 0;
}

using name_list = std::vector<std::string_view>;

inline name_list names_of(logs set) {
    name_list out;
    for (std::size_t i = 0; i != names.size(); ++i) {
        if (has(set, i)) out.push_back(names[i]);
    }
    return out;
}
inline std::size_t bit_of(std::string_view name) {
    return static_cast<std::size_t>(std::find(names.begin(), names.end(), name) - names.begin());
}

inline std::string encoded(const ssekit::event_view& event) {
    std::string out;
    check(ssekit::append_to(out, event) == ssekit::errc::ok, "an event is encoded");
    return out;
}

struct event {
    std::uint64_t offset = 0;
    logs in = 0;                  // where it was published; for patterns, where it is matched
    mutable bool several = false; // more than one log has got it
    std::string topic = {}, type = {}, key = {}, wire = {};
    bool removes = false; // its key has no value any more
    bool is_kept = true;
    time_point at{};
    ssekit::frame frame = {}; // of a sequence
};
using event_ptr = std::shared_ptr<const event>;

/// What a stream's filter lets through.
inline bool wanted(std::size_t filter, const event& e) {
    switch (filter) {
    case 1: return e.offset % 2 != 0;
    case 2: return e.key.empty();
    case 3: return e.type != "t";
    default: return true;
    }
}

struct naive_log {
    std::size_t bit = 0;
    ssekit::retention keep = {};
    bool kept = false, closed = false, named = true;
    time_point forget_at = ssekit::never;
    std::vector<event_ptr> all = {};
    std::vector<event_ptr> values = {};     // the newest of each key, where they are kept besides
    std::shared_ptr<naive_log> beside = {}; // what is published here and not kept
    std::size_t gone = 0;
    // Of each that has gone: what was here for sure when it went; what is newer may have come then.
    std::vector<std::size_t> gone_before = {};
    std::size_t looked_at = 0; // what was here when that was last seen
    std::size_t readers = 0;
    time_point used_at{}; // published to, closed, opened again, kept no more, or left by a reader
    // Of a tag: when a stream gave way last, and how long its client was told to wait.
    time_point gave_way_at{};
    std::chrono::milliseconds last_wait{};
    std::uint64_t maybe_lost = 0; // what the hub need not know better of events before all of these

    [[nodiscard]] bool is_pattern() const { return has(all_patterns, bit); }
    [[nodiscard]] bool is_tag() const { return has(all_tags, bit); }
    [[nodiscard]] std::size_t size() const { return all.size() - gone; }
    [[nodiscard]] std::size_t bytes() const {
        std::size_t sum = 0;
        for (std::size_t i = gone; i != all.size(); ++i) sum += all[i]->wire.size();
        return sum;
    }
    [[nodiscard]] std::size_t bytes_of_values() const {
        std::size_t sum = 0;
        for (const event_ptr& e : values) sum += e->wire.size();
        return sum;
    }
    [[nodiscard]] bool holds(std::uint64_t offset, std::size_t from = 0) const {
        return std::any_of(all.begin() + static_cast<std::ptrdiff_t>(std::max(gone, from)),
                           all.end(), [&](const event_ptr& e) { return e->offset == offset; });
    }

    /// Whether the second is about the same; of different topics equal keys are different keys.
    [[nodiscard]] bool same_key(const event& a, const event& b) const {
        return !a.key.empty() && a.key == b.key && (!is_pattern() || a.topic == b.topic);
    }
    void hold_values() {
        while (values.size() > keep.values.keys ||
               (values.size() > 1 && bytes_of_values() > keep.values.bytes)) {
            values.erase(values.begin());
        }
    }
    void set_value(const event_ptr& e) {
        if (keep.values.keys == 0 || e->key.empty()) return;
        std::erase_if(values, [&](const event_ptr& old) { return same_key(*old, *e); });
        if (e->removes) return;
        values.push_back(e);
        hold_values();
    }
    [[nodiscard]] std::vector<event_ptr> newest_of_each_key() const {
        if (keep.values.keys != 0) return values;
        std::vector<event_ptr> out;
        for (std::size_t p = gone; p != all.size(); ++p) {
            std::erase_if(out, [&](const event_ptr& old) { return same_key(*old, *all[p]); });
            if (!all[p]->key.empty() && !all[p]->removes) out.push_back(all[p]);
        }
        return out;
    }
    void keep_by(const ssekit::retention& bounds) {
        const bool had_values = keep.values.keys != 0;
        keep = bounds;
        for (std::size_t p = had_values ? all.size() : gone; p != all.size(); ++p) {
            set_value(all[p]);
        }
        hold_values();
    }

    /// Whether the oldest has to go, if time is looked at so much too late.
    [[nodiscard]] bool must_go(time_point now, bool read, std::chrono::milliseconds late) const {
        const std::size_t count = size();
        if (count <= (read ? 1u : 0u)) return false;
        const auto over = [&](std::size_t events, std::size_t most) {
            return count > std::max<std::size_t>(events, 1) || (count > 1 && bytes() > most);
        };
        const bool usual = over(keep.events, keep.bytes);
        const bool bursts = read && keep.burst.within > 0ms;
        if (usual && !bursts) return true;
        if (usual && over(std::max(keep.events, keep.burst.events),
                          std::max(keep.bytes, keep.burst.bytes))) {
            return true;
        }
        const auto since = now - all[gone]->at - late;
        if (usual && since >= keep.burst.within) return true;
        return keep.age != 0ms && since >= std::max(keep.age, 0ms);
    }
    void drop() {
        gone_before.push_back(looked_at);
        ++gone;
    }
    void trim(time_point now) {
        while (must_go(now, readers != 0, 0ms)) drop();
        looked_at = all.size();
    }
    /// What the hub shows of it. \param read whether it was read all the time
    void shown(std::size_t count, time_point now, bool read) {
        check(count <= size(), "a log gets nothing by itself");
        while (size() > count) {
            check(must_go(now, read, 0ms), "what goes has to go");
            drop();
        }
        looked_at = all.size();
        check(!must_go(now, readers != 0, 250ms), "what has to go goes");
    }
    /// Whether it may go because nobody reads it and nobody keeps it.
    [[nodiscard]] bool may_go() const { return readers == 0 && !kept && !is_pattern(); }
    /// When it has been idle for too long.
    [[nodiscard]] time_point idle_until(std::chrono::milliseconds keep_idle) const {
        if (!may_go() || keep_idle == 0ms) return ssekit::never;
        return used_at + std::max(keep_idle, 1ms); // a turn begins later than the one before
    }
    /// \returns how long the client of a stream that gives way now is told to wait.
    std::chrono::milliseconds next_wait(std::chrono::milliseconds first,
                                        std::chrono::milliseconds most, time_point now) {
        const bool soon = last_wait != 0ms && now - gave_way_at <= 2 * last_wait;
        last_wait = std::min(soon ? 2 * last_wait : first, std::max(first, most));
        gave_way_at = now;
        return last_wait;
    }
    [[nodiscard]] ssekit::retention hard() const {
        ssekit::retention out = keep;
        if (keep.burst.within > 0ms) {
            out.events = std::max(keep.events, keep.burst.events);
            out.bytes = std::max(keep.bytes, keep.burst.bytes);
        }
        out.events = std::max<std::size_t>(out.events, 1);
        return out;
    }
};
using log_ptr = std::shared_ptr<naive_log>;

} // namespace fuzz

#endif
