// SPDX-License-Identifier: MIT
//
// Why a stream ends, and when it is idle. One that gives way to a newer one of its tag is the oldest
// of them; it says so, once, unless memory was missing or its hand was full, and says nothing else.
#ifndef SSEKIT_FUZZ_HUB_ENDINGS_HPP
#define SSEKIT_FUZZ_HUB_ENDINGS_HPP

#include "hub_model.hpp"

#include <ssekit/hub.hpp>

#include <algorithm>
#include <cstddef>
#include <utility>

namespace fuzz {

class endings : protected model {
  protected:
    // Its end has been seen. What it reads is as it was then.
    void end(connection& c) {
        const stream_end how = c.stream.end();
        if (how == stream_end::open || std::exchange(c.ended, true)) return;
        const auto next = [&] { return look(c); };
        using kind = stream_model::kind;
        bool right = false;
        switch (how) {
        case stream_end::lagged: {
            const auto s = look(c);
            right = c.with.on_lag == lag_policy::disconnect &&
                    (s.what == kind::end || s.either || !c.model.maybe.empty());
            break;
        }
        case stream_end::detached: right = c.detached || struck_; break;
        case stream_end::stalled:
            right = options_.write_deadline > 0ms && (!c.hand.empty() || c.opening_due) &&
                    now_ - c.since >= options_.write_deadline - 20ms;
            break;
        case stream_end::expired: right = oldest_end(c) <= now_; break;
        case stream_end::evicted: right = c.evicted; break;
        case stream_end::topic_closed:
            right = next().what == kind::nothing && c.model.sent.empty() && c.model.closed_only();
            break;
        case stream_end::closed:
            // One that is fed comes back for the rest.
            right = closed_ && (c.fetching || next().what == kind::nothing) &&
                    (c.fetching || c.model.sent.empty()) &&
                    (struck_ || (c.bye == farewell_ && c.retried == close_retry_));
            break;
        case stream_end::cut: right = cut_at_ <= now_; break;
        case stream_end::out_of_memory: right = struck_; break;
        case stream_end::replaced: right = c.gives_way; break;
        default: break;
        }
        check(right, "a stream ends for the reason that it says");
    }
    // The earliest time at which it may be too old.
    [[nodiscard]] time_point oldest_end(const connection& c) const {
        time_point out = c.with.expires_at.value_or(ssekit::never);
        if (c.with.max_age) out = std::min(out, c.born + *c.with.max_age);
        if (options_.max_age) out = std::min(out, c.born + *options_.max_age * 9 / 10 - 20ms);
        return out;
    }

    void stand_up(connection& c) {
        if (!std::exchange(c.seated, false)) return;
        for (const stream_model::reader& r : c.model.readers) leave(r);
    }
    void leave(const stream_model::reader& r) {
        if (--r.log->readers == 0) {
            left_at_[r.log->bit] = now_;
            r.log->used_at = now_;
            r.log->beside->all.clear();
            r.log->beside->gone = 0;
        }
        const bool over = r.log->closed && now_ >= r.log->forget_at; // nobody may see it trimmed
        if (r.log->is_tag() || !r.log->named || over) r.log->trim(now_);
    }

    // A stream is idle that has given out everything, or holds it back.
    void idle(connection& c) {
        stream_model& m = c.model;
        const auto s = look(c);
        using kind = stream_model::kind;
        check(s.what == kind::nothing || s.what == kind::held,
              "a stream that is idle has brought what is due");
        check(m.sent.empty() || m.sent.front().after >= s.offset, "and what was sent");
        check(!closed_, "a stream of a closed hub is not idle");
        check(s.what == kind::held || !m.closed_only(), "nor one that has nothing more to read");
        m.holding = m.throttle > 0ms && m.opens > now_;
        c.asleep = true;
        c.sent_to = c.rescheduled = c.changed = false;
        c.told = 0;
        c.may_be_told = 1;
        c.idle_since = now_;
        leave_closed(m);
    }
    // A stream that has read a topic that is closed for good, and reads others, reads it no more.
    void leave_closed(stream_model& m) {
        for (std::size_t i = 0; i < m.readers.size();) {
            const auto of_topic = std::count_if(m.readers.begin(), m.readers.end(),
                                                [](auto& r) { return !r.log->is_tag(); });
            if (!m.readers[i].log->named && m.has_read(m.readers[i]) && of_topic > 1) {
                leave(m.readers[i]);
                m.readers.erase(m.readers.begin() + static_cast<std::ptrdiff_t>(i));
                i = 0;
            } else {
                ++i;
            }
        }
    }

    // ---- giving way

    /// \returns the stream that ends for a new one, because their tag is full; null for none.
    connection* next_to_give_way(const connection& fresh) {
        const std::string_view tag = fresh.with.tag;
        if (options_.on_full_tag == ssekit::full_tag::refuse || tag.empty()) return nullptr;
        const log_ptr& all = logs_[bit_of(tag)];
        if (!all || all->readers < options_.max_subscribers_per_tag) return nullptr;
        connection* oldest = nullptr;
        for_each_link([&](connection& c, person&) {
            if (&c == &fresh || !c.seated || c.with.tag != tag) return;
            if (oldest == nullptr || c.order < oldest->order) oldest = &c;
        });
        return oldest;
    }
    void give_way(connection& c) {
        const auto wait = logs_[bit_of(c.with.tag)]->next_wait(options_.give_way_retry,
                                                               options_.give_way_retry_max, now_);
        ssekit::event_view words{.type = options_.give_way_type.view()};
        if (!words.type.empty()) words.data = "";
        if (wait != 0ms) words.retry = wait;
        if ((words.data || words.retry) && c.in_hand != most_in_hand) c.words = encoded(words);
        c.words_may_lack = struck_;
        if (c.hand.empty() && !c.opening_due) c.since = now_;
        c.gives_way = true;
        ++replaced_;
        end(c);
        stand_up(c);
    }

    // An idle subscriber that the hub must have reported by now.
    [[nodiscard]] bool is_owed(const connection& c) const {
        if (!c.asleep || c.fetching) return false;
        if (c.stream.end() != stream_end::open || closed_) return true;
        const auto silence = c.with.heartbeat.value_or(options_.heartbeat.interval);
        if (silence > 0ms && now_ > c.idle_since + silence + 2s) return true;
        stream_model m = c.model;
        const auto s = m.look(now_, closed_);
        const bool holds = m.holding && now_ < m.opens + 8ms; // then only what is sent is told
        const bool sent = !m.sent.empty() && m.sent.front().after < s.offset;
        if (sent && (!holds || c.sent_to)) return true;
        if (holds) return false;
        if (s.what != stream_model::kind::nothing && s.what != stream_model::kind::held)
            return true;
        return m.closed_only() && s.what == stream_model::kind::nothing;
    }
};

} // namespace fuzz

#endif
