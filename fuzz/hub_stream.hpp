// SPDX-License-Identifier: MIT
//
// What one stream has to give out next, by the laws alone. It has read each of its logs up to some
// place. What comes next is the oldest of what its logs have for it: an event, or a hole.
// - A hole is what a log has let go, or what lies beyond the stream's `max_lag`. It stands where the
//   last event stood that has gone, ahead of that event if another log brings it; where the log still
//   has all of it, at the first, after that event if another log brings it. Two holes of one kind at
//   one offset are told of together.
// - An event that the filter rejects is passed over; so is one that a newer event of its key
//   replaces in any of the logs, under lag_policy::coalesce or a throttle, if the filter wants the
//   newer one.
// - A hole counts the events that this stream will never get and would have got: not those that it
//   has had, that another of its logs still brings, that it would have passed over, or that another
//   hole has counted. Where that is nothing, nothing is told. Else a gap is told, with the exact
//   number or without one; or the stream ends, as its policy says. Under skip_to_newest the hole
//   reaches to the newest event of its log then; under newest_of_each_key no number is told, and a
//   snapshot begins.
// - A number may only be left out, and a gap told for nothing, where the hub cannot know: events have
//   gone and there is a filter, something of theirs was replaced, or several logs have had and lost
//   them; or something was replaced in a log that may have been added since; or memory was missing.
// - A throttle opens a window when an event wants to leave, and lets through what had been published
//   by then. What it holds back is never beyond a bound, nor is anything before the window opens, and
//   losing it is never the stream's end.
// - What was sent to the stream alone comes behind what was published before, ahead of what came
//   later.
#ifndef SSEKIT_FUZZ_HUB_STREAM_HPP
#define SSEKIT_FUZZ_HUB_STREAM_HPP

#include "hub_log.hpp"
#include "hub_reading.hpp"

#include <ssekit/subscribe_options.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace fuzz {

using ssekit::lag_policy;

struct sent_event {
    std::string wire;
    std::uint64_t after;
};

struct stream_model : reading {
    // Events are missing here that a sequence has numbered for somebody else, or for nobody.
    struct sequence_hole {
        std::uint64_t through, size;
        bool has_to_come;
    };

    lag_policy on_lag = lag_policy::disconnect;
    ssekit::lag_bound max_lag = {};
    std::uint64_t begins_through = 0; // what it begins with is no lag
    std::chrono::milliseconds throttle = {};
    std::uint64_t seen = 0;        // what another hub has already brought
    std::uint64_t added_after = 0; // what was newest when it got one log more
    std::set<std::uint64_t> passed = {};
    // Holes passed in silence since an event has left that may be told of: their logs.
    std::vector<std::vector<log_ptr>> maybe = {};
    std::uint64_t through = 0; // of the throttle's window
    time_point opens{};
    bool holding = false;
    bool forgetful = false; // memory was missing: what has gone from where may not be remembered
    std::deque<sent_event> sent = {};
    std::vector<sequence_hole> holes = {};

    [[nodiscard]] bool newest_only() const {
        return on_lag == lag_policy::coalesce || throttle > 0ms;
    }
    [[nodiscard]] bool is_replaced(const naive_log& log, std::size_t at) const {
        for (std::size_t i = at + 1; i < log.all.size(); ++i) {
            if (log.same_key(*log.all[at], *log.all[i]) && wanted(filter, *log.all[i])) return true;
        }
        return false;
    }
    [[nodiscard]] bool is_replaced_in_any(std::uint64_t offset) const {
        return std::any_of(readers.begin(), readers.end(), [&](const reader& r) {
            for (std::size_t p = r.log->gone; p < r.log->all.size(); ++p) {
                if (r.log->all[p]->offset == offset) return is_replaced(*r.log, p);
            }
            return false;
        });
    }

    // Whether that was so when the event went: the hub cannot know what its key is afterwards.
    [[nodiscard]] bool was_replaced(const naive_log& log, std::size_t at) const {
        for (std::size_t i = at + 1; i < log.gone_before[at]; ++i) {
            if (log.same_key(*log.all[at], *log.all[i])) return true;
        }
        return false;
    }

    // Whether a throttle has held it back.
    [[nodiscard]] bool is_excused(std::uint64_t offset, time_point now) const {
        return throttle > 0ms && (offset > through || now < opens);
    }

    // From where on a log may be read: the newest is always within bounds.
    [[nodiscard]] std::size_t target(const reader& r, time_point now) const {
        const auto& all = r.log->all;
        const std::size_t from = std::max(r.next, r.log->gone);
        if (from < all.size() && all[from]->offset <= begins_through) return from;
        std::size_t bytes = 0, at = all.size() - 1;
        for (std::size_t i = all.size(); i > from; --i) {
            const event& e = *all[i - 1];
            bytes += e.wire.size();
            const bool beyond = (max_lag.events != 0 && all.size() - i >= max_lag.events) ||
                                (max_lag.bytes != 0 && bytes > max_lag.bytes) ||
                                (max_lag.age != 0ms && now - e.at > max_lag.age);
            if (beyond && !is_excused(e.offset, now)) break;
            at = std::min(at, i - 1);
        }
        at = std::max(at, from);
        return at;
    }

    enum class kind { nothing, held, value, event, gap, end };
    struct step {
        kind what = kind::nothing;
        std::uint64_t offset = ~std::uint64_t{0};
        int rank = 3; // at one offset the least comes first
        event_ptr event = {};
        std::uint64_t missing = 0; // exact
        bool unsure = false;       // a number may be left out
        bool either = false;       // an end may be a gap, or a gap an end
        struct part {
            std::size_t reader, target;
        };
        std::vector<part> holes = {}; // all that stand at this offset
    };

    // What is not kept is passed without a word where it has gone, or is out of bounds or too old.
    void pass_unheard(time_point now) {
        for (reader& r : readers) {
            if (has_heard(r)) continue;
            const naive_log& beside = *r.log->beside;
            r.heard = target({r.log->beside, r.heard}, now);
            const auto age = beside.keep.age;
            while (!has_heard(r) && age > 0ms && now - beside.all[r.heard]->at >= age) ++r.heard;
        }
    }
    void pass(std::uint64_t offset) {
        for (reader& r : readers) {
            if (r.next >= r.log->gone && !is_at_end(r) && r.log->all[r.next]->offset == offset) {
                ++r.next;
            }
            if (!has_heard(r) && r.log->beside->all[r.heard]->offset == offset) ++r.heard;
        }
        passed.insert(offset);
    }

    /// Effects: passes what is passed over in silence. \returns what is next then, not yet passed.
    step look(time_point now, bool closing) {
        if (event_ptr value = next_value()) return {kind::value, 0, 0, std::move(value)};
        pass_unheard(now);
        for (;;) {
            for (reader& r : readers) {
                while (!is_at_end(r) && r.log->all[r.next]->offset <= seen) ++r.next;
            }
            step first;
            for (std::size_t i = 0; i != readers.size(); ++i) {
                const reader& r = readers[i];
                if (is_at_end(r)) continue;
                const std::size_t to = target(r, now);
                const bool hole = to != r.next;
                const std::size_t gone = r.log->gone;
                const std::uint64_t offset = r.log->all[r.next < gone ? gone - 1 : r.next]->offset;
                const int rank = !hole ? 1 : r.next < gone ? 0 : 2;
                if (offset > first.offset || (offset == first.offset && rank > first.rank))
                    continue;
                if (offset < first.offset || rank < first.rank) {
                    first = {hole ? kind::gap : kind::event, offset, rank};
                }
                if (hole) first.holes.push_back({i, to});
                if (!hole) first.event = r.log->all[to];
            }
            for (const reader& r : readers) {
                if (has_heard(r)) continue;
                const event_ptr& e = r.log->beside->all[r.heard];
                if (e->offset < first.offset) first = {kind::event, e->offset, 1, e};
            }
            if (first.what == kind::nothing) return first;
            const bool waits = throttle > 0ms && !closing && first.offset > through && now < opens;
            if (first.what == kind::gap && waits) {
                first.what = kind::held;
                return first;
            }
            if (first.what == kind::gap) {
                count(first, now);
                if (first.missing != 0 && on_lag == lag_policy::skip_to_newest) {
                    for (auto& part : first.holes) {
                        part.target = readers[part.reader].log->all.size() - 1;
                    }
                    count(first, now);
                }
                if (first.missing != 0) return act(first);
                if (first.unsure) {
                    maybe.emplace_back();
                    for (auto& part : first.holes) maybe.back().push_back(readers[part.reader].log);
                }
                cross(first);
                continue;
            }
            bool replaced = false;
            for (const reader& r : readers) {
                for (std::size_t p = std::max(r.next, r.log->gone); p < r.log->all.size(); ++p) {
                    replaced = replaced || (r.log->all[p]->offset == first.offset &&
                                            newest_only() && is_replaced(*r.log, p));
                }
                if (has_heard(r) || !newest_only()) continue;
                const naive_log& beside = *r.log->beside;
                replaced = replaced || (beside.all[r.heard]->offset == first.offset &&
                                        is_replaced(beside, r.heard));
            }
            if (!wanted(filter, *first.event) || replaced) {
                pass(first.offset);
                continue;
            }
            if (waits) first.what = kind::held;
            return first;
        }
    }

    /// Effects: an event has left.
    void leave(const step& s, time_point now, std::uint64_t newest, bool closing) {
        if (throttle > 0ms && !closing && s.offset > through) {
            opens = now + throttle;
            through = newest;
        }
        pass(s.offset);
        maybe.clear();
    }
    /// Effects: a hole that might be told of has been: the first, or the one that reaches so far.
    void told_of_maybe(std::uint64_t reaches, std::uint64_t last) {
        if (on_lag == lag_policy::newest_of_each_key) return go_on_with_newest(last);
        const auto newest_but_one = [](const log_ptr& log) {
            return log->all.size() < 2 ? 0 : log->all[log->all.size() - 2]->offset;
        };
        auto told = std::find_if(maybe.begin(), maybe.end(), [&](const auto& crossed) {
            std::uint64_t best = 0;
            for (const log_ptr& log : crossed) best = std::max(best, newest_but_one(log));
            return best == reaches;
        });
        if (on_lag != lag_policy::skip_to_newest || told == maybe.end()) told = maybe.begin();
        for (reader& r : readers) {
            const bool here = std::find(told->begin(), told->end(), r.log) != told->end();
            if (!here || on_lag != lag_policy::skip_to_newest) continue;
            for (std::size_t p = r.next; p + 1 < r.log->all.size(); ++p) {
                r.next = p + 1;
                const std::uint64_t offset = r.log->all[p]->offset;
                if (!comes_elsewhere({}, offset)) passed.insert(offset);
            }
        }
        maybe.erase(told);
    }
    void go_on_with_newest(std::uint64_t last) {
        begin_snapshot(last);
        maybe.clear();
    }
    void cross(const step& s) {
        for (const step::part& hole : s.holes) {
            reader& r = readers[hole.reader];
            for (std::size_t p = r.next; p != hole.target; ++p) {
                const std::uint64_t offset = r.log->all[p]->offset;
                if (!comes_elsewhere(s, offset)) passed.insert(offset);
            }
        }
        for (const step::part& hole : s.holes) readers[hole.reader].next = hole.target;
    }

  private:
    // Of an event that several logs have had and this one has no more: whether another one of the
    // stream does not tell any more either.
    [[nodiscard]] bool may_have_come(std::size_t hole, const event& e) const {
        if (!e.several && !readers[hole].log->is_pattern()) return false;
        const bool unknown = forgetful || readers[hole].log->gone > 32; // so many are remembered
        bool lost = unknown;
        for (std::size_t i = 0; i != readers.size(); ++i) {
            const naive_log& log = *readers[i].log;
            if (i == hole) continue;
            // Of what was published before a log was added it may have brought nothing.
            if (log.holds(e.offset, e.offset > added_after ? 0 : readers[i].next)) {
                return unknown;
            }
            lost = lost || log.holds(e.offset) || log.maybe_lost >= e.offset ||
                   (log.gone != 0 && log.all[log.gone - 1]->offset >= e.offset);
        }
        return lost;
    }
    [[nodiscard]] bool comes_elsewhere(const step& s, std::uint64_t offset) const {
        for (std::size_t i = 0; i != readers.size(); ++i) {
            std::size_t from = readers[i].next;
            for (const step::part& hole : s.holes) from = hole.reader == i ? hole.target : from;
            if (readers[i].log->holds(offset, from)) return true;
        }
        return false;
    }
    void count(step& s, time_point now) const {
        std::set<std::uint64_t> missing;
        bool all_held = true, none_held = true;
        for (const step::part& hole : s.holes) {
            const reader& r = readers[hole.reader];
            const naive_log& log = *r.log;
            const bool keys = newest_only() && std::any_of(log.all.begin(), log.all.end(),
                                                           [](auto& e) { return !e->key.empty(); });
            bool unsure = false, all_replaced = true;
            for (std::size_t p = r.next; p != hole.target; ++p) {
                const event& e = *log.all[p];
                const bool gone = p < log.gone;
                const bool replaced = newest_only() && is_replaced(log, p);
                unsure = unsure || (gone && (filter != 0 || keys || may_have_come(hole.reader, e)));
                all_replaced = all_replaced &&
                               (!gone || (filter == 0 && newest_only() && was_replaced(log, p)));
                if (passed.contains(e.offset) || !wanted(filter, e) || replaced ||
                    comes_elsewhere(s, e.offset)) {
                    continue;
                }
                if (!gone && newest_only() && is_replaced_in_any(e.offset)) {
                    s.unsure = s.unsure || e.offset <= added_after;
                    continue;
                }
                missing.insert(e.offset);
                (is_excused(e.offset, now) ? none_held : all_held) = false;
            }
            s.unsure = s.unsure || (unsure && !all_replaced);
        }
        s.missing = missing.size();
        // What is lost has no offsets any more: the hub goes by the last of a hole, which another
        // log may have brought.
        s.either = s.missing == 0 || (!all_held && (!none_held || is_excused(s.offset, now)));
        if (s.missing == 0 || none_held) s.what = kind::end; // unless the policy says otherwise
        if (s.missing != 0 && all_held) s.what = kind::gap, s.either = false;
    }
    step act(step& s) const {
        const bool ends = on_lag == lag_policy::disconnect || on_lag == lag_policy::detach;
        if (!ends) s.what = kind::gap, s.either = false;
        return s;
    }
};

} // namespace fuzz

#endif
