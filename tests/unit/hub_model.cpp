// SPDX-License-Identifier: MIT
//
// The hub against a naive model that writes down, for each connection, every event that it is due:
// random subscribing, publishing, draining by parts, cutting off, coming back, waiting and closing.
//
// 1. A connection brings what is due, in order, and nothing else. What it leaves out was lost, and
//    gap events have reported it, to the number, before it is idle.
// 2. A client's last event ID never passes an event that is still due.
// 3. A stream that is idle has brought all that is due. One that was idle and is not any more is
//    reported, once.
// 4. An id is worth what the model says it is worth.
#include <ssekit/hub.hpp>

#include "support/client.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <random>
#include <string>
#include <string_view>
#include <vector>

using namespace std::chrono_literals;
using ssekit::drain_status;
using ssekit::gap_policy;
using ssekit::hub;
using ssekit::hub_options;
using ssekit::lag_policy;
using ssekit::resumption;
using ssekit::start_point;
using ssekit::stream_end;
using ssekit::time_point;
using support::client;

namespace {

constexpr std::array<std::string_view, 4> topic_names{"a", "b", "c", "d"};

std::uint64_t number_in(std::string_view text) {
    std::uint64_t number = 0;
    std::from_chars(text.data(), text.data() + text.size(), number);
    return number;
}

/// A topic's log, as its documentation says.
struct naive_log {
    struct entry {
        std::uint64_t offset;
        std::size_t size;
        time_point published;
    };
    std::deque<entry> kept = {};
    std::uint64_t lost_through = 0; // known also when it has been forgotten
    bool there = false; // it is made when it is named, and forgotten when nobody needs it

    [[nodiscard]] std::size_t bytes() const {
        std::size_t sum = 0;
        for (const entry& item : kept) sum += item.size;
        return sum;
    }
    void trim(const ssekit::retention& keep, time_point now, std::size_t at_least = 1) {
        while (kept.size() > at_least &&
               (kept.size() > keep.events || (kept.size() > 1 && bytes() > keep.bytes) ||
                (keep.age != 0ms && kept.front().published + keep.age <= now))) {
            lost_through = kept.front().offset;
            kept.pop_front();
        }
    }
};

/// Somebody with a browser: connections come and go, the last event ID stays.
struct person {
    std::vector<std::string_view> topics = {};
    lag_policy on_lag = lag_policy::disconnect;
    std::string last_id = {};
    std::unique_ptr<client> connection = {};

    // Of this connection.
    std::deque<std::uint64_t> due = {}; // offsets that it has to bring
    std::size_t checked = 0;            // events that have been looked at
    std::size_t reported_missing = 0;
    std::size_t missing = 0;
    bool asleep = false;      // it was idle, and has not been reported since
    bool rescheduled = false; // its owner has asked for a report
};

class world {
  public:
    explicit world(std::uint32_t seed)
        : random_(seed),
          people_(8), options_{.keep = {.events = 1 + pick(12),
                                        .bytes = pick(2) == 0 ? 1'000'000 : 60 + pick(300),
                                        .age =
                                            std::chrono::seconds(pick(2) == 0 ? 0 : 1 + pick(40)),
                                        .burst = {.within = 0s}},
                               .heartbeat = {.interval = 15s},
                               .write_deadline = 0s},
          hub_(1, {}, options_) {
        hub_.tick(now_);
        for (person& each : people_) {
            each.topics.assign({topic_names[pick(topic_names.size())]});
            for (const std::string_view topic : topic_names) {
                if (pick(3) == 0) each.topics.push_back(topic); // perhaps twice
            }
            each.on_lag = std::array{lag_policy::disconnect, lag_policy::skip_to_oldest,
                                     lag_policy::skip_to_newest}[pick(3)];
        }
    }

    void step() {
        person& somebody = people_[pick(people_.size())];
        const std::size_t what = pick(12);
        if (what < 4) {
            publish();
        } else if (what == 4) {
            wait();
        } else if (what == 5) {
            work_off();
        } else if (somebody.connection == nullptr) {
            connect(somebody);
        } else if (what == 6) {
            cut_off(somebody);
        } else {
            drain(somebody, pick(150));
        }
    }

    void close() {
        for (person& each : people_) {
            if (each.connection == nullptr) connect(each);
        }
        REQUIRE(hub_.close({.farewell = {.type = "bye", .data = ""}}) == ssekit::errc::ok);
        for (person& each : people_) {
            while (each.connection->drain(1 + pick(50)) == drain_status::budget_spent) {
            }
            REQUIRE(each.connection->stream.is_done());
            if (each.connection->stream.end() == stream_end::lagged) {
                check_lagged(each);
            } else {
                check(each);
                REQUIRE(each.due.empty());
                REQUIRE(each.connection->events().back() == "bye:");
            }
        }
    }

  private:
    std::size_t pick(std::size_t below) { return random_() % below; }

    std::string_view topic_of(std::uint64_t offset) const {
        return topics_[static_cast<std::size_t>(offset - 1)];
    }
    naive_log& log_of(std::string_view topic) {
        const auto found = std::ranges::find(topic_names, topic);
        return logs_[static_cast<std::size_t>(found - topic_names.begin())];
    }

    void publish() {
        const std::string_view topic = topic_names[pick(topic_names.size())];
        const std::string data = std::to_string(topics_.size() + 1) + std::string(pick(30), 'x');
        const auto [offset, code] = hub_.publish(topic, {.data = data});
        topics_.push_back(topic);
        REQUIRE(code == ssekit::errc::ok);
        REQUIRE(offset == topics_.size());
        const std::string id = "1." + std::to_string(offset);
        make(topic);
        log_of(topic).kept.push_back(
            {offset, ssekit::encoded_size({.id = id, .data = data}), now_});
        log_of(topic).trim(options_.keep, now_);
        for (person& each : people_) {
            if (std::ranges::count(each.topics, topic) != 0) each.due.push_back(offset);
        }
    }

    naive_log& make(std::string_view topic) {
        naive_log& log = log_of(topic);
        log.there = true;
        return log;
    }

    bool is_read(std::string_view topic) const {
        return std::ranges::any_of(people_, [&](const person& each) {
            return each.connection != nullptr && std::ranges::count(each.topics, topic) != 0;
        });
    }

    void forget_unused() {
        for (const std::string_view topic : topic_names) {
            naive_log& log = log_of(topic);
            if (!log.there || !log.kept.empty() || is_read(topic)) continue;
            log.there = false;
        }
    }

    void wait() {
        now_ += 250ms * static_cast<int>(pick(32)); // what the hub looks after is in these steps
        hub_.tick(now_);
        std::size_t bytes = 0;
        for (const std::string_view topic : topic_names) {
            log_of(topic).trim(options_.keep, now_, is_read(topic) ? 1 : 0);
            bytes += log_of(topic).bytes();
        }
        forget_unused();
        REQUIRE(hub_.metrics().log_bytes == bytes);
        REQUIRE(hub_.next_deadline() > now_); // a new turn: nobody is rescheduled
    }

    void connect(person& each) {
        std::string id = each.last_id;
        switch (pick(10)) {
        case 0: id = "nonsense"; break;
        case 1: id = "2.1"; break;
        case 2: id = "1." + std::to_string(topics_.size() + 1 + pick(5)); break;
        case 3: id = "1." + std::to_string(pick(topics_.size() + 1)); break;
        case 4: id.clear(); break;
        default: break;
        }
        std::uint64_t seen = 0;
        resumption worth = resumption::resumed;
        if (id.empty()) {
            worth = resumption::fresh;
        } else if (id == "nonsense") {
            worth = resumption::malformed;
        } else if (id == "2.1") {
            worth = resumption::unknown;
        } else if (number_in(id.substr(2)) > topics_.size()) {
            worth = resumption::future;
        } else {
            seen = number_in(id.substr(2));
            for (const std::string_view topic : each.topics) make(topic);
            const bool lost = std::ranges::any_of(
                each.topics, [&](auto topic) { return log_of(topic).lost_through > seen; });
            if (lost) worth = resumption::expired;
        }
        for (const std::string_view topic : each.topics) make(topic);
        const bool live = pick(2) == 0;
        const auto form = static_cast<ssekit::framing>(pick(2));
        each = {.topics = each.topics, .on_lag = each.on_lag, .last_id = id};
        each.connection = std::make_unique<client>(
            hub_,
            ssekit::subscribe_options{.topics = each.topics,
                                      .last_event_id = id,
                                      .start = live ? start_point::live : start_point::earliest,
                                      .on_gap = live ? gap_policy::live : gap_policy::earliest,
                                      .on_lag = each.on_lag,
                                      .framing = form,
                                      .user = &each});
        REQUIRE(each.connection->ec == ssekit::errc::ok);
        REQUIRE(each.connection->stream.resumption() == worth);
        if (live && worth != resumption::resumed) return;
        for (std::uint64_t offset = seen + 1; offset <= topics_.size(); ++offset) {
            const std::string_view topic = topic_of(offset);
            if (std::ranges::count(each.topics, topic) == 0) continue;
            if (offset > log_of(topic).lost_through) each.due.push_back(offset);
        }
    }

    void cut_off(person& each) {
        check(each);
        if (!each.connection->last_event_id().empty()) {
            each.last_id = each.connection->last_event_id();
        }
        each.connection.reset();
        for (const std::string_view topic : each.topics) {
            if (!is_read(topic)) log_of(topic).trim(options_.keep, now_, 0);
        }
        forget_unused();
    }

    void drain(person& each, std::size_t bytes) {
        const drain_status status =
            pick(2) == 0 ? each.connection->drain_bytes(bytes) : each.connection->drain(bytes);
        check(each);
        if (status == drain_status::idle) {
            REQUIRE(each.due.empty());
            REQUIRE(each.missing == each.reported_missing);
            each.asleep = true;
            each.rescheduled = false;
        } else if (status == drain_status::cut) {
            check_lagged(each);
            cut_off(each);
        } else if (status == drain_status::budget_spent) {
            each.connection->stream.reschedule();
            each.rescheduled = true;
        }
    }

    // One turn of a server's loop.
    void work_off() {
        hub_.tick(now_);
        while (void* const user = hub_.next_ready()) {
            person& each = *static_cast<person*>(user);
            REQUIRE(each.connection != nullptr);
            REQUIRE((each.asleep || each.rescheduled));
            each.asleep = each.rescheduled = false;
            drain(each, pick(400));
        }
        for (const person& each : people_) {
            // A stream that has ended did so while its owner drained it: he knows.
            const bool open =
                each.connection != nullptr && each.connection->stream.end() == stream_end::open;
            if (open && each.asleep) REQUIRE(each.due.empty());
        }
    }

    void check(person& each) {
        const support::texts events = each.connection->events();
        const bool gap_first = each.connection->stream.resumption() > resumption::resumed;
        for (; each.checked < events.size(); ++each.checked) {
            const std::string_view text = events[each.checked];
            if (text == "bye:") continue;
            if (text.starts_with("gap:")) {
                const std::size_t missed = text.find("\"missed\":");
                REQUIRE((missed == text.npos) == (gap_first && each.checked == 0));
                if (missed == text.npos) continue;
                REQUIRE(each.on_lag != lag_policy::disconnect);
                REQUIRE(text.find("lagged") != text.npos);
                each.reported_missing +=
                    static_cast<std::size_t>(number_in(text.substr(missed + 9)));
                continue;
            }
            REQUIRE_FALSE((gap_first && each.checked == 0));
            const std::uint64_t offset = number_in(text);
            while (!each.due.empty() && each.due.front() < offset) {
                const naive_log& log = log_of(topic_of(each.due.front()));
                const bool oldest = each.on_lag == lag_policy::skip_to_oldest;
                REQUIRE(each.due.front() <= (oldest ? log.lost_through : log.kept.back().offset));
                ++each.missing;
                each.due.pop_front();
            }
            REQUIRE_FALSE(each.due.empty());
            REQUIRE(each.due.front() == offset);
            each.due.pop_front();
        }
        const std::string id = each.connection->last_event_id();
        if (id.empty() || each.due.empty()) return;
        // What a gap event has reported may lie after the id.
        if (each.missing == each.reported_missing)
            REQUIRE(number_in(id.substr(2)) < each.due.front());
    }

    void check_lagged(person& each) {
        REQUIRE(each.connection->stream.end() == stream_end::lagged);
        REQUIRE(each.on_lag == lag_policy::disconnect);
        check(each);
        REQUIRE(std::ranges::any_of(each.due, [&](std::uint64_t offset) {
            return offset <= log_of(topic_of(offset)).lost_through;
        }));
    }

    std::mt19937 random_;
    time_point now_{10h};
    std::vector<person> people_;
    hub_options options_;
    hub hub_;
    std::vector<std::string_view> topics_; // of each event: the first is that of offset 1
    std::array<naive_log, topic_names.size()> logs_;
};

} // namespace

TEST_CASE("the hub does what a naive model does") {
    for (std::uint32_t seed = 1; seed <= 60; ++seed) {
        CAPTURE(seed);
        world all(seed);
        for (int step = 0; step < 400; ++step) {
            CAPTURE(step);
            all.step();
        }
        all.close();
    }
}
