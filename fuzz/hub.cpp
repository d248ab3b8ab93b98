// SPDX-License-Identifier: MIT
//
// The input is a list of operations on a hub and on clients that come, read, stall, go and come
// back; a model keeps every event for ever (hub_log.hpp, hub_stream.hpp, hub_client.hpp, where the
// laws stand). For any such list:
// - each frame that a stream gives out is the one that the laws ask for: its opening, the next event
//   of what it reads, or a gap where events are missing and nowhere else, with their exact number or
//   without one; what was sent to it alone, in its place; heartbeats in silence, with an id that
//   passes nothing that is due; the last words, which nothing follows;
// - whoever comes back with the id that the wire brought, wherever he was cut off, gets each event of
//   his topics once and in order, or is told;
// - a stream cut anywhere is a beginning of whole blocks; bytes that were prepared stay where they
//   are and leave next; what is not whole never looks whole;
// - an idle subscriber is reported once when it has something to send, and not before; one that is
//   rescheduled in the next turn; one that is cut once more;
// - logs keep what they have to and let go what they may; a topic is there only for a reason; places
//   are free when a stream ends; what the hub counts is what the model counts;
// - of a sequence each offset is had, lost and told, or nobody's; a client that waits for what is not
//   there is told; a new epoch is told to all;
// - a Last-Event-ID is worth what it is worth, and a stream ends for no other reason than it says;
// - where there is no memory, one call is refused or one stream ends, and nothing else happens;
// - when hub and subscriptions are gone, in any order, nothing is left.
#include "hub_sequence.hpp"

#include <ssekit/hub.hpp>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

namespace {

using namespace fuzz;

class session : sequence {
  public:
    explicit session(fuzz::choices& choose) : sequence(choose) { make_hub(); }

    void run() {
        std::size_t steps = 0;
        for (std::string_view op; steps < 400 && !(op = choose_.take(1)).empty(); ++steps) {
            step(kind_of(static_cast<unsigned char>(op[0])));
            settle();
            struck_ = memory_.struck = false;
            memory_.fails = memory_.grace = 0;
            if (options_.keep.values.keys != 0) starve_ = 0; // who knows what values are lost then
            if (starve_ != 0) memory_.grace = starve_ % 32 / 2, memory_.fails = 1 + starve_ / 128;
            starve_ = 0;
        }
        finish();
        check(memory_.live == 0, "all memory has come back");
    }

  private:
    // The kinds that have come later have the last bytes, so that inputs keep their meaning.
    static std::size_t kind_of(unsigned char op) {
        if (op > 253) return 30;
        return op < 234 ? op % 26u : 26u + op % 4u;
    }

    void send(connection& c) {
        const std::string data = std::to_string(++sent_);
        const bool open = !closed_ && c.stream.end() == stream_end::open;
        const errc code = c.stream.send({.type = "s", .data = data});
        struck_ = memory_.struck;
        if (code == errc::ok) {
            c.sent_to = true;
            c.model.sent.push_back(
                {encoded({.type = "s", .data = data}), std::max(last_, c.model.seen)});
        }
        check((code == errc::closed) == !open, "a stream that has ended is sent nothing");
        check(code != errc::queue_is_full || c.model.sent.size() >= options_.max_sent,
              "the queue is full");
        check(code == errc::ok || !open || code == errc::queue_is_full || struck_, "sent");
    }

    void reschedule(connection& c) {
        const unsigned told = c.told;
        c.stream.reschedule();
        if (c.stream.is_done()) return;
        check(c.told == told, "no owner is told before the next turn");
        c.may_be_told = c.told + 1;
        c.rescheduled = true;
        c.asleep = c.must_be_told = false;
        check((!c.wakes && c.with.user == nullptr) || hub_->next_deadline() <= now_,
              "a stream that is rescheduled is due");
    }

    void expire_at(connection& c) {
        constexpr std::array<std::chrono::milliseconds, 7> ahead{-1s, 0s, 1ms, 1s, 3s, 6s, 1min};
        const std::size_t how = pick(8);
        const time_point when = how == ahead.size() ? ssekit::never : now_ + ahead[how];
        const stream_end before = c.stream.end();
        c.told_before = c.told;
        const errc code = c.stream.expire_at(when);
        struck_ = memory_.struck;
        const stream_end after = c.stream.end();
        if (before != stream_end::open) {
            check(code == errc::closed && after == before, "a stream that has ended stays so");
            return;
        }
        c.with.max_age.reset();
        c.with.expires_at = when;
        check(when > now_ || after != stream_end::open, "a time that has passed ends the stream");
        const errc right = after == stream_end::open            ? errc::ok
                           : after == stream_end::expired       ? errc::expired
                           : after == stream_end::out_of_memory ? errc::out_of_memory
                                                                : errc::closed;
        check(code == right, "it is said what follows from a new time");
        if (after == stream_end::out_of_memory) told_once_more(c);
        note_abrupt(c);
    }

    void close_hub() {
        const std::size_t how = pick(16);
        ssekit::close_options with;
        if ((how & 1) != 0) with.farewell = {.id = "x", .type = "bye", .data = ""};
        if ((how & 2) != 0) with.retry_min = 1s, with.retry_max = 3s;
        if ((how & 4) != 0) with.deadline = 1s;
        if (how == 9 && !closed_) {
            with.farewell.type = "b\nye";
            check(hub_->close(with) == errc::invalid_type, "a bad farewell is refused");
            return;
        }
        const errc code = hub_->close(with);
        struck_ = memory_.struck;
        check(code == errc::ok || (struck_ && !closed_), "a hub is closed");
        if (code != errc::ok) return;
        if ((how & 4) != 0) cut_at_ = std::min(cut_at_, now_ + 1s);
        if (std::exchange(closed_, true)) return;
        farewell_ = (how & 1) != 0;
        close_retry_ = (how & 2) != 0;
    }

    void cut_hub() {
        for_each_link([](connection& c, person&) { c.told_before = c.told; });
        hub_->cut();
        closed_ = true;
        cut_at_ = std::min(cut_at_, now_);
        for_each_link([&](connection& c, person&) {
            check(c.over || c.stream.is_done(), "a stream that is cut is done");
            note_abrupt(c);
        });
    }

    void step(std::size_t what) {
        switch (what) {
        case 0:
        case 1:
        case 2: return publish();
        case 3: return work_off();
        case 4: {
            constexpr std::array<std::chrono::milliseconds, 8> steps{1ms,    10ms, 30ms, 300ms,
                                                                     1000ms, 2s,   4s,   1h};
            return tick(now_ + steps[pick(steps.size())]);
        }
        case 5: {
            const time_point due = hub_->next_deadline();
            return tick(due == ssekit::never ? now_ : due);
        }
        case 6: return keep();
        case 7: return close_topic();
        case 8:
            switch (pick(8)) {
            case 0: return close_hub();
            case 1:
                if (pick(4) == 0) cut_hub();
                return;
            case 2: return publish(true);
            case 3: return connect_for_newest(people_[pick(people_.size())]);
            case 4: return publish_transient();
            default: return;
            }
        case 9:
            if (epoch_ == 30 || pick(4) != 0) return;
            destroy_hub();
            return make_hub();
        case 24:
        case 25: starve_ = 1 + pick(255); return;
        case 26: return forget_topic();
        case 27: return reopen_topic();
        case 30: return of_sequence();
        default: break;
        }
        person& who = people_[pick(people_.size())];
        if (!who.link) return connect(who, false, what == 28);
        connection& c = *who.link;
        switch (what) {
        case 10: return disconnect(who);
        case 11: return send(c);
        case 12: return prepare(c, 1 + pick(40));
        case 13: return consume(c, pick(256));
        case 14: {
            const std::size_t bytes = pick(256);
            const auto then = static_cast<ssekit::io_status>(1 + pick(2));
            if (drain(c, {bytes}, then) == drain_status::closed) disconnect(who);
            return;
        }
        case 15: drain(c, {pick(64), pick(64), 0}); return;
        case 29: return expire_at(c);
        default: break;
        }
        if (what == 23 || what == 28) {
            disconnect(who);
            settle();
            return connect(who, what == 23, what == 28);
        }
        if (c.orphan || what > 20) {
            drain_all(c);
            return;
        }
        switch (what) {
        case 16: return change_topics(who, c, true);
        case 17: return change_topics(who, c, false);
        case 18: {
            const bool open = c.stream.end() == stream_end::open;
            check(hub_->evict(c.stream.id()) == open, "a stream that is open is evicted");
            c.evicted = c.evicted || open;
            return;
        }
        case 19: {
            ssekit::subscription moved(std::move(c.stream));
            check(!c.stream && c.stream.is_done(), "what is moved from is empty");
            c.stream = std::move(moved);
            return;
        }
        default: return reschedule(c);
        }
    }

    void drain_everybody() {
        for_each_link([&](connection& c, person&) {
            drain_all(c);
            settle();
        });
    }

    void finish() {
        memory_.fails = 0;
        drain_everybody();
        tick(now_ + 50ms);
        work_off();
        drain_everybody();
        close_hub();
        for (std::size_t i = 0; i != people_.size(); ++i) {
            if (!people_[i].link) continue;
            connection& c = *people_[i].link;
            drain_all(c);
            settle();
            check(c.over || c.orphan || !closed_,
                  "after the hub has closed every stream gets done");
            if (i % 2 == 0) disconnect(people_[i]);
        }
        settle();
        destroy_hub();
        for (person& each : people_) each.link.reset();
    }

    std::size_t starve_ = 0;
};

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    fuzz::choices choose(data, size);
    const auto one = std::make_unique<session>(choose);
    one->run();
    return 0;
}
