// SPDX-License-Identifier: MIT
//
// What else happens to a hub whose events a sequence numbers: offsets that are nobody's or are lost,
// the end of the sequence, and a new epoch; each with what the model says to that.
#ifndef SSEKIT_FUZZ_HUB_SEQUENCE_HPP
#define SSEKIT_FUZZ_HUB_SEQUENCE_HPP

#include "hub_visitors.hpp"

#include <ssekit/event_place.hpp>
#include <ssekit/hub.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>

namespace fuzz {

using ssekit::event_place;

class sequence : protected visitors {
  protected:
    using visitors::visitors;

    void of_sequence() {
        const std::size_t what = pick(5), how = pick(8);
        if (!sequence_) {
            check(hub_->lose({epoch_, last_ + 1}) == errc::out_of_sequence &&
                      hub_->skip({epoch_, last_ + 1}) == errc::out_of_sequence &&
                      hub_->begin_epoch({epoch_ + 1, 0}) == errc::out_of_sequence,
                  "only a sequence numbers from outside");
            return;
        }
        if (closed_) return;
        switch (what) {
        case 0: return skip(how);
        case 1: return lose(how);
        case 2: return note(how);
        case 3: return begin_epoch(how);
        default: return repeat();
        }
    }

  private:
    void skip(std::size_t how) {
        const ssekit::sequenced_event mark = sequence_->mark();
        const errc code = (how & 1) != 0 ? hub_->skip({epoch_, mark.offset})
                                         : hub_->publish_sequenced("a", mark).ec;
        struck_ = memory_.struck;
        check(code == errc::ok || (struck_ && code == errc::out_of_memory),
              "a mark is passed over");
        if (mark.offset > last_ + 1) miss(mark.offset - 1, code == errc::ok);
        if (code == errc::ok) last_ = mark.offset;
    }

    void lose(std::size_t how) {
        for (std::size_t i = 0; i <= how % 3; ++i) static_cast<void>(sequence_->mark());
        const std::uint64_t through = sequence_->last();
        const errc code = how > 5 ? hub_->begin_at(through) : hub_->lose({epoch_, through});
        struck_ = memory_.struck;
        check(code == errc::ok || (struck_ && code == errc::out_of_memory), "what is lost is told");
        miss(through, code == errc::ok);
        if (code == errc::ok) last_ = through;
    }

    // What is not newer, or of another epoch, changes nothing.
    void repeat() {
        check(hub_->lose({epoch_, last_}) == errc::out_of_sequence &&
                  hub_->skip({epoch_, last_}) == errc::out_of_sequence &&
                  hub_->lose({epoch_ + 1, last_ + 1}) == errc::out_of_sequence &&
                  hub_->begin_epoch({epoch_, 1}) == errc::out_of_sequence &&
                  hub_->note_newest({epoch_ + 1, 1}) == errc::out_of_sequence,
              "what is out of sequence is refused");
        check(hub_->newest() == event_place{epoch_, last_}, "the newest is known");
    }

    // The log has this, and it was asked after the last time.
    void note(std::size_t how) {
        const std::uint64_t newest = how < 4 ? sequence_->last() : last_;
        const std::uint64_t end = std::max(newest, last_);
        for_each_link([](connection& c, person&) { c.told_before = c.told; });
        check(hub_->note_newest({epoch_, newest}) == errc::ok, "how far it is is noted");
        struck_ = memory_.struck;
        for_each_link([&](connection& c, person& who) {
            stream_model& m = c.model;
            if (!c.seated || m.seen <= end || c.times_noted == times_noted_) return;
            m.seen = 0;
            if (c.stream.end() == stream_end::out_of_memory) return told_once_more(c);
            if (c.stream.end() != stream_end::open) return;
            for (auto& r : m.readers) r.next = r.log->all.size();
            m.holes.clear();
            m.maybe.clear();
            who.faithful = false;
            const std::string id = id_text(last_);
            m.sent.push_back(
                {encoded({.id = id, .type = "gap", .data = gap_text("future")}), last_});
            c.sent_to = true;
        });
        noted_ = end;
        ++times_noted_;
    }

    void begin_epoch(std::size_t how) {
        if (epoch_ == 30) return;
        for_each_link([](connection& c, person&) { c.told_before = c.told; });
        const std::uint64_t last = how < 4 ? 0 : how;
        const errc code = hub_->begin_epoch({epoch_ + 1, last});
        struck_ = memory_.struck;
        check(code == errc::ok || (struck_ && code == errc::out_of_memory), "an epoch begins");
        if (code != errc::ok) return;
        sequence_.emplace(++epoch_, last);
        last_ = noted_ = last;
        times_noted_ = 0;
        events_.clear();
        to_all_ = evicted_names_ = evicted_tags_ = 0;
        tombs_.clear();
        sequence_holes_.assign(1, {last, last, true});
        const auto empty = [](const log_ptr& log) {
            if (!log) return;
            log->all.clear(), log->values.clear(), log->gone_before.clear();
            log->gone = log->looked_at = 0;
            log->maybe_lost = 0;
        };
        for (const log_ptr& log : logs_) empty(log);
        for (const log_ptr& log : nameless_) empty(log);
        for (person& each : people_) {
            each.faithful = false;
            each.due.clear();
            each.untold = 0;
        }
        for_each_link([&](connection& c, person&) { begin_epoch(c, last); });
    }
    void begin_epoch(connection& c, std::uint64_t last) {
        stream_model& m = c.model;
        for (auto& r : m.readers) r.next = r.heard = 0;
        m.passed.clear(), m.maybe.clear(), m.holes.clear();
        m.has_snapshot = false;
        m.seen = m.added_after = 0;
        m.through = m.begins_through = last;
        for (auto& each : m.sent) each.after = 0;
        c.fetching = false;
        c.told_offset = c.begins_after = c.times_noted = 0;
        if (c.stream.end() == stream_end::out_of_memory) told_once_more(c);
        if (c.stream.end() == stream_end::open) m.holes.push_back({last, last, true});
    }
};

} // namespace fuzz

#endif
