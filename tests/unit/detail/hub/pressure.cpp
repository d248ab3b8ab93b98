// SPDX-License-Identifier: MIT
#include <ssekit/detail/hub/pressure.hpp>

#include "support/bare_hub.hpp"
#include "support/dice.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <set>
#include <span>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

using namespace std::chrono_literals;
using ssekit::errc;
using ssekit::event_log;
using ssekit::lag_policy;
using ssekit::log_use;
using ssekit::retention;
using ssekit::time_point;
using support::abc;
using support::bare_hub;
namespace sse = ssekit::detail;

namespace {

retention any_retention(support::dice& dice) {
    retention keep{.events = 1 + dice.below(8), .bytes = 20 + dice.below(200)};
    if (dice.one_in(3)) keep.age = std::chrono::milliseconds(dice.below(3000)) - 1ms;
    keep.burst.within = std::chrono::milliseconds(dice.one_in(2) ? 0 : dice.below(2000));
    keep.burst.events = 1 + dice.below(12);
    keep.burst.bytes = 20 + dice.below(300);
    return keep;
}

// A hub, its streams and its past, all of which follow from the seed.
class scene {
  public:
    explicit scene(std::uint32_t seed) : dice_(seed), hub_({.keep = any_retention(dice_)}) {
        for (const std::string_view name : abc) {
            if (!dice_.one_in(3)) continue;
            CHECK(sse::keep(*hub_, sse::topic_kind::name, name, any_retention(dice_)) == errc::ok);
        }
        const std::size_t streams = 1 + dice_.below(4);
        for (std::size_t i = 0; i < streams; ++i) join();
        const std::size_t events = dice_.below(20);
        for (std::size_t i = 0; i < events; ++i) {
            publish(std::string(dice_.below(30), 'x'));
            hub_.wait(std::chrono::milliseconds(dice_.below(600)));
            if (dice_.one_in(4)) take_one(streams_[dice_.below(streams_.size())]);
        }
        next_ = some_names();
    }
    scene(const scene&) = delete;
    scene& operator=(const scene&) = delete;
    ~scene() {
        for (const std::uint32_t stream : streams_) hub_.leave(stream);
    }

    [[nodiscard]] std::size_t asked(std::string_view data) {
        return sse::would_lag(*hub_, next_, wire_size(data));
    }
    void publish_next(std::string_view data) { CHECK(hub_.say(next_, data).ec == errc::ok); }

    // What each stream gets from now on, by their offsets.
    [[nodiscard]] std::vector<std::set<std::string>> rest() {
        std::vector<std::set<std::string>> out;
        for (const std::uint32_t stream : streams_) {
            std::istringstream lines(hub_.take(stream));
            std::set<std::string>& ids = out.emplace_back();
            for (std::string line; std::getline(lines, line);) {
                if (line.starts_with("id: ")) ids.insert(line);
            }
        }
        return out;
    }

  private:
    std::vector<std::string_view> some_names() {
        std::vector<std::string_view> out;
        for (const std::string_view name : abc) {
            if (dice_.one_in(2)) out.push_back(name);
        }
        if (out.empty()) out.push_back(dice_.pick(abc));
        return out;
    }
    void join() {
        const std::vector<std::string_view> names = some_names();
        ssekit::subscribe_options options{.topics = names, .on_lag = lag_policy::skip_to_oldest};
        if (dice_.one_in(3)) options.patterns = "*";
        if (dice_.one_in(4)) options.max_lag.events = 1 + dice_.below(5);
        if (dice_.one_in(4)) options.max_lag.bytes = 1 + dice_.below(200);
        if (dice_.one_in(4)) options.max_lag.age = std::chrono::milliseconds(dice_.below(2000));
        if (dice_.one_in(4)) {
            options.filter = [](const ssekit::event_summary& event) noexcept {
                return event.offset % 2 == 0;
            };
        }
        streams_.push_back(hub_.join(options));
        hub_.take(streams_.back());
    }
    void publish(std::string_view data) {
        const std::vector<std::string_view> names = some_names();
        CHECK(hub_.say(names, data).ec == errc::ok);
    }
    void take_one(std::uint32_t stream) {
        std::string_view slice;
        if (hub_.prepare_one(stream, slice) != 0) sse::consume(*hub_, stream, slice.size());
    }
    std::size_t wire_size(std::string_view data) {
        return ("id: 1." + std::to_string(hub_->last_offset + 1) + "\ndata: \n\n").size() +
               data.size();
    }

    support::dice dice_;
    bare_hub hub_;
    std::vector<std::uint32_t> streams_;
    std::vector<std::string_view> next_;
};

} // namespace

TEST_CASE("as many streams would lose an event as do lose one then") {
    std::size_t losers = 0, keepers = 0;
    for (std::uint32_t seed = 0; seed < 1000; ++seed) {
        CAPTURE(seed);
        const std::string data(seed % 64, 'y');
        scene without(seed), with(seed);
        const std::size_t asked = with.asked(data);
        with.publish_next(data);
        const auto all = without.rest(), kept = with.rest();
        std::size_t lost = 0;
        for (std::size_t i = 0; i < all.size(); ++i) {
            lost += std::includes(kept[i].begin(), kept[i].end(), all[i].begin(), all[i].end())
                        ? 0u
                        : 1u;
        }
        CHECK(asked == lost);
        losers += lost;
        keepers += all.size() - lost;
    }
    CHECK(losers > 100);
    CHECK(keepers > 100);
}

TEST_CASE("what an event would push out of a log is what it does push out") {
    support::dice dice(1);
    for (int round = 0; round < 2000; ++round) {
        event_log log(any_retention(dice));
        time_point now(1h);
        for (std::uint64_t offset = 1; offset < 12; ++offset) {
            const std::string data(dice.below(120), 'x');
            ssekit::frame event = ssekit::frame::make({.data = data}).frame;
            const std::uint64_t begin = log.begin_after(event.wire().size(), now);
            CHECK(log.append(std::move(event), offset, now, log_use::read) == errc::ok);
            REQUIRE(log.begin() == begin);
            now += std::chrono::milliseconds(dice.below(1000));
        }
        CHECK(log.begin_after(~std::size_t{0}, now) == log.end());
    }
}

TEST_CASE("a reader is as far behind as its place in the topic says") {
    bare_hub hub({.keep = {.events = 3, .burst = {.within = 0ms}}});
    int user = 0;
    const std::uint32_t slow = hub.join({.topics = abc, .user = &user});
    const std::uint32_t quick = hub.join({.topics = "b", .tag = "t"});
    const std::uint32_t wide = hub.join({.topics = "x", .patterns = "*"});
    CHECK(hub.say_each("b", "123"));
    hub.take(quick);
    CHECK(hub.say_each("b", "45"));
    CHECK(hub.say_each("a", "6"));
    CHECK(hub.say_to_tag("t", "7").ec == errc::ok);
    const std::size_t size = std::string_view("id: 1.1\ndata: 1\n\n").size();
    std::vector<ssekit::reader_lag> seen;
    const auto look = [&](const ssekit::reader_lag& reader) { seen.push_back(reader); };
    sse::for_each_reader_of(*hub, "b", look);
    REQUIRE(seen.size() == 2);
    CHECK(seen[0].id == sse::public_id(*hub, slow));
    CHECK(seen[0].user == &user);
    CHECK(seen[0].events == 5);
    CHECK(seen[0].bytes == 3 * size); // as far as they are kept
    CHECK(seen[1].id == sse::public_id(*hub, quick));
    CHECK(seen[1].user == nullptr);
    CHECK(seen[1].events == 2);
    CHECK(seen[1].bytes == 2 * size);
    CHECK(sse::slowest_reader(*hub, "b")->id == seen[0].id);
    CHECK(sse::slowest_reader(*hub, "*")->id == sse::public_id(*hub, wide));
    CHECK(sse::slowest_reader(*hub, "*")->events == 6);
    CHECK_FALSE(sse::slowest_reader(*hub, "t"));
    CHECK_FALSE(sse::slowest_reader(*hub, "nobody"));
    hub.take(slow);
    CHECK(sse::slowest_reader(*hub, "b")->id == seen[1].id);
    for (const std::uint32_t stream : {slow, quick, wide}) hub.leave(stream);
    CHECK_FALSE(sse::slowest_reader(*hub, "b"));
}

TEST_CASE("a walk over a topic's readers may evict each that it is shown") {
    bare_hub hub;
    std::vector<std::uint32_t> streams;
    for (int i = 0; i < 5; ++i) streams.push_back(hub.join({.topics = abc}));
    int calls = 0;
    sse::for_each_reader_of(*hub, "b", [&](const ssekit::reader_lag& reader) {
        ++calls;
        CHECK(sse::evict(*hub, reader.id));
    });
    CHECK(calls == 5);
    for (const std::uint32_t stream : streams) hub.leave(stream);
}
