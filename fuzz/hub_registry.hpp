// SPDX-License-Identifier: MIT
//
// Which topics, patterns and tags there are, what their logs keep, and what is remembered of those
// that have been forgotten; and that the hub shows the same.
#ifndef SSEKIT_FUZZ_HUB_REGISTRY_HPP
#define SSEKIT_FUZZ_HUB_REGISTRY_HPP

#include "hub_connection.hpp"
#include "hub_log.hpp"
#include "hub_setting.hpp"

#include <ssekit/hub.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

namespace fuzz {

class registry : protected setting {
  protected:
    template <class Call>
    void for_each_link(Call&& call) {
        for (person& each : people_) {
            if (each.link && !each.link->orphan) call(*each.link, each);
        }
    }

    naive_log& obtain(std::size_t bit) {
        if (logs_[bit]) return *logs_[bit];
        auto made = std::make_shared<naive_log>();
        made->bit = bit;
        made->used_at = now_;
        made->keep = made->is_tag() ? options_.keep_tagged : options_.keep;
        made->beside = std::make_shared<naive_log>();
        made->beside->bit = bit;
        made->beside->keep = options_.keep_transient;
        made->beside->readers = 1;
        made->maybe_lost = made->is_tag() ? evicted_tags_ : std::max(to_all_, evicted_names_);
        if (made->is_pattern()) {
            for (const auto& [name, newest] : tombs_) { // and perhaps what was before that
                if (name < feeds.size() && has(feeds[name], bit)) {
                    made->maybe_lost = std::max(made->maybe_lost, newest);
                }
            }
            for (std::size_t i = 0; i != feeds.size(); ++i) {
                if (!has(feeds[i], bit) || !logs_[i]) continue;
                made->maybe_lost = std::max(made->maybe_lost, logs_[i]->maybe_lost);
                if (const std::size_t gone = logs_[i]->gone; gone != 0) { // perhaps from it alone
                    made->maybe_lost = std::max(made->maybe_lost, logs_[i]->all[gone - 1]->offset);
                }
                for (std::size_t p = logs_[i]->gone; p != logs_[i]->all.size(); ++p) {
                    logs_[i]->all[p]->several = true;
                    made->all.push_back(logs_[i]->all[p]);
                }
            }
            std::sort(made->all.begin(), made->all.end(),
                      [](const auto& a, const auto& b) { return a->offset < b->offset; });
            made->all.erase(std::unique(made->all.begin(), made->all.end()), made->all.end());
            const auto kept = made->all;
            for (const event_ptr& e : kept) made->set_value(e);
            fill_values(*made, [] {});
            made->trim(now_);
        }
        for (const event_ptr& e : events_) {
            const bool here = std::find(made->all.begin(), made->all.end(), e) != made->all.end();
            if (has(e->in, bit) && !here) made->maybe_lost = std::max(made->maybe_lost, e->offset);
        }
        for (const auto& [name, newest] : tombs_) {
            if (sequence_ && name == bit) made->maybe_lost = std::max(made->maybe_lost, newest);
        }
        tombs_.erase(std::remove_if(tombs_.begin(), tombs_.end(),
                                    [&](const auto& tomb) { return tomb.first == bit; }),
                     tombs_.end());
        logs_[bit] = made;
        return *made;
    }

    // A pattern keeps those that it had, and those of its names, as far as its bounds allow then.
    template <class SetBounds>
    void fill_values(naive_log& pattern, SetBounds&& set_bounds) {
        std::vector<event_ptr> all = pattern.newest_of_each_key();
        for (std::size_t i = 0; i != feeds.size(); ++i) {
            if (!has(feeds[i], pattern.bit) || !logs_[i]) continue;
            const std::vector<event_ptr> own = logs_[i]->newest_of_each_key();
            all.insert(all.end(), own.begin(), own.end());
        }
        std::sort(all.begin(), all.end(),
                  [](const auto& a, const auto& b) { return a->offset < b->offset; });
        set_bounds();
        pattern.values.clear();
        for (const event_ptr& e : all) pattern.set_value(e);
    }
    void keep_by(naive_log& log, const ssekit::retention& bounds) {
        const auto set_bounds = [&] { log.keep_by(bounds); };
        if (!log.is_pattern() || bounds.values.keys == 0) return set_bounds();
        fill_values(log, set_bounds);
    }

    void forget(std::size_t bit) {
        const log_ptr log = std::exchange(logs_[bit], nullptr);
        log->named = false;
        if (log->readers != 0) nameless_.push_back(log);
        if (log->is_pattern()) return;
        std::uint64_t newest = 0;
        for (const event_ptr& e : events_) {
            if (has(e->in, bit)) newest = e->offset;
        }
        newest = std::max(newest, log->maybe_lost);
        for (const auto& hole : sequence_holes_) newest = std::max(newest, hole.through);
        std::uint64_t& evicted = log->is_tag() ? evicted_tags_ : evicted_names_;
        if (newest == 0) return;
        tombs_.emplace_back(bit, newest);
        std::size_t count = 0;
        std::uint64_t all = 0;
        for (const auto& [each, offset] : tombs_) {
            if (has(all_tags, each) != log->is_tag()) continue;
            ++count;
            all = std::max(all, offset);
        }
        if (count > options_.max_forgotten) evicted = std::max(evicted, all);
    }

    void append(event made, logs to, bool several) {
        std::size_t count = several ? 2 : 0;
        for (std::size_t i = 0; i != names.size(); ++i) count += has(to, i) && logs_[i] ? 1u : 0u;
        made.several = count > 1;
        made.at = now_;
        const auto e = std::make_shared<const event>(std::move(made));
        for (std::size_t i = 0; i != names.size(); ++i) {
            if (!has(to, i) || !logs_[i]) continue;
            logs_[i]->all.push_back(e);
            logs_[i]->set_value(e);
            if (logs_[i]->is_tag()) logs_[i]->trim(now_);
        }
        events_.push_back(e);
        ++published_;
        last_ = e->offset;
        for_each_link([&](connection& c, person& who) {
            stream_model& m = c.model;
            const bool gets = std::any_of(m.readers.begin(), m.readers.end(), [&](const auto& r) {
                return has(e->in, r.log->bit) && r.log == logs_[r.log->bit];
            });
            if (c.seated && gets && e->offset > m.seen) who.due.push_back(e->offset);
        });
        for (person& each : people_) {
            const bool away = !each.link || !each.link->seated;
            if (away && (each.reads & e->in) != 0) each.due.push_back(e->offset);
        }
    }

    // For those who read it now, and for nobody else.
    void append_transient(event made, logs to) {
        made.at = now_;
        made.is_kept = false;
        const auto e = std::make_shared<const event>(std::move(made));
        for (std::size_t i = 0; i != names.size(); ++i) {
            if (!has(to, i) || !logs_[i] || logs_[i]->readers == 0) continue;
            logs_[i]->beside->all.push_back(e);
            logs_[i]->beside->trim(now_);
        }
        transient_.push_back(e);
        ++published_;
        last_ = e->offset;
    }

    [[nodiscard]] logs closed_topics() const {
        logs out = 0;
        for (std::size_t i = 0; i != names.size(); ++i) {
            if (logs_[i] && logs_[i]->closed) out |= 1u << i;
        }
        return out;
    }

    // Whether it has a stream, or may come back unnoticed.
    [[nodiscard]] bool is_there(std::size_t tag) const {
        if (logs_[tag] && logs_[tag]->readers != 0) return true;
        return !closed_ && now_ < left_at_[tag] + options_.presence->grace;
    }

    // The hub has forgotten it, for a reason. \returns whether it has made way.
    bool has_gone(std::size_t bit) {
        naive_log& log = *logs_[bit];
        const bool over = log.closed && now_ >= log.forget_at;
        while (log.must_go(now_, log.readers != 0, over ? 250ms : 0ms)) log.drop();
        const bool unused =
            log.readers == 0 && !log.closed && !log.kept &&
            (log.is_pattern() || sequence_ || (log.size() == 0 && log.values.empty()));
        const bool was_idle = now_ >= log.idle_until(options_.keep_idle);
        check(over || unused || was_idle || makes_way(log), "what is needed is not forgotten");
        timed_out_ += !over && !unused && was_idle ? 1 : 0;
        forget(bit);
        return !over && !unused && !was_idle;
    }
    void see_what_is_over() {
        for (std::size_t i = 0; i != feeds.size(); ++i) {
            const bool over = logs_[i] && logs_[i]->closed && now_ >= logs_[i]->forget_at;
            if (over && !hub_->find_topic(names[i])) has_gone(i);
        }
    }

    // Compares the logs with what the hub shows of them.
    void observe() {
        logs shown = 0;
        std::size_t bytes = 0, tags = 0, values = 0;
        time_point first_idle = ssekit::never, last_gone{}; // by their last use
        hub_->for_each_topic([&](const ssekit::topic_info& topic) {
            const std::size_t bit = bit_of(topic.name);
            check(bit != names.size() && !has(shown, bit) && logs_[bit],
                  "there are no other topics");
            shown |= 1u << bit;
            naive_log& log = *logs_[bit];
            check(topic.pattern == log.is_pattern() && topic.closed == log.closed, "as it is");
            check(is_opening() || topic.subscribers == log.readers, "readers are counted");
            if (!sequence_) {
                log.shown(topic.events, now_, log.readers != 0 && has(were_read_, bit));
                check(topic.bytes == log.bytes() + log.bytes_of_values(), "bytes are counted");
                check(topic.values == log.values.size(), "values are counted");
                const ssekit::topic_room room = hub_->room(topic.name);
                const ssekit::retention hard = log.hard();
                check(room.events == hard.events - std::min(hard.events, log.size()) &&
                          room.bytes == hard.bytes - std::min(hard.bytes, log.bytes()),
                      "the room that is left is seen");
            }
            bytes += topic.bytes + log.beside->bytes();
            values += topic.values;
            check(log.readers != 0 || log.closed || log.kept ||
                      (!log.is_pattern() && (topic.events != 0 || topic.values != 0)),
                  "a topic is there only for a reason");
            check(!log.closed || now_ < log.forget_at + 250ms, "a closed topic is forgotten");
            const time_point idle_until = log.idle_until(options_.keep_idle);
            check(now_ < idle_until, "a topic that is idle for too long is forgotten");
            check(hub_->next_deadline() <= idle_until, "and the owner knows when");
            if (log.may_go()) first_idle = std::min(first_idle, log.used_at);
            check_found(topic);
        });
        were_read_ = 0;
        for (std::size_t i = 0; i != names.size(); ++i) {
            if (!logs_[i]) continue;
            naive_log& log = *logs_[i];
            if (log.is_tag()) {
                const bool was_idle = now_ >= log.idle_until(options_.keep_idle);
                check(!hub_->find_topic(names[i]), "a tag is no topic");
                const bool empty = log.readers == 0 && log.size() == 0 && !is_unclear();
                if (was_idle || empty) forget(i);
                if (!logs_[i]) continue;
                ++tags;
                bytes += log.bytes() + log.beside->bytes();
            } else if (!has(shown, i)) {
                check(!hub_->find_topic(names[i]), "what is forgotten is not found");
                const time_point used_at = log.used_at;
                if (has_gone(i)) last_gone = std::max(last_gone, used_at);
                continue;
            }
            if (log.readers != 0) were_read_ |= 1u << i;
        }
        std::erase_if(nameless_, [](const log_ptr& log) { return log->readers == 0; });
        for (const log_ptr& log : nameless_) {
            bytes += log->bytes() + log->bytes_of_values() + log->beside->bytes();
            values += log->values.size();
        }
        check(last_gone <= first_idle, "what was used longest ago goes first");
        const ssekit::hub_metrics counts = hub_->metrics();
        check(counts.topics_timed_out >= timed_out_, "topics that were idle are counted");
        if (is_unclear() || is_opening() || sequence_) return;
        check(counts.tags == tags, "tags are counted");
        check(counts.values == values, "values are counted in all logs");
        if (options_.keep_transient.age != 0ms) return; // what is too old may be there still
        check(counts.log_bytes == bytes, "bytes of logs are counted");
    }

    void check_found(const ssekit::topic_info& topic) const {
        const std::string_view name = names[bit_of(topic.name)];
        const auto found = hub_->find_topic(name);
        check(found && found->name.data() == name.data() && found->name == name &&
                  found->subscribers == topic.subscribers && found->events == topic.events &&
                  found->bytes == topic.bytes && found->pattern == topic.pattern &&
                  found->closed == topic.closed,
              "a topic is found as it is shown");
    }

    // Whether a new topic may have taken its place.
    [[nodiscard]] bool makes_way(const naive_log& log) const {
        const bool full = hub_->metrics().topics == options_.max_topics;
        return log.may_go() && full;
    }

    // Whether tags and logs without names, which nobody shows, may be trimmed and need not be.
    [[nodiscard]] bool is_unclear() const {
        const auto unclear = [&](const log_ptr& log) {
            return log && (log->is_tag() || !log->named) &&
                   log->must_go(now_, log->readers != 0, 0ms) &&
                   !log->must_go(now_, log->readers != 0, 250ms);
        };
        return std::any_of(logs_.begin(), logs_.end(), unclear) ||
               std::any_of(nameless_.begin(), nameless_.end(), unclear);
    }
    // Whether somebody's throttle opens at about this time.
    [[nodiscard]] bool is_opening() const {
        return std::any_of(people_.begin(), people_.end(), [&](const person& each) {
            if (!each.link || each.link->orphan) return false;
            const stream_model& m = each.link->model;
            return m.holding && m.opens <= now_ && now_ < m.opens + 8ms;
        });
    }
    void trim_unseen() {
        for (const log_ptr& log : nameless_) log->trim(now_);
        for (std::size_t i = 8; i != names.size(); ++i) {
            if (logs_[i]) logs_[i]->trim(now_);
        }
    }

    std::vector<event_ptr> events_;    // of this hub, for ever
    std::vector<event_ptr> transient_; // those that were not kept
    std::array<log_ptr, names.size()> logs_;
    std::vector<log_ptr> nameless_;                  // forgotten, and still read
    std::array<time_point, names.size()> left_at_{}; // by the last reader
    std::vector<std::pair<std::size_t, std::uint64_t>> tombs_;
    std::vector<stream_model::sequence_hole> sequence_holes_;
    std::uint64_t evicted_names_ = 0, evicted_tags_ = 0, to_all_ = 0;
    logs were_read_ = 0;
    std::uint64_t published_ = 0, accepted_ = 0, refused_ = 0, bytes_ = 0, sent_ = 0;
    std::uint64_t replaced_ = 0;  // streams that have given way
    std::uint64_t timed_out_ = 0; // topics that have gone because they were idle for too long
    bool closed_ = false, farewell_ = false, close_retry_ = false;
    time_point cut_at_ = ssekit::never;
    bool struck_ = false, struck_ever_ = false; // memory was missing: in this step, ever
    std::array<person, 5> people_;
    std::unique_ptr<ssekit::hub> hub_; // goes first
};

} // namespace fuzz

#endif
