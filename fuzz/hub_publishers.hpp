// SPDX-License-Identifier: MIT
//
// What is published, to which topics, and what topics keep; each with what the model says to that.
#ifndef SSEKIT_FUZZ_HUB_PUBLISHERS_HPP
#define SSEKIT_FUZZ_HUB_PUBLISHERS_HPP

#include "hub_world.hpp"

#include <ssekit/event_target.hpp>
#include <ssekit/frame.hpp>
#include <ssekit/hub.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>

namespace fuzz {

using ssekit::event_target;

class publishers : protected world {
  protected:
    using world::world;

    void publish(bool removes = false) {
        const std::size_t how = pick(256), text = pick(256), form = pick(8);
        const std::string name = std::array{"", "k", "l", "k"}[how / 64];
        const ssekit::event_key key = removes ? ssekit::removal_of(name) : ssekit::event_key(name);
        const std::string type = (text & 128) == 0 ? "" : "t";
        const std::string data =
            std::to_string(text) + std::string(text % 64, (text & 64) != 0 ? '\n' : 'x');
        ssekit::event_view view{.type = type, .data = data};
        if (text == 7) view = {.retry = 7ms};
        const logs to =
            std::array<logs, 10>{1, 2, 4, 8, 16, 3, 12, 31, 0x100, 0x200}[how % 11 % 10];
        const bool everywhere = how % 11 == 10;
        const name_list list = names_of(to);
        const logs closed = closed_topics();
        if (sequence_ && removes && name.empty()) return;
        std::string id = id_text(sequence_ ? sequence_->last() + 1 : last_ + 1);
        const bool by_publisher = options_.ids == ssekit::event_ids::by_publisher;
        if (by_publisher) view.id = id;
        errc wrong = errc::ok;
        if (by_publisher && form == 3 && !given_ids_.empty()) {
            id = given_ids_.back().first, wrong = errc::id_is_taken;
            view.id = id;
        }
        if (by_publisher && form == 4) view.id = "x ", wrong = errc::unreturnable_id;
        if (by_publisher && form == 5) view.id.reset(), wrong = errc::id_is_missing;
        if (ids_ == id_kind::in_order && form == 6 && !given_ids_.empty()) {
            view.id = "7", wrong = errc::out_of_sequence;
        }
        if (!by_publisher && !sequence_ && form == 7) view.id = "7", wrong = errc::id_is_assigned;
        if (removes && name.empty()) wrong = errc::key_is_missing;
        ssekit::publish_result result{};
        logs in = everywhere ? (all_topics & ~closed) | all_patterns : to;
        std::string block;
        ssekit::frame numbered;
        const bool framed = !sequence_ && !everywhere && (to & all_tags) == 0 && (form & 3) == 1;
        if (sequence_) {
            const std::string_view label = everywhere ? "" : list[0];
            const std::uint64_t before = sequence_->last();
            if (form == 4) static_cast<void>(sequence_->mark()); // for other hubs
            if (form == 4) id = id_text(before + 2);
            ssekit::sequenced_event made = sequence_->make(label, view, key);
            if (form == 3) return; // numbered, and published nowhere here
            if (form > 3) made.previous = before;
            numbered = made.frame;
            result = everywhere ? hub_->publish_sequenced(event_target::to_all(), made)
                     : (to & all_tags) != 0
                         ? hub_->publish_sequenced(event_target::to_tag(list[0]), made)
                         : hub_->publish_sequenced(list, made);
        } else if (everywhere) {
            result = hub_->publish_to_all(view, key);
        } else if ((to & all_tags) != 0) {
            result = hub_->publish_to_tag(list[0], view, key);
        } else if (framed && form == 1) {
            const ssekit::frame made = ssekit::frame::make(view).frame;
            result = hub_->publish(list, made, key);
        } else if (framed) {
            ssekit::frame_builder builder;
            block = encoded(view);
            if (text == 1) block += block, wrong = errc::not_one_event;
            if (text == 2) block.pop_back(), wrong = errc::unfinished;
            if (text == 3) block = ":\n\n", wrong = errc::nothing_to_send;
            builder.append(block.data(), block.size());
            result = hub_->publish(list, builder, key);
        } else {
            result = hub_->publish(list, view, key);
        }
        const bool shut = !everywhere && (to & closed) != 0;
        struck_ = memory_.struck;
        check(result.ec == errc::closed || !closed_, "a closed hub takes no events");
        if (sequence_ && !closed_ && sequence_->last() > last_ + 1) {
            const bool known = result.ec != errc::out_of_memory;
            const std::uint64_t through = sequence_->last() - (form == 4 ? 2 : 1);
            if (through > last_) miss(through, known);
            const std::uint64_t newest = hub_->newest().offset;
            check(newest == last_ || newest >= sequence_->last() - 1, "a jump is made or is not");
            if (known || newest != last_) last_ = sequence_->last() - 1;
        }
        if (result.ec == errc::topic_closed && sequence_ && list.size() == 1) {
            last_ = sequence_->last(); // nobody here misses it
        }
        if (result.ec == errc::too_many_topics && sequence_) pass_over_unread(list);
        if (result.ec != errc::ok) {
            const bool many = result.ec == errc::too_many_topics && options_.max_topics == 4;
            check(closed_ || (shut && result.ec == errc::topic_closed) || many ||
                      (struck_ && result.ec == errc::out_of_memory) ||
                      (wrong != errc::ok && (result.ec == wrong || framed)),
                  "an event is refused for a reason");
            return;
        }
        check(!shut && !closed_ && wrong == errc::ok, "what is wrong is refused");
        check(result.offset == (sequence_ ? sequence_->last() : last_ + 1), "offsets count");
        if (has_ids()) view.id = id;
        if (!everywhere && (to & all_topics) != 0) {
            for (std::size_t i = 0; i != feeds.size(); ++i) {
                if (has(to, i)) in |= feeds[i];
            }
        }
        if (by_publisher) given_ids_.emplace_back(id, result.offset);
        if (!everywhere) {
            for (std::size_t i = 0; i != names.size(); ++i) {
                if (has(to, i)) obtain(i).used_at = now_;
            }
        }
        append({.offset = result.offset,
                .in = in,
                .topic = std::string(everywhere ? "" : list[0]),
                .type = type,
                .key = name,
                .wire = encoded(view),
                .removes = removes,
                .frame = numbered},
               in, everywhere || list.size() > 1);
        if (everywhere) to_all_ = last_;
    }

    void publish_transient() {
        const std::size_t how = pick(256), text = pick(64);
        const std::string key = std::array{"", "k", "l", "k"}[how / 64];
        const std::string data = "t" + std::to_string(text) + std::string(text, 'x');
        ssekit::event_view view{.type = (how & 16) == 0 ? "" : "t", .data = data};
        errc wrong = sequence_ ? errc::out_of_sequence : errc::ok;
        if (text == 7) view.id = "7", wrong = sequence_ ? wrong : errc::id_is_assigned;
        const logs to =
            std::array<logs, 10>{1, 2, 4, 8, 16, 3, 12, 31, 0x100, 0x200}[how % 11 % 10];
        const bool everywhere = how % 11 == 10, tagged = !everywhere && (to & all_tags) != 0;
        const name_list list = names_of(to);
        const logs closed = closed_topics();
        const ssekit::publish_result result =
            everywhere ? hub_->publish_transient_to_all(view, key)
            : tagged   ? hub_->publish_transient_to_tag(list[0], view, key)
                       : hub_->publish_transient(list, view, key);
        struck_ = memory_.struck;
        const bool shut = !everywhere && (to & closed) != 0;
        const errc right = closed_             ? errc::closed
                           : wrong != errc::ok ? wrong
                           : shut              ? errc::topic_closed
                                               : errc::ok;
        check(result.ec == right || (struck_ && result.ec == errc::out_of_memory),
              "what is not kept is refused for a reason");
        if (result.ec != errc::ok) return;
        check(result.offset == last_ + 1, "what is not kept has its place among the others");
        logs in = everywhere ? (all_topics & ~closed) | all_patterns : to;
        for (std::size_t i = 0; !everywhere && i != feeds.size(); ++i) {
            if (has(to, i)) in |= feeds[i];
        }
        append_transient({.offset = result.offset,
                          .in = in,
                          .topic = std::string(everywhere ? "" : list[0]),
                          .type = std::string(view.type),
                          .key = key,
                          .wire = encoded(view)},
                         in);
    }

    // There is no room for these topics. If nobody reads them here, by a pattern or otherwise, the
    // event is nobody's, and whoever comes for them later has lost it.
    void pass_over_unread(const name_list& list) {
        for (const std::string_view name : list) {
            for (std::size_t i = 0; i != names.size(); ++i) {
                if (!has(reach_of(bit_of(name)), i) || !logs_[i]) continue;
                // One that is no longer there has made way for another of the list.
                if (logs_[i]->is_tag() || hub_->find_topic(names[i])) return;
            }
        }
        last_ = sequence_->last();
        for (const std::string_view name : list) tombs_.emplace_back(bit_of(name), last_);
    }
    static logs reach_of(std::size_t bit) { return bit < feeds.size() ? feeds[bit] : 1u << bit; }

    // A sequence has numbered events for others. Where the next event was refused for want of memory
    // the hub may not know yet.
    void miss(std::uint64_t through, bool known) {
        sequence_holes_.push_back({through, through - last_, known});
        for_each_link([&](connection& c, person&) {
            const bool open = std::any_of(c.model.readers.begin(), c.model.readers.end(),
                                          [](auto& r) { return !r.log->closed; });
            if (c.seated && c.model.seen < through) {
                c.model.holes.push_back({through, through - last_, open && known});
            }
        });
    }

    void close_topic() {
        const std::size_t which = pick(5), how = pick(8);
        const std::string id = id_text(last_ + 1);
        ssekit::event_view view{.type = "t", .data = "end"};
        const bool by_publisher = options_.ids == ssekit::event_ids::by_publisher;
        if (how == 3 || by_publisher) view.id = id; // refused where the hub gives the ids
        if (how == 0 || how > 4) view = {};
        const bool was_closed = has(closed_topics(), which);
        const auto keep_for = std::array{0ms, 0ms, 1000ms, 1000ms}[how % 4];
        const errc code = hub_->close_topic(names[which], view, keep_for);
        struck_ = memory_.struck;
        check((code == errc::closed) == closed_, "a closed hub closes no topic");
        if (code != errc::ok) {
            check(closed_ || struck_ || code == errc::too_many_topics ||
                      (view.data && (code == errc::id_is_assigned || sequence_)),
                  "a topic is not closed for a reason");
            return;
        }
        if (was_closed) return;
        obtain(which);
        if (view.data) {
            if (has_ids()) view.id = id;
            if (by_publisher) given_ids_.emplace_back(id, last_ + 1);
            append({.offset = last_ + 1,
                    .in = feeds[which],
                    .topic = std::string(names[which]),
                    .type = "t",
                    .wire = encoded(view)},
                   feeds[which], false);
            const naive_log& log = *logs_[which];
            if (log.keep.age < 0ms && log.may_go() &&
                log.values.empty()) { // it has gone with its event, and comes again
                forget(which);
                obtain(which);
            }
        }
        logs_[which]->closed = true;
        logs_[which]->used_at = now_;
        for (person& each : people_) each.faithful = each.faithful && !has(each.reads, which);
        logs_[which]->forget_at = now_ + keep_for;
    }

    void reopen_topic() {
        const std::size_t which = pick(5);
        const log_ptr log = logs_[which];
        const bool there = log && (!log->closed || now_ < log->forget_at);
        const errc right = closed_ ? errc::closed : there ? errc::ok : errc::no_such_topic;
        check(hub_->reopen_topic(names[which]) == right, "a closed topic is opened in its time");
        if (right != errc::ok || !std::exchange(log->closed, false)) return;
        log->forget_at = ssekit::never;
        log->used_at = now_;
    }

    void forget_topic() {
        const std::size_t which = pick(5);
        const log_ptr log = logs_[which];
        check(hub_->forget_topic(names[which]) == (log != nullptr), "what is there is forgotten");
        struck_ = memory_.struck;
        if (!log) return;
        // Their streams read nothing of what is published under the name from now on.
        for_each_link([&](connection& c, person& who) {
            who.faithful = who.faithful && !(c.seated && has(c.model.reads(), which));
        });
        log->closed = true;
        forget(which);
    }

    void keep() {
        const std::size_t which = pick(8), events = pick(8), how = pick(256);
        if (sequence_) return;
        const bool pattern = has(all_patterns, which);
        if ((how & 3) == 3) {
            pattern ? hub_->keep_pattern_no_more(names[which]) : hub_->keep_no_more(names[which]);
            if (!logs_[which]) return;
            if (std::exchange(logs_[which]->kept, false)) logs_[which]->used_at = now_;
            keep_by(*logs_[which], options_.keep);
            return;
        }
        const ssekit::retention bounds{
            .events = events,
            .bytes = (how & 4) == 0 ? 1u << 20 : 80u,
            .age = 1s * static_cast<int>(how & 3),
            .burst = {.within = (how & 8) == 0 ? 0ms : 1000ms, .events = how >> 4, .bytes = 400},
            .values = (how & 16) == 0 ? ssekit::value_bound() : options_.keep.values};
        const errc code =
            pattern ? hub_->keep_pattern(names[which], bounds) : hub_->keep(names[which], bounds);
        struck_ = memory_.struck;
        check(code == errc::ok || code == errc::too_many_topics ||
                  (struck_ && code == errc::out_of_memory),
              "a topic is kept");
        if (code != errc::ok) return;
        naive_log& log = obtain(which);
        log.kept = true;
        keep_by(log, bounds);
        if (log.closed && now_ >= log.forget_at) log.trim(now_);
    }
};

} // namespace fuzz

#endif
