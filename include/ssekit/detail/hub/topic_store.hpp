// SPDX-License-Identifier: MIT
//
// Whatever has a log is a topic: a name that events are published to; a pattern, which the names
// that match it feed; a tag, which the streams of one user read besides their topics. So replay,
// merging, limits and retention are one mechanism for all three.
//
// A topic is made when it is first named, and forgotten when nobody reads it and nothing is kept.
// Once closed, it is forgotten when its time is over, even if it is still read: its name is then
// free again, and its log lives on without a name until the last of its readers has gone.
//
// One that is neither read nor kept may go before: for a new one, when there are as many as there
// may be, or after a time. The one that was used longest ago goes first; see topic_places.
//
// Events that are not kept are in a log beside the topic's, that of its companion, so that nothing
// that is asked of the topic sees them.
//
// A store knows no streams. It calls `told(number)` for each log that has got an event.
#ifndef SSEKIT_DETAIL_HUB_TOPIC_STORE_HPP
#define SSEKIT_DETAIL_HUB_TOPIC_STORE_HPP

#include <ssekit/detail/base/tuning.hpp>
#include <ssekit/detail/hub/feeds.hpp>
#include <ssekit/detail/hub/forgotten.hpp>
#include <ssekit/detail/hub/missed_events.hpp>
#include <ssekit/detail/hub/patterns.hpp>
#include <ssekit/detail/hub/topic.hpp>
#include <ssekit/detail/hub/topic_expiry.hpp>
#include <ssekit/detail/hub/topic_names.hpp>
#include <ssekit/detail/hub/topic_places.hpp>
#include <ssekit/detail/log/newest_values.hpp>
#include <ssekit/errc.hpp>
#include <ssekit/event_log.hpp>
#include <ssekit/frame.hpp>
#include <ssekit/memory.hpp>
#include <ssekit/time.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <utility>

namespace ssekit::inline SSEKIT_ABI::detail {

class topic_store {
  public:
    using number = std::uint32_t;

    topic_store(const topic_limits& limits, memory_resource* memory) noexcept
        : limits_(limits), memory_(memory), topics_(memory), names_(topics_, memory),
          places_(topics_, names_, limits), feeds_(memory), forgotten_(limits.forgotten, memory),
          expiry_(topics_) {}

    [[nodiscard]] topic& operator[](number item) const noexcept { return topics_[item]; }
    [[nodiscard]] std::size_t size(topic_kind kind) const noexcept { return names_.size(kind); }
    [[nodiscard]] std::uint64_t log_bytes() const noexcept { return log_bytes_; }
    [[nodiscard]] const value_totals& values() const noexcept { return values_; }
    [[nodiscard]] const topic_places& places() const noexcept { return places_; }

    /// \returns the number, 0 when there is none.
    SSEKIT_INLINED [[nodiscard]] number find(topic_kind kind,
                                             std::string_view name) const noexcept {
        return names_.find(kind, name);
    }

    /// Effects: finds the topic or makes it.
    /// \returns errc::ok, invalid_topic, too_many_topics, out_of_memory.
    errc obtain(topic_kind kind, std::string_view name, number& found, time_point now) noexcept {
        found = find(kind, name);
        return found != 0 ? errc::ok : make(kind, name, found, now);
    }
    /// Effects: the same for a call that names several, which all stay until it has come to its
    /// end: `add_reader`, `rest` and `forget_if_unused` give up the claim.
    errc claim(topic_kind kind, std::string_view name, number& found, time_point now) noexcept {
        if (const errc code = obtain(kind, name, found, now); code != errc::ok) return code;
        return places_.claim(kind, found) ? errc::ok : errc::too_many_topics;
    }
    /// Effects: as many go as there are too many.
    void make_way(topic_kind kind) noexcept {
        while (const number where = places_.too_many(kind)) forget(where);
    }

    /// \returns whether the next event finds memory in the log and in those that it feeds.
    SSEKIT_INLINED [[nodiscard]] bool reserve(number where, bool key, time_point now) noexcept {
        topic& self = topics_[where];
        bool room = reserve_in(self, key, now);
        feeds_.for_each(
            self, [&](number pattern) { room = room && reserve_in(topics_[pattern], key, now); });
        return room;
    }

    /// Effects: appends the event to the topic, and to the patterns that it feeds, once.
    /// Preconditions: reserve().
    template <class Told>
    SSEKIT_INLINED void append(number where, const frame& event, std::uint64_t offset,
                               time_point now, bool in_several, Told&& told) noexcept {
        append_and_feed(where, event, offset, now, in_several, told);
        if (topics_[where].readers != 0) return;
        const topic_kind kind = topics_[where].kind;
        rest(where, now);
        make_way(kind);
    }
    /// Effects: the same for an event that goes to all: it is no use of a topic.
    template <class Told>
    void append_one_of_all(number where, const frame& event, std::uint64_t offset, time_point now,
                           Told&& told) noexcept {
        append_and_feed(where, event, offset, now, true, told);
        if (!topics_[where].log.has_events()) forget_if_unused(where, now); // it keeps nothing
    }

    /// Effects: `call(number)` for each topic and pattern that an event for the name goes to. The
    /// topic need not be there.
    template <class Call>
    void for_each_fed(topic_kind kind, std::string_view name, Call&& call) const noexcept {
        ssekit::detail::for_each_fed(feeds_, names_, topics_, kind, name, call);
    }
    [[nodiscard]] bool may_be_named(std::string_view name) const noexcept {
        return !name.empty() && name.size() <= limits_.name_length;
    }

    /// Effects: makes the topic's companion, if it has none.
    /// \returns whether there is one, and its next event finds memory.
    /// Preconditions: somebody reads the topic.
    [[nodiscard]] bool reserve_transient(number where, bool key, time_point now) noexcept {
        topic& self = topics_[where];
        if (self.companion == 0) self.companion = make_companion(self);
        return self.companion != 0 && reserve_in(topics_[self.companion], key, now);
    }
    /// Effects: undoes that where it was for nothing.
    void forget_unused_companion(number where, time_point now) noexcept {
        number& beside = topics_[where].companion;
        if (beside == 0 || topics_[beside].log.newest_offset() != 0) return;
        remove_reader(std::exchange(beside, 0), now);
    }
    /// Effects: appends the event to the topic's companion, and to no other.
    /// Preconditions: reserve_transient().
    template <class Told>
    void append_transient(number where, const frame& event, std::uint64_t offset, time_point now,
                          Told&& told) noexcept {
        append_to(topics_[where].companion, event, offset, now, false,
                  [&](number) { told(where); });
    }
    /// How many companions there have ever been.
    [[nodiscard]] std::uint64_t companions_made() const noexcept { return companions_made_; }

    [[nodiscard]] missed_events& missed() noexcept { return missed_; }
    [[nodiscard]] bool has_untold_gap(number where) const noexcept {
        return missed_.are_untold(topics_[where]);
    }
    /// \returns false without memory.
    template <class Told>
    bool note_gap(number where, time_point now, Told&& told) noexcept {
        if (!has_untold_gap(where)) return true;
        topic& self = topics_[where];
        const frame& telling = missed_.telling(self);
        if (self.log.append_gap(telling, missed_.through(), now) != errc::ok) return false;
        log_bytes_ += telling.wire().size();
        expiry_.schedule(where, now);
        told(where);
        return true;
    }

    /// Effects: no log has an event any more, and offsets begin anew after this one. Each that is
    /// read has the frame that says so; it has nothing where there is no memory.
    void begin_anew(const frame& telling, std::uint64_t offset, time_point now) noexcept {
        forgotten_.clear();
        missed_.begin_anew(offset);
        topics_.for_each([&](number where) {
            topic& self = topics_[where];
            log_bytes_ -= self.log.bytes();
            self.log.begin_anew(offset);
            if (self.readers == 0) return forget_if_unused(where, now);
            static_cast<void>(self.log.append_gap(telling, offset, now));
            log_bytes_ += self.log.bytes();
            expiry_.schedule(where, now);
        });
        forgotten_.clear(); // of those that have just gone as well
    }

    [[nodiscard]] forgotten_topics& forgotten() noexcept { return forgotten_; }

    void add_reader(number where) noexcept {
        if (++topics_[where].readers != 1) return;
        places_.idle(topics_[where].kind).leave(where);
        tell(where, true);
    }
    void remove_reader(number where, time_point now) noexcept {
        if (--topics_[where].readers == 0) {
            tell(where, false);
            if (const number beside = std::exchange(topics_[where].companion, 0)) {
                remove_reader(beside, now);
            }
        }
        trim(where, now);
        forget_if_unused(where, now);
    }

    /// Effects: the topic or pattern has bounds of its own; null: the usual ones again.
    /// \returns errc::ok; errc::out_of_memory and nothing changed.
    errc keep(number where, const retention* own, time_point now) noexcept {
        topic& self = topics_[where];
        const retention& bounds = own != nullptr ? *own : usual(self.kind);
        const std::size_t before = self.log.bytes();
        const bool fills = self.kind == topic_kind::pattern && bounds.values.keys != 0;
        if (fills && !keep_values(names_, topics_, where, bounds.values, now, *memory_)) {
            return errc::out_of_memory;
        }
        self.kept = own != nullptr;
        if (self.kept) places_.idle(self.kind).leave(where);
        self.log.set_retention(bounds, now, self.use());
        log_bytes_ += self.log.bytes();
        log_bytes_ -= before;
        expiry_.schedule(where, now);
        const topic_kind kind = self.kind;
        forget_if_unused(where, now);
        make_way(kind);
        return errc::ok;
    }

    void close(number where, time_point forget_at, time_point now) noexcept {
        topic& self = topics_[where];
        self.closed = true;
        self.forget_at = forget_at;
        expiry_.schedule(where, now);
        if (self.may_go()) places_.idle(self.kind).use(where, now);
        make_way(self.kind);
    }
    /// Effects: it takes events again.
    void reopen(number where, time_point now) noexcept {
        topics_[where].closed = false;
        topics_[where].forget_at = never;
        expiry_.schedule(where, now);
        rest(where, now);
    }

    /// Effects: the topic has been used; if nobody reads it, it is the last to go now, or goes at
    /// once if it keeps nothing.
    void rest(number where, time_point now) noexcept {
        places_.idle(topics_[where].kind).leave(where);
        forget_if_unused(where, now);
    }

    /// Effects: if nobody reads the topic, it is the last to go now.
    void use(number where, time_point now) noexcept {
        if (places_.idle(topics_[where].kind).contains(where))
            places_.idle(topics_[where].kind).use(where, now);
    }

    /// Effects: the name is free. Its readers, if it has any, get what they have not read, as of a
    /// topic that is closed.
    void forget(number where) noexcept {
        topics_[where].closed = true;
        take_name(where);
        if (topics_[where].readers == 0) destroy(where);
    }

    /// Effects: lets the topic go if nothing holds it. To be called for one that was obtained and
    /// then not used.
    void forget_if_unused(number where, time_point now) noexcept {
        topic& self = topics_[where];
        if (self.readers != 0) return; // `expire` takes its name, when the time has come
        if (self.has_name && self.is_over(now)) take_name(where);
        idle_topics& others = places_.idle(self.kind);
        others.release(where);
        const bool in_use = self.kind != topic_kind::pattern && self.log.has_events();
        if (self.has_name && (self.kept || in_use || self.closed)) {
            if (self.may_go() && !others.contains(where)) others.use(where, now);
            return;
        }
        if (self.has_name) take_name(where);
        destroy(where);
    }

    /// Effects: lets go what is too old, and topics of which nothing is left.
    /// \param nameless called with each that is still read and has no name any more
    template <class Nameless>
    void expire(time_point now, Nameless&& nameless) noexcept {
        expiry_.expire(now, [&](number where) {
            trim(where, now);
            topics_[where].log.shrink();
            topic& self = topics_[where];
            if (self.readers == 0) return forget_if_unused(where, now);
            if (!self.has_name || !self.is_over(now)) return;
            take_name(where);
            nameless(where);
        });
        while (const number where = places_.too_old(now)) forget(where);
    }
    [[nodiscard]] time_point next_deadline() const noexcept {
        return (std::min)(expiry_.next_deadline(), places_.next_deadline());
    }

    /// Effects: `call(number)` for each of the kind; it may forget the topic that it is given.
    template <class Call>
    void for_each(topic_kind kind, Call&& call) const noexcept {
        names_.for_each(kind, call);
    }

  private:
    [[nodiscard]] const retention& usual(topic_kind kind) const noexcept {
        if (kind == topic_kind::companion) return limits_.keep_transient;
        return kind == topic_kind::tag ? limits_.keep_tagged : limits_.keep;
    }
    bool reserve_in(topic& self, bool key, time_point now) noexcept {
        return self.log.reserve(key, now, self.use(), missed_.are_untold(self));
    }

    errc make(topic_kind kind, std::string_view name, number& made, time_point now) noexcept {
        if (!may_be_named(name)) return errc::invalid_topic;
        if (kind == topic_kind::pattern && !is_pattern(name)) return errc::invalid_topic;
        if (!places_.has_room(kind)) return errc::too_many_topics;
        if (!names_.reserve(kind)) return errc::out_of_memory;
        made = topics_.make(kind, usual(kind), std::uint64_t{0}, memory_);
        if (made == 0) return errc::out_of_memory;
        topic& item = topics_[made];
        item.log.count_values_in(values_);
        item.kin = item.timer = item.unused = {made, made};
        if (!item.text.assign(name, *memory_) ||
            !join_feeds(feeds_, names_, topics_, made, *memory_)) {
            leave_feeds(feeds_, names_, topics_, made);
            topics_.destroy(std::exchange(made, 0));
            return errc::out_of_memory;
        }
        // Nobody reads it yet: what is missed already no gap in its log has to tell.
        item.log.set_lost_through((std::max)(forgotten_.recall(item), missed_.through()));
        names_.insert(made);
        log_bytes_ += item.log.bytes();
        trim(made, now);
        return errc::ok;
    }
    number make_companion(const topic& self) noexcept {
        constexpr topic_kind kind = topic_kind::companion;
        const number made = topics_.make(kind, usual(kind), std::uint64_t{0}, memory_);
        if (made == 0) return 0;
        topic& item = topics_[made];
        item.kin = item.timer = item.unused = {made, made};
        item.has_name = false;
        item.readers = 1;
        item.made_as = ++companions_made_;
        if (self.kind == topic_kind::pattern) item.log.tell_topics_apart();
        return made;
    }
    void tell(number where, bool listened_to) const noexcept {
        const topic& self = topics_[where];
        if (!limits_.on_topic || !self.has_name || self.kind == topic_kind::tag) return;
        limits_.on_topic(self.name(), listened_to);
    }

    // The name is free, and what is lost is remembered by it.
    void take_name(number where) noexcept {
        topic& self = topics_[where];
        if (self.readers != 0) tell(where, false); // they read what has no name any more
        self.has_name = false;
        names_.erase(where);
        places_.idle(self.kind).leave(where);
        leave_feeds(feeds_, names_, topics_, where);
        forgotten_.remember(self);
    }

    void destroy(number where) noexcept {
        expiry_.forget(where);
        log_bytes_ -= topics_[where].log.bytes();
        topics_.destroy(where);
    }

    template <class Told>
    void append_and_feed(number where, const frame& event, std::uint64_t offset, time_point now,
                         bool in_several, Told&& told) noexcept {
        const topic& self = topics_[where];
        in_several = in_several || self.feeds != 0;
        append_to(where, event, offset, now, in_several, told);
        feeds_.for_each(
            self, [&](number pattern) { append_to(pattern, event, offset, now, true, told); });
    }
    template <class Told>
    void append_to(number where, const frame& event, std::uint64_t offset, time_point now,
                   bool in_several, Told&& told) noexcept {
        topic& self = topics_[where];
        if (self.log.newest_offset() == offset) return; // named twice, or by two names
        if (missed_.are_untold(self))
            static_cast<void>(note_gap(where, now, [](number) {})); // reserved
        const log_use use = self.use();
        const std::size_t before = self.log.bytes();
        self.log.append_reserved(event, offset, now, use, in_several);
        log_bytes_ += self.log.bytes();
        log_bytes_ -= before; // the difference alone may be negative, and a size is not
        if (self.log.next_expiry(use) < self.looked_at) expiry_.schedule(where, now);
        told(where);
    }

    void trim(number where, time_point now) noexcept {
        topic& self = topics_[where];
        const std::size_t before = self.log.bytes();
        self.log.trim(now, self.use());
        log_bytes_ -= before - self.log.bytes();
        expiry_.schedule(where, now);
    }

    topic_limits limits_;
    memory_resource* memory_;
    std::uint64_t log_bytes_ = 0;
    missed_events missed_;
    value_totals values_;
    std::uint64_t companions_made_ = 0;
    topic_slab topics_;
    topic_names names_;
    topic_places places_;
    topic_feeds feeds_;
    forgotten_topics forgotten_;
    topic_expiry expiry_;
};

} // namespace ssekit::inline SSEKIT_ABI::detail

#endif
