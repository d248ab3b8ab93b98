// SPDX-License-Identifier: MIT
//
// The naive model of a hub that hub.cpp compares with: every event for ever, and what each stream
// has to bring of them. It knows nothing of logs and cursors; it only reads what clients receive.
#ifndef SSEKIT_FUZZ_HUB_MODEL_HPP
#define SSEKIT_FUZZ_HUB_MODEL_HPP

#include "check.hpp"

#include "support/client.hpp"

#include <ssekit/event_sequence.hpp>
#include <ssekit/hub.hpp>

#include <algorithm>
#include <array>
#include <bit>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <numeric>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace fuzz {

using namespace std::chrono_literals;
using ssekit::drain_status;
using ssekit::errc;
using ssekit::gap_policy;
using ssekit::lag_policy;
using ssekit::resumption;
using ssekit::stream_end;
using ssekit::time_point;

// Sets of logs are bits: topics, patterns, tags. What is published to a topic is read in the logs
// that `feeds` names.
using logs = unsigned;
inline constexpr std::array<std::string_view, 10> names{"a",   "b",  "x/1",  "x/2", "y/z/1",
                                                        "x/*", "**", "y/**", "u",   "v"};
inline constexpr std::array<logs, 5> feeds{0x41, 0x42, 0x64, 0x68, 0xd0};
inline constexpr logs all_topics = 0x1f, all_patterns = 0xe0, all_tags = 0x300;

using name_list = std::vector<std::string_view>;

inline name_list names_of(logs set) {
    name_list out;
    for (std::size_t i = 0; i != names.size(); ++i) {
        if ((set >> i & 1) != 0) out.push_back(names[i]);
    }
    return out;
}

inline std::string encoded(const ssekit::event_view& event) {
    std::string out;
    ssekit::append_to(out, event);
    return out;
}

struct event {
    std::uint64_t offset;
    logs in;
    std::string_view topic, type, key;
    std::string wire;
};

struct due_event {
    event what;
    logs read; // in which it can still come
    logs came; // in which it could come at first
};

struct sent_event {
    std::string wire;
    std::uint64_t after;
};

inline bool wanted(std::size_t filter, std::uint64_t offset, std::string_view type,
                   std::string_view key) {
    return filter == 0 || (filter == 1 ? offset % 2 != 0 : filter == 2 ? key.empty() : type != "t");
}

struct connection {
    ssekit::subscription stream = {};
    ssekit::subscribe_options with = {};
    name_list topics = {}, patterns = {};
    logs reads = 0;
    std::size_t filter = 0;
    bool wakes = false, orphan = false, evicted = false;

    support::scripted_writer socket = {};
    std::size_t parsed = 0; // of the body
    bool opened = false, retried = false, bye = false, over = false, plain = true;
    std::uint64_t seen = 0;       // what its Last-Event-ID says that it has had
    std::uint64_t last = 0;       // offset of the last id
    std::uint64_t had_before = 0; // events up to here may have been lost before it came
    std::string last_id = {};
    std::deque<due_event> due = {};
    std::vector<logs> brought = {};
    std::deque<sent_event> sent = {};
    std::uint64_t missing = 0, reported_missing = 0;

    std::vector<std::string_view> slices = {}; // prepared, and what they were
    std::string promised = {};

    bool asleep = false, rescheduled = false, must_be_told = false, aborted = false;
    unsigned told = 0, told_before = 0, may_be_told = 0;
    time_point idle_since{}, born{};

    [[nodiscard]] bool newest_only() const {
        return with.on_lag == lag_policy::coalesce || with.throttle.count() > 0;
    }
    [[nodiscard]] bool wants(const event& e) const {
        return wanted(filter, e.offset, e.type, e.key);
    }
};

struct person {
    std::string last_id = {};
    std::unique_ptr<connection> link = {};
};

class model {
  protected:
    static std::string digit(std::size_t n) {
        return {"0123456789abcdefghijklmnopqrstuvwxyz"[n % 36]};
    }
    std::string id_text(std::uint64_t offset) const {
        return (publishers_ids_ ? "#" : "") + digit(epoch_) + "." + std::to_string(offset);
    }

    template <class Call>
    void for_each_link(Call&& call) {
        for (person& each : people_) {
            if (each.link && !each.link->orphan) call(*each.link);
        }
    }

    resumption worth_of(const std::string& id, std::uint64_t& seen) const {
        if (id.empty()) return resumption::fresh;
        // Another hub of the sequence may be ahead of this one.
        for (std::uint64_t n = 0; n <= last_ + (sequence_ ? 3 : 0); ++n) {
            if (id == id_text(n)) return seen = n, resumption::resumed;
        }
        if (publishers_ids_) return resumption::unknown;
        if (id.size() < 3 || id.find('.') != 1 || id == "1.01") return resumption::malformed;
        return id[0] == digit(epoch_)[0] ? resumption::future : resumption::unknown;
    }

    void hook(std::string_view topic, bool listened_to) {
        const auto at = std::find(names.begin(), names.end(), topic) - names.begin();
        check((listened_ >> at & 1) != unsigned{listened_to}, "hooks alternate");
        listened_ ^= 1u << at;
    }

    logs closed_topics() const {
        logs out = 0;
        hub_->for_each_topic([&](const ssekit::topic_info& topic) {
            const auto at = std::find(names.begin(), names.end(), topic.name) - names.begin();
            if (topic.closed) out |= 1u << at;
        });
        return out;
    }

    // An idle subscriber that the hub must have reported by now.
    bool is_owed(const connection& c) const {
        if (!c.asleep) return false;
        if (c.stream.end() != stream_end::open || closed_) return true;
        const auto silence = c.with.heartbeat.value_or(options_.heartbeat.interval);
        if (silence.count() > 0 && now_ > c.idle_since + silence + 2s) return true;
        if (c.with.throttle.count() > 0 && now_ <= c.idle_since + c.with.throttle + 8ms) {
            return false;
        }
        if (((c.reads & ~all_tags) & ~closed_topics()) == 0 || !c.sent.empty()) return true;
        const auto waiting = std::count_if(c.due.begin(), c.due.end(), [&](const due_event& d) {
            return d.what.offset > c.had_before && d.read != 0 && c.wants(d.what) &&
                   !(c.newest_only() && is_superseded(d));
        });
        return static_cast<std::uint64_t>(waiting) > c.reported_missing - c.missing;
    }

    bool is_superseded(const due_event& d) const {
        return !d.what.key.empty() &&
               std::any_of(events_.begin(), events_.end(), [&](const event& e) {
                   // In a pattern's log, equal keys of different topics are different keys.
                   const logs there = e.topic == d.what.topic ? d.came : d.came & ~all_patterns;
                   return e.offset > d.what.offset && e.key == d.what.key && (e.in & there) != 0;
               });
    }

    void settle() {
        std::size_t streams = 0;
        std::array<std::size_t, names.size()> readers{};
        auto ends = ends_;
        for_each_link([&](connection& c) {
            ++streams;
            for (std::size_t i = 0; i != names.size(); ++i) readers[i] += c.reads >> i & 1;
            ++ends[static_cast<std::size_t>(c.stream.end())];
            check(c.told <= c.may_be_told, "nobody is told more than once");
            if (c.wakes) {
                check(c.told != 0 || !is_owed(c), "who has something to send is woken");
            }
            const auto seen = hub_->find_subscriber(c.stream.id());
            check(seen && seen->user == c.with.user && seen->bytes == c.socket.got.size(),
                  "a subscriber is found and its bytes are counted");
        });
        const ssekit::hub_metrics counts = hub_->metrics();
        check(counts.subscribers == streams && hub_->subscribers() == streams &&
                  counts.accepted == accepted_ && counts.refused == refused_ &&
                  counts.published == published_ && counts.bytes == bytes_,
              "metrics are right");
        // Who has ended and stalls then is counted for the first; who is cut, perhaps with others.
        const auto ended = std::accumulate(ends.begin() + 1, ends.begin() + 7, std::uint64_t{0});
        check(cut_ || ended == counts.lagged + counts.detached + counts.stalled + counts.expired +
                                   counts.evicted + counts.topic_closed,
              "ends are counted");
        for (std::size_t i = 0; i != names.size(); ++i) {
            const bool tag = (all_tags >> i & 1) != 0;
            check(readers[i] ==
                      (tag ? hub_->subscribers_with_tag(names[i]) : hub_->subscribers(names[i])),
                  "readers are counted");
            check(tag || (readers[i] != 0) == ((listened_ >> i & 1) != 0), "hooks are called");
        }
        hub_->for_each_topic([&](const ssekit::topic_info& topic) {
            const auto at = std::find(names.begin(), names.end(), topic.name) - names.begin();
            check(topic.subscribers != 0 || (!topic.pattern && topic.events != 0) || topic.closed ||
                      (kept_ >> at & 1) != 0,
                  "a topic is there only for a reason");
            check(topic.events <= most_kept_, "a topic keeps no more than it shall");
        });
    }

    // Prepared bytes are where they were.
    static void check_held(const connection& c) {
        std::string now;
        for (const std::string_view slice : c.slices) now += slice;
        check(c.promised.starts_with(now), "what is prepared stays as it is");
    }

    void idle(connection& c) {
        check(!c.promised.empty() || is_whole(c), "no block is torn when a stream is idle");
        c.asleep = true;
        c.rescheduled = false;
        c.told = 0;
        c.may_be_told = 1;
        c.idle_since = now_;
        if (c.with.throttle.count() == 0) check_complete(c);
    }

    void done(connection& c) {
        c.over = true;
        c.rescheduled = false;
        if (c.orphan) return;
        const stream_end end = c.stream.end();
        // What a sequence counts and this hub has refused is lost to it: who resumes from beyond may
        // be taken for one that lags.
        const bool behind =
            refused_in_sequence_ ||
            std::any_of(c.due.begin(), c.due.end(), [](const due_event& d) { return d.read != 0; });
        const bool all_closed = ((c.reads & ~all_tags) & ~closed_topics()) == 0;
        const std::array<bool, 9> right{false,
                                        c.with.on_lag == lag_policy::disconnect && behind,
                                        c.with.on_lag == lag_policy::detach && behind,
                                        options_.write_deadline.count() > 0,
                                        c.with.max_age || options_.max_age.count() > 0,
                                        c.evicted,
                                        all_closed,
                                        closed_,
                                        cut_};
        check(end != stream_end::out_of_memory && right[static_cast<std::size_t>(end)],
              "a stream ends for the reason that it says");
        if (end == stream_end::topic_closed || end == stream_end::closed) check_complete(c);
        check(end != stream_end::closed || c.bye == farewell_, "the farewell is said");
        check(end != stream_end::detached || c.retried, "who is detached is told to wait");
        if (end == stream_end::stalled || end == stream_end::cut) return;
        check(is_whole(c), "a stream ends with a whole block");
        check(c.with.framing == ssekit::framing::raw || support::dechunk(c.socket.got).ended,
              "a chunked body is ended");
    }

    void check_complete(connection& c) {
        check(c.sent.empty(), "what was sent has come");
        for (const due_event& d : c.due) leave_out(c, d);
        c.due.clear();
        check(!c.plain || c.missing == c.reported_missing, "a gap event counts what is missing");
    }

    // ---- what the client sees

    static support::dechunked body_of(const connection& c) {
        if (c.with.framing == ssekit::framing::chunked) return support::dechunk(c.socket.got);
        return {c.socket.got, false, true};
    }
    static bool is_whole(const connection& c) { return body_of(c).body.size() == c.parsed; }

    void read(connection& c) {
        const auto [body, ended, intact] = body_of(c);
        check(intact, "the body is chunked");
        for (std::size_t end = 0; (end = body.find("\n\n", c.parsed)) != body.npos;) {
            const std::size_t from = std::exchange(c.parsed, end + 2);
            block(c, std::string_view(body).substr(from, end + 2 - from));
        }
        const std::string_view tail = std::string_view(body).substr(c.parsed);
        check(!ended || tail.empty(), "nothing is torn at the end of a body");
        if (tail.empty() || !c.opened) return;
        const auto begins = [&](std::string_view whole) {
            return whole.substr(0, tail.size()) == tail.substr(0, whole.size());
        };
        check(begins("event: gap\n") || begins("retry: ") || begins(beat_) || begins(bye) ||
                  (!c.sent.empty() && begins(c.sent.front().wire)) ||
                  std::any_of(c.due.begin(), c.due.end(),
                              [&](const due_event& d) { return d.what.wire.starts_with(tail); }),
              "what is cut is the beginning of a block");
    }

    void block(connection& c, std::string_view text) {
        check(!c.bye, "nothing follows the farewell");
        if (!std::exchange(c.opened, true) && opening(c, text)) return;
        if (text == beat_) {
            return check(c.with.heartbeat.value_or(options_.heartbeat.interval).count() > 0,
                         "no heartbeats unless asked for");
        }
        if (!c.sent.empty() && text == c.sent.front().wire) {
            check(c.last <= c.sent.front().after, "what is sent comes ahead of what is published");
            while (!c.due.empty() && c.due.front().what.offset <= c.sent.front().after) {
                leave_out(c, c.due.front());
                c.due.pop_front();
            }
            return c.sent.pop_front();
        }
        if (text == bye) {
            check(closed_ && farewell_, "no farewell without need");
            c.bye = true;
        } else if (text.starts_with("retry: ")) {
            check(!std::exchange(c.retried, true), "the reconnection time is told once");
            // Who is detached may stall, or be cut, with the block still to be written.
            const stream_end end = c.stream.end();
            const bool detached = c.with.on_lag == lag_policy::detach &&
                                  (end == stream_end::detached || end == stream_end::stalled ||
                                   end == stream_end::cut);
            check(text == "retry: 5000\n\n"
                      ? detached
                      : close_retry_ && text >= "retry: 1" && text < "retry: 4",
                  "the reconnection time is told for a reason");
        } else if (text.starts_with("event: gap\n")) {
            gap(c, text);
        } else {
            while (!c.due.empty() && c.due.front().what.wire != text) {
                leave_out(c, c.due.front());
                c.due.pop_front();
            }
            check(!c.due.empty(), "what comes is due");
            const due_event& d = c.due.front();
            check(d.what.offset > c.last, "ids grow");
            check(c.wants(d.what), "who filters gets what it wants");
            check(c.sent.empty() || c.sent.front().after >= d.what.offset,
                  "what was sent comes ahead of what is published later");
            c.last = d.what.offset;
            c.last_id = id_text(c.last);
            c.brought.push_back(d.came);
            c.due.pop_front();
        }
    }

    bool opening(connection& c, std::string_view text) {
        const std::string id(text.starts_with("id: ") ? text.substr(4, text.find('\n') - 4) : "");
        constexpr std::array reasons{"", "", "malformed", "unknown", "expired", "future"};
        const resumption how = c.stream.resumption();
        const std::string data =
            std::string("{\"reason\":\"") + reasons[static_cast<std::size_t>(how)] + "\"}";
        ssekit::event_view view{.retry = options_.retry};
        if (!id.empty()) view.id = id;
        if (how > resumption::resumed) view.type = "gap", view.data = data;
        if (publishers_ids_ && !view.data && !view.retry && text != encoded(view)) return false;
        fuzz::check_same(text, std::string_view(encoded(view)), "a stream begins with its opening");
        check(publishers_ids_ || !id.empty(), "the opening brings an id");
        if (id.empty()) return true;
        check(worth_of(id, c.last) == resumption::resumed, "the opening's id is known");
        c.last_id = id;
        for (; !c.due.empty() && c.due.front().what.offset <= c.last; c.due.pop_front()) {
            leave_out(c, c.due.front());
        }
        return true;
    }

    void gap(connection& c, std::string_view text) {
        constexpr std::string_view head = "event: gap\ndata: {\"reason\":\"lagged\",\"missed\":";
        std::uint64_t missed = 0;
        check(text.starts_with(head), "a gap says why");
        const char* const end = text.data() + text.size();
        const auto [at, code] = std::from_chars(text.data() + head.size(), end, missed);
        check(code == std::errc() && missed != 0 && std::string_view(at, end) == "}\n\n",
              "a gap says how much");
        check(c.with.on_lag >= lag_policy::skip_to_oldest, "others have no gaps");
        c.reported_missing += missed;
    }

    void leave_out(connection& c, const due_event& d) {
        if (d.read == 0 || !c.wants(d.what) || (c.newest_only() && is_superseded(d))) return;
        const bool may_have_gone = std::none_of(c.brought.begin(), c.brought.end(), [&](logs came) {
            return (came & (~d.read | all_patterns)) == 0;
        });
        if (d.what.offset <= c.had_before && may_have_gone) return;
        check(++c.missing <= c.reported_missing, "what is missing was counted by a gap event");
    }

    static constexpr std::string_view bye = "event: bye\ndata: \n\n";

    time_point now_{10h};
    std::uint64_t epoch_ = 0;
    ssekit::hub_options options_;
    bool publishers_ids_ = false;
    std::optional<ssekit::event_sequence> sequence_;
    bool refused_in_sequence_ = false;
    std::string beat_;
    std::vector<event> events_; // of this hub, for ever
    std::uint64_t last_ = 0, published_ = 0, accepted_ = 0, refused_ = 0, bytes_ = 0, sent_ = 0;
    std::array<std::uint64_t, 10> ends_{}; // of those who have gone, by stream_end
    logs listened_ = 0, kept_ = 0;
    std::size_t most_kept_ = 0;
    bool closed_ = false, farewell_ = false, close_retry_ = false, cut_ = false;
    std::array<person, 5> people_;
    std::unique_ptr<ssekit::hub> hub_; // goes first
};

} // namespace fuzz

#endif
