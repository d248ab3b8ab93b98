// SPDX-License-Identifier: MIT
//
// The input is a list of operations on a hub and on clients that come, read, stall, go and come
// back; a model keeps every event for ever. For any such list:
// - a stream brings, byte for byte, events of what it reads, in the order of publishing, each once;
//   and besides them only its opening block, heartbeats, gap events, what was sent to it alone, and
//   at its end the reconnection time and the farewell, which nothing follows;
// - an event is left out only if its filter refused it, if a newer one of its key replaced it under
//   lag_policy::coalesce or a throttle, if a gap event has counted it before, or if the stream has
//   ended and says why: whoever comes back with its id gets the rest, or a gap event;
// - the client's last event ID never passes an event that is still due;
// - what was sent to one stream comes once, behind what was published before it and ahead of what
//   came later;
// - a stream cut anywhere is a beginning of whole blocks; bytes that were prepared stay where they
//   are and leave next;
// - an idle subscriber is reported once when it has something to send, be it an event, an end, or a
//   heartbeat, and not before; one that is rescheduled in the next turn; one that is cut once more;
// - a Last-Event-ID is worth what it is worth, and a stream ends for no other reason than it says;
// - what the hub counts is what the model counts; a topic is there only for a reason;
// - when hub and subscriptions are gone, in any order, nothing is left.
#include "hub_model.hpp"

#include <ssekit/event_sequence.hpp>
#include <ssekit/hub.hpp>

#include <algorithm>
#include <array>
#include <bit>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace {

using namespace fuzz;

class world : model {
  public:
    explicit world(fuzz::choices& choose) : choose_(choose) { make_hub(); }

    void run() {
        std::size_t steps = 0;
        for (std::string_view op; steps < 400 && !(op = choose_.take(1)).empty(); ++steps) {
            step(static_cast<unsigned char>(op[0]) % 24u);
            settle();
        }
        finish();
    }

  private:
    std::size_t pick(std::size_t end) { return choose_.below(end); }
    // ---- the hub

    void make_hub() {
        ++epoch_;
        const std::size_t shape = pick(256), limits = pick(256);
        options_ = {};
        options_.keep = {.events = 1 + shape % 8,
                         .bytes = (shape & 8) == 0 ? 1u << 20 : 40 + 2 * limits,
                         .age = (shape & 16) == 0 ? 0s : 2s};
        options_.keep_tagged = {.events = 1 + limits % 4, .bytes = 1u << 20, .age = 3s};
        publishers_ids_ = (shape & 96) == 96;
        if (publishers_ids_) options_.ids = ssekit::event_ids::by_publisher;
        sequence_.reset();
        refused_in_sequence_ = false;
        if ((shape & 96) == 64) {
            options_.ids = ssekit::event_ids::by_sequence;
            sequence_.emplace(epoch_);
        }
        options_.heartbeat.interval = (shape & 128) == 0 ? 0s : 1s;
        if ((limits & 1) != 0) options_.heartbeat_type = "beat";
        options_.write_deadline = (limits & 2) == 0 ? 0s : 3s;
        options_.max_age = (limits & 4) == 0 ? 0s : 10s;
        if ((limits & 8) != 0) options_.retry = 1s;
        if ((limits & 16) != 0) options_.max_subscribers = 3;
        if ((limits & 32) != 0) {
            options_.max_subscribers_per_topic = options_.max_subscribers_per_tag = 2;
        }
        if ((limits & 64) != 0) options_.max_topics = 4;
        options_.max_sent = 2;
        options_.on_topic = {[](void* self, std::string_view topic, bool listened_to) noexcept {
                                 static_cast<world*>(self)->hook(topic, listened_to);
                             },
                             this};
        beat_ = (limits & 1) != 0 ? encoded({.type = "beat", .data = ""}) : ":\n\n";
        events_.clear();
        last_ = published_ = accepted_ = refused_ = bytes_ = 0;
        listened_ = kept_ = 0;
        most_kept_ = options_.keep.events;
        ends_.fill(0);
        closed_ = farewell_ = close_retry_ = cut_ = false;
        hub_ = std::make_unique<ssekit::hub>(epoch_, options_);
        hub_->tick(now_);
    }

    void destroy_hub() {
        for_each_link([&](connection& c) { check_held(c); });
        hub_.reset();
        for_each_link([&](connection& c) {
            c.orphan = true;
            c.slices.clear();
            check(c.stream.is_done() && c.stream.id() == 0, "without its hub a stream is done");
        });
    }

    void tick(time_point now) {
        for_each_link([](connection& c) { c.told_before = c.told; });
        now_ = std::max(now, now_);
        hub_->tick(now_);
        check(hub_->next_deadline() > now_, "after a turn nothing is due");
        for_each_link([&](connection& c) {
            if (std::exchange(c.rescheduled, false) && !c.wakes) c.must_be_told = true;
            const stream_end end = c.stream.end();
            if (end == stream_end::stalled || end == stream_end::cut) {
                if (!std::exchange(c.aborted, true)) {
                    check(!c.wakes || c.told > c.told_before, "who is cut is woken");
                    c.may_be_told = c.wakes ? c.may_be_told + 1 : c.told + 1;
                    c.must_be_told = !c.wakes;
                }
            }
            const bool aged = (options_.max_age.count() != 0 && now_ > c.born + 12s) ||
                              (c.with.max_age && now_ > c.born + *c.with.max_age + 2s);
            check(!aged || end != stream_end::open, "a stream ends when it is too old");
        });
    }

    void work_off() {
        while (void* const user = hub_->next_ready()) {
            auto& c = *static_cast<connection*>(user);
            ++c.told;
            check(c.told <= c.may_be_told, "next_ready reports each once");
        }
        for_each_link([&](connection& c) {
            if (c.wakes || c.with.user == nullptr) return;
            check(!c.must_be_told || c.told == c.may_be_told, "who is rescheduled is reported");
            check(c.told != 0 || !is_owed(c), "who has something to send is reported");
        });
    }

    // ---- publishing

    void publish() {
        const std::size_t how = pick(256), text = pick(256);
        const std::string_view key = std::array{"", "k", "l", "k"}[how / 64];
        const std::string_view type = (text & 128) == 0 ? "" : "t";
        const std::string data =
            std::to_string(text) + std::string(text % 64, (text & 64) != 0 ? '\n' : 'x');
        ssekit::event_view view{.type = type, .data = data};
        if (text == 7) view = {.retry = 7ms};
        logs to = std::array<logs, 10>{1, 2, 4, 8, 16, 3, 12, 31, 0x100, 0x200}[how % 11 % 10];
        const bool everywhere = how % 11 == 10;
        const name_list list = names_of(to);
        const logs closed = closed_topics();
        if (sequence_ && (everywhere || (to & all_tags) != 0)) return;
        ssekit::publish_result result{};
        std::string id = id_text(sequence_ ? sequence_->last() + 1 : last_ + 1);
        if (publishers_ids_) view.id = id;
        event made{0, to & all_tags, everywhere ? "" : list[0], type, key, {}};
        if (sequence_) {
            result = hub_->publish_sequenced(list, sequence_->make(list[0], view, key));
        } else if (everywhere) {
            result = hub_->publish_to_all(view, key);
            made.in = (all_topics & ~closed) | all_patterns;
        } else if ((to & all_tags) != 0) {
            result = hub_->publish_to_tag(list[0], view, key);
        } else {
            result = hub_->publish(list, view, key);
        }
        view.id = id;
        made.wire = encoded(view);
        const bool shut = !everywhere && (to & closed) != 0;
        check((result.ec == errc::closed) == closed_, "a closed hub takes no events");
        check(result.ec != errc::ok || !shut, "a closed topic takes no events");
        if (result.ec != errc::ok) {
            refused_in_sequence_ = sequence_.has_value();
            check(closed_ || shut ||
                      (result.ec == errc::too_many_topics && options_.max_topics == 4),
                  "an event is refused for a reason");
            return;
        }
        if (!everywhere && (to & all_topics) != 0) {
            for (std::size_t i = 0; i != feeds.size(); ++i) {
                if ((to >> i & 1) != 0) made.in |= feeds[i];
            }
        }
        check(result.offset == (sequence_ ? sequence_->last() : last_ + 1), "offsets count");
        made.offset = last_ = result.offset;
        add_event(std::move(made));
    }

    void add_event(event made) {
        ++published_;
        for_each_link([&](connection& c) {
            const logs read = made.in & c.reads;
            if (read != 0 && made.offset > c.seen && c.stream.end() == stream_end::open)
                c.due.push_back({made, read, read});
        });
        events_.push_back(std::move(made));
    }

    void close_topic() {
        const std::size_t which = pick(5), how = pick(4);
        const std::string id = id_text(last_ + 1);
        ssekit::event_view view{.type = "t", .data = "end"};
        if (how == 3 || publishers_ids_) view.id = id; // refused where the hub gives the ids
        if (how == 0) view = {};
        const bool was_closed = (closed_topics() >> which & 1) != 0;
        const errc code = hub_->close_topic(names[which], view, how == 1 ? 0s : 1s);
        if (code != errc::ok || was_closed || how == 0) return;
        view.id = id;
        add_event({++last_, feeds[which], names[which], "t", "", encoded(view)});
    }

    // ---- streams

    void connect(person& who) {
        who.link = std::make_unique<connection>();
        connection& c = *who.link;
        const std::size_t what = pick(256), how = pick(256), from = pick(256), more = pick(256);
        c.reads = static_cast<logs>(what == 0 ? 1 : what);
        c.topics = names_of(c.reads & all_topics);
        c.patterns = names_of(c.reads & all_patterns);
        if ((how & 1) != 0) std::reverse(c.topics.begin(), c.topics.end());
        c.with.topics = c.topics;
        c.with.patterns = c.patterns;
        if (how / 2 % 4 > 1) {
            c.with.tag = names[6 + how / 2 % 4];
            c.reads |= 1u << (6 + how / 2 % 4);
        }
        c.with.on_lag = static_cast<lag_policy>(how / 8 % 5);
        c.with.framing = static_cast<ssekit::framing>(from & 1);
        c.with.start = static_cast<ssekit::start_point>(from >> 1 & 1);
        c.with.on_gap = static_cast<gap_policy>((from >> 2 & 3) % 3);
        c.wakes = how >= 128;
        if (from != 255) c.with.user = &c;
        switch (from >> 4) {
        case 0: break;
        case 1: who.last_id = "1.01"; break;
        case 2: who.last_id = "z.1"; break;
        case 3: who.last_id = id_text(last_ + 1 + pick(3)); break;
        case 4: who.last_id = id_text(pick(last_ + 1 < 256 ? last_ + 1 : 256)); break;
        case 5: who.last_id = "?"; break;
        case 6: who.last_id.clear(); break;
        default: break; // what it saw
        }
        const std::string id = who.last_id;
        c.with.last_event_id = id;
        c.filter = more & 3;
        if (c.filter != 0) c.with.filter = {ask[c.filter], this};
        if ((more & 4) != 0) c.with.throttle = 20ms;
        if ((more & 24) == 8) c.with.max_lag.events = 1 + more / 32;
        if ((more & 24) == 16) c.with.max_lag.bytes = 20 + more;
        if ((more & 24) == 24) c.with.max_lag.age = 300ms;
        if ((more & 96) == 32) c.with.heartbeat = 500ms;
        if ((more & 192) == 128) c.with.max_age = 5s;
        c.plain = c.filter == 0 && !c.newest_only() && std::popcount(c.reads) == 1;
        c.born = now_;
        const logs closed = closed_topics();
        const auto wake = [](void* self) noexcept { ++static_cast<connection*>(self)->told; };
        auto [stream, code] =
            hub_->subscribe(c.with, c.wakes ? ssekit::waker(wake, &c) : ssekit::waker());
        c.with.last_event_id = {};
        std::uint64_t seen = 0;
        const resumption worth = worth_of(id, seen);
        check((code == errc::closed) == closed_, "a closed hub takes no subscribers");
        if (code != errc::ok) {
            ++refused_;
            check(code != errc::replay_refused ||
                      (c.with.on_gap == gap_policy::refuse && worth != resumption::fresh),
                  "a replay is refused only if that was asked for");
            check(code != errc::topic_closed || ((c.reads & ~all_tags) & ~closed) == 0,
                  "only closed topics refuse");
            check(code != errc::invalid_topic && code != errc::out_of_memory, "why refused");
            return who.link.reset();
        }
        ++accepted_;
        c.stream = std::move(stream);
        const resumption how_much = c.stream.resumption();
        const bool kept_or_not =
            how_much == resumption::expired || (publishers_ids_ && how_much == resumption::unknown);
        check(how_much == worth || (worth == resumption::resumed && kept_or_not),
              "an id is worth what it is worth");
        if (how_much == resumption::unknown) seen = 0;
        c.seen = how_much == resumption::resumed ? seen : 0;
        c.plain = c.plain && c.seen <= last_;
        check(how_much <= resumption::resumed || c.with.on_gap != gap_policy::refuse, "refused");
        const bool live = how_much == resumption::fresh ? c.with.start == ssekit::start_point::live
                                                        : how_much != resumption::resumed &&
                                                              c.with.on_gap == gap_policy::live;
        if (live) return;
        c.had_before = how_much == resumption::resumed ? 0 : last_;
        c.plain = c.plain && c.had_before == 0;
        for (const event& e : events_) {
            const logs read = e.in & c.reads;
            if (e.offset > seen && read != 0) c.due.push_back({e, read, read});
        }
    }

    template <std::size_t Filter>
    static bool asked(void* self, const ssekit::event_summary& seen) noexcept {
        const auto& events = static_cast<world*>(self)->events_;
        const auto e = std::find_if(events.begin(), events.end(),
                                    [&](const event& each) { return each.offset == seen.offset; });
        check(e != events.end() && e->topic == seen.topic && e->key == seen.key &&
                  seen.type == (e->type.empty() ? "message" : e->type),
              "a filter sees the event");
        return wanted(Filter, seen.offset, e->type, e->key);
    }
    static constexpr std::array<decltype(&asked<1>), 4> ask{nullptr, asked<1>, asked<2>, asked<3>};

    void disconnect(person& who) {
        check_held(*who.link);
        if (!who.link->orphan) ++ends_[static_cast<std::size_t>(who.link->stream.end())];
        if (!who.link->last_id.empty()) who.last_id = who.link->last_id;
        who.link.reset();
    }

    void wrote(connection& c, std::size_t before) {
        const std::string_view out = std::string_view(c.socket.got).substr(before);
        check(out.starts_with(c.promised) || c.promised.starts_with(out),
              "what is prepared leaves");
        check(!c.orphan || out.empty(), "without its hub a stream brings nothing");
        c.promised.erase(0, out.size());
        bytes_ += out.size();
        if (!c.orphan) read(c);
    }

    void nothing_to_prepare(connection& c) {
        c.promised.clear();
        if (c.stream.is_done()) return done(c);
        check(c.stream.end() == stream_end::open, "a stream that has ended gets done");
        idle(c);
    }

    drain_status drain(connection& c, std::vector<support::step> script, support::step then = {}) {
        check_held(c);
        c.slices.clear();
        c.asleep = c.must_be_told = false;
        const std::size_t before = c.socket.got.size();
        c.socket.script = std::move(script);
        c.socket.calls = 0;
        c.socket.afterwards = then;
        c.socket.slices.clear();
        const drain_status status = ssekit::drain(c.stream, c.socket, 1000);
        wrote(c, before);
        if (status == drain_status::idle || status == drain_status::done) nothing_to_prepare(c);
        return status;
    }

    void drain_all(connection& c) {
        while (drain(c, {}) == drain_status::budget_spent) {
        }
    }

    void prepare(connection& c, std::size_t count) {
        check_held(c);
        c.slices.assign(count, {});
        c.asleep = c.must_be_told = false;
        c.slices.resize(c.stream.prepare(c.slices));
        std::string bytes;
        for (const std::string_view slice : c.slices) bytes += slice;
        if (c.slices.empty()) return nothing_to_prepare(c);
        check(bytes.starts_with(c.promised) || c.promised.starts_with(bytes), "prepare repeats");
        if (bytes.size() > c.promised.size()) c.promised = bytes;
    }

    void consume(connection& c, std::size_t most) {
        std::size_t held = 0;
        for (const std::string_view slice : c.slices) held += slice.size();
        const std::size_t bytes = std::min(most, held);
        const std::size_t before = c.socket.got.size();
        check_held(c);
        c.socket.got += c.promised.substr(0, bytes);
        c.stream.consume(bytes);
        for (std::size_t left = bytes; left != 0;) {
            const std::size_t gone = std::min(left, c.slices[0].size());
            c.slices[0].remove_prefix(gone);
            if (c.slices[0].empty()) c.slices.erase(c.slices.begin());
            left -= gone;
        }
        wrote(c, before);
    }

    // ---- what is done

    void change_topics(connection& c, bool add) {
        const std::size_t which = pick(256);
        const bool pattern = add && (which & all_topics) == 0;
        const logs set = static_cast<logs>(which) & (!add      ? 0xff
                                                     : pattern ? all_patterns
                                                               : all_topics);
        const logs before = c.reads;
        const name_list list = names_of(set);
        std::array<std::size_t, 8> counts{};
        for (std::size_t i = 0; i != counts.size(); ++i) counts[i] = hub_->subscribers(names[i]);
        const errc code = add ? pattern ? c.stream.add_patterns(list) : c.stream.add_topics(list)
                              : c.stream.remove_topics(list);
        for (std::size_t i = 0; i != counts.size(); ++i) {
            if (hub_->subscribers(names[i]) != counts[i]) c.reads ^= 1u << i;
        }
        const bool ended = closed_ || c.stream.end() != stream_end::open;
        check((code == errc::closed) == ended, "a stream that has ended is not changed");
        check(code != errc::ok || c.reads == (add ? before | set : before & ~set),
              "as it was asked");
        check((c.reads & ~all_tags) != 0, "who reads nothing is no subscriber");
        c.plain = c.plain && c.reads == before;
        for (due_event& d : c.due) d.read &= c.reads;
    }

    void send(connection& c) {
        const std::string data = std::to_string(++sent_);
        const bool open = !closed_ && c.stream.end() == stream_end::open;
        const errc code = c.stream.send({.type = "s", .data = data});
        if (code == errc::ok)
            c.sent.push_back({encoded({.type = "s", .data = data}), std::max(last_, c.seen)});
        check((code == errc::closed) == !open, "who is gone is sent nothing");
        check(code != errc::queue_is_full || c.sent.size() >= options_.max_sent,
              "the queue is full");
    }

    void reschedule(connection& c) {
        const unsigned told = c.told;
        c.stream.reschedule();
        if (c.stream.is_done()) return;
        c.may_be_told = c.told + (c.wakes ? 0 : 1);
        check(c.told == told + unsigned{c.wakes}, "a waker is fired at once");
        c.rescheduled = true;
        c.asleep = c.must_be_told = false;
        check(c.wakes || hub_->next_deadline() <= now_, "who is rescheduled is due");
    }

    void close_hub() {
        const std::size_t how = pick(8);
        ssekit::close_options with;
        if ((how & 1) != 0) with.farewell = {.id = "x", .type = "bye", .data = ""};
        if ((how & 2) != 0) with.retry_min = 1s, with.retry_max = 3s;
        if ((how & 4) != 0) with.deadline = 1s;
        hub_->close(with);
        if (std::exchange(closed_, true)) return;
        farewell_ = (how & 1) != 0;
        close_retry_ = (how & 2) != 0;
        cut_ = (how & 4) != 0;
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
        case 6: {
            const ssekit::retention keep{1 + pick(8), pick(2) == 0 ? 1u << 20 : 80, 1s * pick(3)};
            const std::size_t which = pick(5);
            if (hub_->keep(names[which], keep) == errc::ok) kept_ |= 1u << which;
            most_kept_ = std::max(most_kept_, keep.events);
            return;
        }
        case 7: return close_topic();
        case 8:
            if (pick(8) == 0) close_hub();
            return;
        case 9:
            if (epoch_ == 30 || pick(4) != 0) return;
            destroy_hub();
            return make_hub();
        default: break;
        }
        person& who = people_[pick(people_.size())];
        if (!who.link) return connect(who);
        connection& c = *who.link;
        switch (what) {
        case 10: return disconnect(who);
        case 11: return send(c);
        case 12: return prepare(c, 1 + pick(40));
        case 13: return consume(c, pick(256));
        case 14:
            drain(c, {{pick(256), static_cast<ssekit::io_status>(1 + pick(2))}});
            if (c.socket.script[0].status == ssekit::io_status::closed) disconnect(who);
            return;
        case 15: drain(c, {{pick(64)}, {pick(64)}}, {0, ssekit::io_status::would_block}); return;
        default: break;
        }
        if (c.orphan || what > 20) {
            drain_all(c);
            return;
        }
        switch (what) {
        case 16: return change_topics(c, true);
        case 17: return change_topics(c, false);
        case 18: {
            const bool open = c.stream.end() == stream_end::open;
            check(hub_->evict(c.stream.id()) == open, "who is open is evicted");
            c.evicted = c.evicted || open;
            return;
        }
        default: return reschedule(c);
        }
    }

    void finish() {
        for_each_link([&](connection& c) { drain_all(c); });
        settle();
        tick(now_ + 50ms);
        work_off();
        for_each_link([&](connection& c) { drain_all(c); });
        settle();
        close_hub();
        for (std::size_t i = 0; i != people_.size(); ++i) {
            if (!people_[i].link) continue;
            drain_all(*people_[i].link);
            check(people_[i].link->over, "after the hub has closed everybody gets done");
            if (i % 2 == 0) disconnect(people_[i]);
        }
        settle();
        destroy_hub();
    }

    fuzz::choices& choose_;
};

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    fuzz::choices choose(data, size);
    world(choose).run();
    return 0;
}
