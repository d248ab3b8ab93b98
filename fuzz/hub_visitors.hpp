// SPDX-License-Identifier: MIT
//
// How streams begin, and what a Last-Event-ID is worth to them; how they read more or less, and go.
#ifndef SSEKIT_FUZZ_HUB_VISITORS_HPP
#define SSEKIT_FUZZ_HUB_VISITORS_HPP

#include "hub_publishers.hpp"

#include <ssekit/hub.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>

namespace fuzz {

/// Where a stream asks for the newest of each key.
struct newest_in {
    bool start = false, gap = false, lag = false;
};

class visitors : protected publishers {
  protected:
    using publishers::publishers;

    void connect(person& who, bool comes_back = false, bool must_exist = false,
                 newest_in newest = {}) {
        who.link = std::make_unique<connection>();
        connection& c = *who.link;
        std::size_t what = pick(256), how = pick(256);
        std::size_t from = pick(256), more = pick(256);
        if ((from & 8) != 0) more &= ~std::size_t{7}; // as most streams are
        if (comes_back) from |= 0xf0;
        const bool again = from >> 4 > 8 && who.faithful;
        if (again) what = who.what, how = who.how;
        who.what = what, who.how = how;
        logs reads = static_cast<logs>(what == 0 ? 1 : what);
        c.topics = names_of(reads & all_topics);
        c.patterns = names_of(reads & all_patterns);
        if ((how & 1) != 0) std::reverse(c.topics.begin(), c.topics.end());
        c.with.topics = c.topics;
        c.with.must_exist = must_exist;
        c.with.patterns = c.patterns;
        if (how / 2 % 4 > 1) {
            c.with.tag = names[6 + how / 2 % 4];
            reads |= 1u << (6 + how / 2 % 4);
        }
        c.with.on_lag = c.model.on_lag = static_cast<lag_policy>(how / 8 % 5);
        c.with.framing = static_cast<ssekit::framing>(from & 1);
        c.with.start = static_cast<ssekit::start_point>(from >> 1 & 1);
        c.with.on_gap = static_cast<gap_policy>((from >> 2 & 3) % 3);
        const bool fetches =
            sequence_ && newest.start && (more & 4) == 0 && c.with.on_lag != lag_policy::coalesce;
        if (sequence_) newest = {};
        if (fetches) c.with.on_gap = gap_policy::fetch;
        if (newest.start) c.with.start = ssekit::start_point::newest_of_each_key;
        if (newest.gap) c.with.on_gap = gap_policy::newest_of_each_key;
        if (newest.lag) c.with.on_lag = c.model.on_lag = lag_policy::newest_of_each_key;
        c.wakes = how >= 128;
        if (what != 255) c.with.user = &c;
        std::string id = who.last_id;
        switch (from >> 4) {
        case 0: break;
        case 1: id = "1.01"; break;
        case 2: id = "z.1"; break;
        case 3: id = id_text(last_ + 1 + pick(3)); break;
        case 4: id = id_text(pick(last_ + 1 < 256 ? last_ + 1 : 256)); break;
        case 5: id = "?"; break;
        case 6: id.clear(); break;
        case 7:
            if (ids_ == id_kind::in_order) id = std::to_string(epoch_ * 100'000 + pick(256));
            break;
        default: break; // what it saw
        }
        const bool faithful = again && id == who.last_id && !id.empty();
        who.last_id = id;
        c.with.last_event_id = id;
        c.model.filter = more & 3;
        if (c.model.filter != 0) c.with.filter = {ask[c.model.filter], this};
        if ((more & 4) != 0) c.with.throttle = c.model.throttle = 20ms;
        if ((more & 24) == 8) c.with.max_lag.events = 1 + more / 32;
        if ((more & 24) == 16) c.with.max_lag.bytes = 20 + more;
        if ((more & 24) == 24) c.with.max_lag.age = (more & 224) == 224 ? -1ms : 300ms;
        if (sequence_) c.with.max_lag = {};
        c.model.max_lag = c.with.max_lag;
        const bool ends = c.with.on_lag <= lag_policy::detach;
        c.model.begins_through = ends ? last_ : 0;
        if ((more & 96) == 32) c.with.heartbeat = 500ms;
        if ((more & 192) == 128) c.with.max_age = (more & 7) == 7 ? 0s : 5s;
        if ((more & 192) == 192) c.with.expires_at = now_ + ((more & 7) == 6 ? 0s : 4s);
        c.born = c.progress = c.since = now_;
        connection* const leaving = next_to_give_way(c);
        const auto wake = [](void* self) noexcept { ++static_cast<connection*>(self)->told; };
        auto [stream, code] =
            hub_->subscribe(c.with, c.wakes ? ssekit::waker(wake, &c) : ssekit::waker());
        struck_ = memory_.struck;
        c.with.last_event_id = {};
        joined(who, c, std::move(stream), code, reads, id, faithful, leaving);
    }

    // What follows from the model.
    void joined(person& who, connection& c, ssekit::subscription stream, errc code, logs reads,
                const std::string& id, bool faithful, connection* leaving) {
        std::uint64_t seen = 0;
        const bool past = (options_.max_age && *options_.max_age <= 0ms) ||
                          (c.with.max_age && *c.with.max_age <= 0ms) ||
                          (c.with.expires_at && *c.with.expires_at <= now_);
        check((code == errc::closed) == closed_, "a closed hub takes no subscribers");
        check(!past || code != errc::ok, "a stream whose time is over does not begin");
        const bool unknown = c.with.must_exist &&
                             std::any_of(c.topics.begin(), c.topics.end(),
                                         [&](auto name) { return logs_[bit_of(name)] == nullptr; });
        check(!unknown || code != errc::ok, "a topic that has to be there is there");
        resumption worth = worth_of(id, seen);
        // An id that nobody has been given yet, and that may be given later: nobody has got by it
        // what it stands for then.
        const std::uint64_t known = sequence_ ? sequence_->last() : last_;
        const bool invented = worth == resumption::future || offset_of(id) > known ||
                              (ids_ == id_kind::in_order && given_ids_.empty() && !id.empty());
        if (code != errc::ok && code != errc::replay_refused && code != errc::topic_closed) {
            ++refused_;
            const std::size_t gives_up = leaving != nullptr ? 1 : 0;
            const bool full = std::any_of(logs_.begin(), logs_.end(), [&](const log_ptr& log) {
                return log && has(reads, log->bit) &&
                       log->readers >= most_readers(*log) + (reads_it(leaving, *log) ? 1 : 0);
            });
            check(closed_ || (code == errc::expired && past) ||
                      (code == errc::too_many_subscribers && hub_->subscribers() >= 3 + gives_up) ||
                      ((code == errc::topic_is_full || code == errc::tag_is_full) && full) ||
                      (code == errc::too_many_topics && options_.max_topics == 4) ||
                      (code == errc::out_of_memory && struck_) ||
                      (code == errc::no_such_topic && unknown) ||
                      (code == errc::invalid_topic && (reads & ~all_tags) == 0),
                  "a stream is refused for a reason");
            return gone(who);
        }
        // Those that are refused now have made their topics, and forgotten them again.
        auto logs_before = logs_;
        const auto tombs_before = tombs_;
        stream_model& m = c.model;
        for (std::size_t i = 0; i != names.size(); ++i) {
            if (has(reads, i)) m.readers.push_back({nullptr, 0}), m.readers.back().log = reading(i);
        }
        if (worth == resumption::resumed) {
            bool must = false, may = false;
            lost_after(seen, m, must, may);
            c.fetching = code == errc::ok && stream.needs().has_value();
            check(!c.fetching || (may && c.with.on_gap == gap_policy::fetch),
                  "a stream is fed only where something is lost");
            check(c.with.on_gap != gap_policy::fetch || !must || code != errc::ok || c.fetching,
                  "and then it is");
            if (c.fetching) must = false;
            const resumption how_much = code == errc::ok ? stream.resumption()
                                        : must           ? resumption::expired
                                                         : worth;
            check(how_much == resumption::resumed || how_much == resumption::expired, "as it is");
            check(how_much == resumption::expired || !must, "what is missing is told");
            check(how_much == resumption::resumed || may, "no gap is told without need");
            // What is refused says no more: it was for that, or for what follows from that.
            if (code != errc::ok && may) worth = resumption::expired;
            if (code == errc::ok) worth = how_much;
        }
        const bool fresh = worth == resumption::fresh;
        const bool newest =
            fresh ? c.with.start == ssekit::start_point::newest_of_each_key
                  : worth != resumption::resumed && c.with.on_gap == gap_policy::newest_of_each_key;
        const bool live =
            newest || (fresh ? c.with.start == ssekit::start_point::live
                             : worth != resumption::resumed && c.with.on_gap == gap_policy::live);
        for (auto& r : m.readers) {
            r = stream_model::at_end(r.log);
            while (!live && r.next != r.log->gone && r.log->all[r.next - 1]->offset > seen)
                --r.next;
        }
        if (newest) m.begin_snapshot(last_);
        const bool refuse = worth > resumption::resumed && c.with.on_gap == gap_policy::refuse;
        const bool shut = m.closed_only() && m.has_read_all();
        if (code != errc::ok) {
            ++refused_;
            check(code == errc::replay_refused ? refuse : shut, "a stream is refused for a reason");
            logs_ = logs_before;
            tombs_ = tombs_before;
            return gone(who);
        }
        check(!refuse && !shut, "what was not asked for is refused");
        check(stream.resumption() == worth, "an id is worth what it is worth");
        c.order = ++accepted_;
        for (auto& r : m.readers) ++r.log->readers;
        if (leaving != nullptr) give_way(*leaving);
        for (auto& r : m.readers) {
            check(r.log->readers <= most_readers(*r.log), "no more streams than there may be");
        }
        c.worth = worth;
        c.stream = std::move(stream);
        if (seen > last_) m.seen = seen;
        c.fed = seen;
        c.times_noted = times_noted_;
        for (const auto& hole : sequence_holes_) {
            if (hole.through > seen && !live) m.holes.push_back({hole.through, hole.size, false});
        }
        std::uint64_t before = std::max(last_, m.seen);
        for (const auto& r : m.readers) {
            if (!m.has_read(r)) before = std::min(before, r.log->all[r.next]->offset - 1);
        }
        if (!m.holes.empty() && worth != resumption::expired) {
            before = std::min(before, m.holes.front().through - 1);
        }
        // Where nothing is missing a publisher's id stays the client's, whoever's it is.
        const bool stays =
            worth == resumption::resumed && options_.ids == ssekit::event_ids::by_publisher;
        c.opening_id = m.has_snapshot ? "" : stays ? id : id_for(m, before);
        c.told_offset = m.has_snapshot ? 0 : stays ? seen : own_newest(m, before);
        c.begins_after = before;
        c.opening_due = worth > resumption::resumed || options_.retry || !m.has_snapshot ||
                        options_.opening == ssekit::opening_form::verdict;
        c.opens = c.opening_due;
        if (!options_.caught_up_type.view().empty()) {
            const std::uint64_t all = std::max(last_, m.seen);
            m.sent.push_back({caught_up(id_for(m, all)), all});
        }
        const bool lawful = m.filter == 0 && !m.newest_only() && !newest &&
                            c.with.on_lag != lag_policy::newest_of_each_key;
        const bool follows = faithful && worth <= resumption::expired &&
                             (worth == resumption::resumed || worth == resumption::expired);
        who.begin(follows && lawful, reads, last_);
        who.faithful = lawful && !invented && has_ids() && (closed_topics() & reads) == 0;
    }
    [[nodiscard]] std::size_t most_readers(const naive_log& log) const {
        return log.is_tag() ? options_.max_subscribers_per_tag : options_.max_subscribers_per_topic;
    }
    static bool reads_it(const connection* c, const naive_log& log) {
        return c != nullptr && std::any_of(c->model.readers.begin(), c->model.readers.end(),
                                           [&](const auto& r) { return r.log.get() == &log; });
    }
    log_ptr reading(std::size_t bit) {
        obtain(bit);
        return logs_[bit];
    }
    void connect_for_newest(person& who) {
        const std::size_t how = 1 + pick(7);
        const bool again = pick(2) != 0;
        if (who.link) {
            disconnect(who);
            settle();
        }
        connect(who, again, false, {(how & 1) != 0, (how & 2) != 0, (how & 4) != 0});
    }
    void gone(person& who) {
        who.link.reset();
        who.faithful = false;
    }

    template <std::size_t Filter>
    static bool asked(void* self, const ssekit::event_summary& seen) noexcept {
        auto events = static_cast<visitors*>(self)->events_;
        const auto& others = static_cast<visitors*>(self)->transient_;
        events.insert(events.end(), others.begin(), others.end());
        const auto e = std::find_if(events.begin(), events.end(), [&](const event_ptr& each) {
            return each->offset == seen.offset;
        });
        check(e != events.end() && (*e)->topic == seen.topic && (*e)->key == seen.key &&
                  seen.type == ((*e)->type.empty() ? "message" : (*e)->type),
              "a filter sees the event");
        return wanted(Filter, **e);
    }
    static constexpr std::array<decltype(&asked<1>), 4> ask{nullptr, asked<1>, asked<2>, asked<3>};

    void disconnect(person& who) {
        connection& c = *who.link;
        check_held(c);
        if (!c.orphan) {
            ++ends_[static_cast<std::size_t>(c.stream.end())];
            end(c);
            stand_up(c);
        }
        if (pick(2) == 0) c.stream = ssekit::subscription();
        who.link.reset();
    }

    void change_topics(person& who, connection& c, bool add) {
        const std::size_t which = pick(256);
        if (c.fetching) return; // of what is added it may be fed what came before
        const bool pattern = add && (which & all_topics) == 0;
        const logs set = static_cast<logs>(which) & (!add      ? 0xff
                                                     : pattern ? all_patterns
                                                               : all_topics);
        const name_list list = names_of(set);
        std::array<std::size_t, 8> counts{};
        for (std::size_t i = 0; i != counts.size(); ++i) counts[i] = hub_->subscribers(names[i]);
        const bool ended = closed_ || c.stream.end() != stream_end::open;
        const errc code = add ? pattern ? c.stream.add_patterns(list) : c.stream.add_topics(list)
                              : c.stream.remove_topics(list);
        struck_ = memory_.struck;
        check((code == errc::closed) == ended, "a stream that has ended is not changed");
        if (ended) return;
        who.faithful = false;
        c.changed = true;
        for (auto& hole : c.model.holes) hole.has_to_come = false;
        auto& readers = c.model.readers;
        for (std::size_t i = 0; i != counts.size(); ++i) {
            if (hub_->subscribers(names[i]) == counts[i]) continue;
            check(has(set, i), "what is changed was named");
            const auto there = std::find_if(readers.begin(), readers.end(), [&](const auto& r) {
                return r.log->bit == i && r.log->named;
            });
            check((there == readers.end()) == add, "what is added was not read");
            if (!add) {
                leave(*there);
                readers.erase(there);
                continue;
            }
            readers.push_back(stream_model::at_end(reading(i)));
            c.begins_after = c.model.added_after = last_;
            ++logs_[i]->readers;
        }
        logs now = 0;
        for (const auto& r : readers) now |= r.log->named ? 1u << r.log->bit : 0;
        if (code == errc::ok) check((now & set) == (add ? set : 0), "as it was asked");
        check(std::any_of(readers.begin(), readers.end(), [](auto& r) { return !r.log->is_tag(); }),
              "a stream that reads nothing is none");
    }
};

} // namespace fuzz

#endif
