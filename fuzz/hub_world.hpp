// SPDX-License-Identifier: MIT
//
// How a hub begins and ends, what the time brings, and what holds after each step.
#ifndef SSEKIT_FUZZ_HUB_WORLD_HPP
#define SSEKIT_FUZZ_HUB_WORLD_HPP

#include "hub_wire.hpp"

#include <ssekit/event_sequence.hpp>
#include <ssekit/event_target.hpp>
#include <ssekit/hub.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <numeric>
#include <string_view>
#include <utility>

namespace fuzz {

class world : protected wire {
  protected:
    explicit world(choices& choose) : choose_(choose) {}

    std::size_t pick(std::size_t end) { return choose_.below(end); }

    // ---- the hub

    void make_hub() {
        choose_options(choose_);
        options_.on_topic = {[](void* self, std::string_view topic, bool listened_to) noexcept {
                                 static_cast<world*>(self)->hook(topic, listened_to);
                             },
                             this};
        if (options_.presence) {
            options_.presence->on_change = {
                [](void* self, std::string_view tag, bool present) noexcept {
                    static_cast<world*>(self)->change(tag, present);
                },
                this};
        }
        left_at_.fill({});
        present_ = 0;
        events_.clear();
        transient_.clear();
        logs_ = {};
        nameless_.clear();
        tombs_.clear();
        sequence_holes_.clear();
        evicted_names_ = evicted_tags_ = to_all_ = 0;
        were_read_ = 0;
        published_ = accepted_ = refused_ = replaced_ = timed_out_ = bytes_ = 0;
        listened_ = 0;
        ends_.fill(0);
        closed_ = farewell_ = close_retry_ = struck_ever_ = false;
        cut_at_ = ssekit::never;
        hub_ = std::make_unique<ssekit::hub>(epoch_, now_, options_);
    }

    void destroy_hub() {
        for_each_link([&](connection& c, person&) { check_held(c); });
        const logs present = present_;
        hub_.reset();
        check(present_ == present, "a hub that goes does not say that all have left");
        for_each_link([&](connection& c, person& who) {
            c.orphan = true;
            c.hand.clear();
            who.faithful = false;
            check(c.stream.is_done() && c.stream.id() == 0, "without its hub a stream is done");
            check(c.over || c.stream.is_abrupt(), "and was not brought to its end");
        });
        for (person& each : people_) each.faithful = false;
    }

    void tick_once(time_point now) {
        for_each_link([](connection& c, person&) { c.told_before = c.told; });
        now_ = std::max(now, now_);
        hub_->tick(now_);
        check(hub_->next_deadline() > now_, "after a turn nothing is due");
        for_each_link([&](connection& c, person&) {
            if (std::exchange(c.rescheduled, false) && !c.wakes) c.must_be_told = true;
            note_abrupt(c);
            if (c.model.holding && now_ >= c.model.opens + 8ms && c.seated && c.asleep) {
                c.model.holding = false;
                opened(c);
            }
            time_point last = c.with.expires_at.value_or(ssekit::never);
            if (c.with.max_age) last = std::min(last, c.born + *c.with.max_age);
            if (options_.max_age) last = std::min(last, c.born + *options_.max_age);
            check(now_ - 2s <= last || c.stream.end() != stream_end::open, "a stream ends in time");
        });
        if (now_ >= cut_at_) {
            for_each_link([](connection& c, person&) {
                check(c.over || c.stream.is_done(),
                      "a stream that is not done at the deadline is cut");
            });
        }
    }
    // Its throttle has opened: it leaves closed topics that it has read. One that has been told of
    // something else does that when it is asked again.
    void opened(connection& c) {
        const auto& readers = c.model.readers;
        const bool closed = std::any_of(readers.begin(), readers.end(),
                                        [](const auto& r) { return r.log->closed; });
        if (!closed || !c.model.has_read_all() || c.model.closed_only()) return;
        const bool beats = c.with.heartbeat.value_or(options_.heartbeat.interval) > 0ms;
        if (beats || c.changed || !c.model.sent.empty()) {
            see_what_is_over();
            return drain_all(c);
        }
        leave_closed(c.model);
    }
    // The owner of a stream that is stalled or cut by the hub is told once more.
    void note_abrupt(connection& c) {
        const stream_end how = c.stream.end();
        if (how == stream_end::stalled || how == stream_end::cut) told_once_more(c);
    }
    void told_once_more(connection& c) {
        if (std::exchange(c.aborted, true)) return;
        check(!c.wakes || c.told > c.told_before, "the owner of a stream that is cut is woken");
        c.may_be_told = c.wakes ? c.may_be_told + 1 : c.told + 1;
        c.must_be_told = !c.wakes;
    }

    // What may be done now and need not be until a little later is done then, so that the model knows.
    void tick(time_point now) {
        tick_once(now);
        if (!is_unclear()) trim_unseen();
        settle();
        for (int i = 0; i != 20; ++i) {
            time_point again = is_unclear() ? now_ + 250ms : ssekit::never;
            for_each_link([&](connection& c, person&) {
                const stream_model& m = c.model;
                if (m.holding && m.opens <= now_ && now_ < m.opens + 8ms) {
                    again = std::min(again, m.opens + 8ms);
                }
            });
            if (again == ssekit::never) break;
            tick_once(again);
            if (!is_unclear()) trim_unseen();
            settle();
        }
        trim_unseen();
    }

    void work_off() {
        while (void* const user = hub_->next_ready()) {
            auto& c = *static_cast<connection*>(user);
            ++c.told;
            check(c.told <= c.may_be_told, "next_ready reports each once");
        }
        for_each_link([&](connection& c, person&) {
            if (c.wakes || c.with.user == nullptr) return;
            check(!c.must_be_told || c.told == c.may_be_told,
                  "a stream that is rescheduled is reported");
            check(c.told != 0 || !is_owed(c), "a stream that has something to send is reported");
        });
    }

    void hook(std::string_view topic, bool listened_to) {
        const std::size_t bit = bit_of(topic);
        check(has(listened_, bit) != listened_to, "hooks alternate");
        listened_ ^= 1u << bit;
    }

    void change(std::string_view tag, bool present) {
        const std::size_t bit = bit_of(tag);
        check(has(all_tags, bit) && has(present_, bit) != present, "a tag comes and goes in turn");
        check(!closed_, "a hub that closes tells of nobody");
        present_ ^= 1u << bit;
    }
    void check_presence() {
        if (!options_.presence || struck_ever_ || memory_.struck)
            return; // a grace may be cut short
        for (std::size_t i = 0; i != names.size(); ++i) {
            if (!has(all_tags, i)) continue;
            check(hub_->is_present(names[i]) == is_there(i), "a tag is there, or is not");
            check(closed_ || has(present_, i) == is_there(i), "who comes and goes is told");
        }
    }

    // ---- after each step

    // What a stream needs from below its logs it gets now: the events, and word of all others.
    void feed(connection& c) {
        while (const auto after = c.stream.needs()) {
            check(c.fetching && after->offset >= c.fed, "a stream is fed on");
            const std::uint64_t next = after->offset + 1;
            check(next <= last_, "there is something to feed");
            const auto e = std::find_if(events_.begin(), events_.end(), [&](const event_ptr& each) {
                return each->offset == next;
            });
            errc code = errc::ok;
            if (e == events_.end()) {
                code = c.stream.feed_through({epoch_, next});
                std::erase_if(c.model.holes, [&](auto& hole) { return hole.through <= next; });
                for (auto& hole : c.model.holes) hole.has_to_come = false;
            } else {
                code = feed(c, **e);
            }
            struck_ = struck_ || memory_.struck;
            check(code == errc::ok || (struck_ && code == errc::out_of_memory), "it is fed");
            if (code != errc::ok) return;
            c.fed = next;
        }
    }
    errc feed(connection& c, const event& e) {
        const ssekit::sequenced_event made{e.frame, epoch_, e.offset, errc::ok, {}};
        const name_list list = names_of(e.in & (all_topics | all_tags));
        using target = ssekit::event_target;
        if (list.empty()) return c.stream.feed(target::to_all(), made);
        if ((e.in & all_tags) != 0) return c.stream.feed(target::to_tag(list[0]), made);
        return c.stream.feed(list, made);
    }

    void settle() {
        for_each_link([&](connection& c, person&) {
            if (c.fetching && c.stream.end() == stream_end::open) feed(c);
        });
        std::size_t streams = 0, seated = 0;
        std::array<std::size_t, names.size()> readers{};
        auto ends = ends_;
        for_each_link([&](connection& c, person&) {
            ++streams;
            end(c);
            if (c.ended) stand_up(c);
            seated += c.seated ? 1 : 0;
            ++ends[static_cast<std::size_t>(c.stream.end())];
            check(c.told <= c.may_be_told, "no owner is told more than once");
            check(!c.wakes || c.told != 0 || !is_owed(c), "its owner is woken");
            const auto seen = hub_->find_subscriber(c.stream.id());
            check(seen && seen->user == c.with.user && seen->bytes == c.bytes &&
                      seen->end == c.stream.end(),
                  "a subscriber is found and its bytes are counted");
        });
        observe();
        for_each_link([&](connection& c, person&) {
            for (const stream_model::reader& r : c.model.readers) {
                readers[r.log->bit] += c.seated && r.log->named ? 1u : 0u;
            }
        });
        const ssekit::hub_metrics counts = hub_->metrics();
        check(counts.subscribers == seated && hub_->subscribers() == seated &&
                  hub_->subscriptions() == streams && counts.accepted == accepted_ &&
                  counts.refused == refused_ && counts.published == published_ &&
                  counts.bytes == bytes_,
              "metrics are right");
        // A stream that has ended and stalls then is counted for the first, and so is one that finds
        // no memory for the last words; one that is cut, perhaps with others.
        constexpr auto replaced = static_cast<std::size_t>(stream_end::replaced);
        const auto ended =
            std::accumulate(ends.begin() + 1, ends.begin() + 7, std::uint64_t{ends[replaced]});
        const std::uint64_t counted = counts.lagged + counts.detached + counts.stalled +
                                      counts.expired + counts.evicted + counts.topic_closed +
                                      counts.replaced;
        check(counts.replaced == replaced_, "those that give way are counted");
        constexpr auto unlucky = static_cast<std::size_t>(stream_end::out_of_memory);
        check(closed_ || (ended <= counted && counted <= ended + ends[unlucky]),
              "ends are counted");
        for (std::size_t i = 0; i != names.size(); ++i) {
            const std::size_t shown = has(all_tags, i) ? hub_->subscribers_with_tag(names[i])
                                                       : hub_->subscribers(names[i]);
            if (is_opening()) continue;
            check(readers[i] == shown, "places are taken by open streams, and by nobody else");
            check(has(all_tags, i) || (readers[i] != 0) == has(listened_, i), "hooks are called");
        }
        check_presence();
        struck_ever_ = struck_ever_ || memory_.struck;
    }

    choices& choose_;
    logs listened_ = 0;
    logs present_ = 0;                     // tags, as the hub has told
    std::array<std::uint64_t, 11> ends_{}; // of the streams that have gone, by stream_end
};

} // namespace fuzz

#endif
