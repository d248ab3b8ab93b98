// SPDX-License-Identifier: MIT
#include <ssekit/detail/hub/topic_store.hpp>

#include "support/counted_memory.hpp"
#include "support/times.hpp"

#include <doctest/doctest.h>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

using namespace std::chrono_literals;
using ssekit::errc;
using ssekit::frame;
using ssekit::never;
using ssekit::time_point;
using ssekit::detail::topic_kind;
using ssekit::detail::topic_limits;
using ssekit::detail::topic_store;
using support::morning;

namespace {

constexpr topic_limits usual{.keep = {.events = 100},
                             .keep_tagged = {.events = 3},
                             .keep_transient = {.events = 3},
                             .topics = 10,
                             .tags = 3,
                             .name_length = 8,
                             .forgotten = 100,
                             .keep_idle = {},
                             .on_topic = {}};

/// A store in memory that is counted, and what a test asks of it in few words.
struct counted_store {
    explicit counted_store(topic_limits limits = usual) : store(limits, &memory) {}

    std::uint32_t get(topic_kind kind, std::string_view name) {
        std::uint32_t found = 0;
        code = store.obtain(kind, name, found, now);
        CHECK((found != 0) == (code == errc::ok));
        return found;
    }
    std::uint32_t name(std::string_view text) { return get(topic_kind::name, text); }
    std::uint32_t pattern(std::string_view text) { return get(topic_kind::pattern, text); }
    std::uint32_t tag(std::string_view text) { return get(topic_kind::tag, text); }

    void say(std::uint32_t where, std::uint64_t offset, std::string_view key = {}) {
        const frame event = frame::make({.data = "x"}, ssekit::utf8_policy::pass_through,
                                        {store[where].name(), key}, &memory)
                                .frame;
        REQUIRE(store.reserve(where, !key.empty(), now));
        store.append(where, event, offset, now, false,
                     [&](std::uint32_t number) { told += std::to_string(number) + ";"; });
    }
    /// Offsets that a topic keeps.
    [[nodiscard]] std::string kept(std::uint32_t where) const {
        std::string out;
        const ssekit::event_log& log = store[where].log;
        for (std::uint64_t p = log.begin(); p != log.end(); ++p) {
            out += (out.empty() ? "" : " ") + std::to_string(log[p].offset);
        }
        return out;
    }
    [[nodiscard]] std::uint64_t bytes() const {
        std::uint64_t sum = 0;
        for (const auto kind : {topic_kind::name, topic_kind::pattern, topic_kind::tag}) {
            store.for_each(kind, [&](std::uint32_t at) { sum += store[at].log.bytes(); });
        }
        return sum;
    }
    [[nodiscard]] std::size_t count(topic_kind kind) const { return store.size(kind); }

    support::counted_memory memory;
    topic_store store;
    errc code = errc::ok;
    time_point now = morning;
    std::string told;
};

constexpr auto untold = [](std::uint32_t) {};

} // namespace

TEST_CASE("a name, a pattern and a tag of one text are three topics") {
    counted_store b;
    const std::uint32_t a = b.name("a"), p = b.pattern("a"), t = b.tag("a");
    CHECK(a != p);
    CHECK(p != t);
    CHECK(b.name("a") == a);
    CHECK(b.store.find(topic_kind::pattern, "a") == p);
    CHECK(b.store.find(topic_kind::tag, "a") == t);
    CHECK(b.store.find(topic_kind::name, "b") == 0);
    CHECK(b.store[p].name() == "a");
    CHECK(b.store[t].kind == topic_kind::tag);
}

TEST_CASE("names have a length, patterns a form and each kind a bound") {
    counted_store b;
    CHECK(b.name("") == 0);
    CHECK(b.code == errc::invalid_topic);
    CHECK(b.name("12345678") != 0);
    CHECK(b.name("123456789") == 0);
    CHECK(b.code == errc::invalid_topic);
    CHECK(b.pattern("**/a") == 0);
    CHECK(b.code == errc::invalid_topic);
    CHECK(b.name("**/a") != 0);
    for (int i = 0; i < 4; ++i) CHECK(b.name("n" + std::to_string(i)) != 0);
    for (int i = 0; i < 4; ++i) CHECK(b.pattern("p" + std::to_string(i)) != 0);
    CHECK(b.name("n4") == 0); // names and patterns count together
    CHECK(b.code == errc::too_many_topics);
    CHECK(b.pattern("p4") == 0);
    CHECK(b.code == errc::too_many_topics);
    for (int i = 0; i < 3; ++i) CHECK(b.tag("t" + std::to_string(i)) != 0);
    CHECK(b.tag("t3") == 0);
    CHECK(b.code == errc::too_many_topics);
    CHECK(b.count(topic_kind::name) == 6);
    CHECK(b.count(topic_kind::pattern) == 4);
    CHECK(b.count(topic_kind::tag) == 3);
    b.store.forget_if_unused(b.name("n0"), morning);
    CHECK(b.name("n4") != 0);
}

TEST_CASE("an event goes to its topic and once to each pattern, whichever was first") {
    counted_store b;
    const std::uint32_t before = b.pattern("a/*"), twice = b.pattern("**");
    const std::uint32_t one = b.name("a/1"), two = b.name("a/2");
    const std::uint32_t after = b.pattern("a/**");
    const std::uint32_t other = b.pattern("b/*");
    b.say(one, 1);
    CHECK(b.told.size() == 8); // four numbers of one digit
    b.say(two, 2);
    // One event to both names.
    const frame event = frame::make({.data = "x"}).frame;
    for (const std::uint32_t where : {one, two, one}) {
        REQUIRE(b.store.reserve(where, false, b.now));
        b.store.append(where, event, 3, morning, true, untold);
    }
    CHECK(b.kept(one) == "1 3");
    CHECK(b.kept(two) == "2 3");
    for (const std::uint32_t p : {before, twice, after}) CHECK(b.kept(p) == "1 2 3");
    CHECK(b.kept(other).empty());
    CHECK(b.store[one].log[0].in_several); // a pattern has it as well
    CHECK(b.store.log_bytes() == b.bytes());
}

TEST_CASE("an event of one topic alone is in one log alone and says so") {
    counted_store b;
    const std::uint32_t one = b.name("a");
    b.say(one, 1);
    CHECK_FALSE(b.store[one].log[0].in_several);
}

TEST_CASE("a pattern begins with what its names have kept, in order and each event once") {
    counted_store b;
    const std::uint32_t one = b.name("a/1"), two = b.name("a/2"), far = b.name("b");
    b.say(two, 1);
    b.say(one, 2);
    b.say(far, 3);
    for (const std::uint32_t where : {one, two}) {
        REQUIRE(b.store.reserve(where, false, b.now));
        b.store.append(where, frame::make({.data = "x"}).frame, 4, morning, true, untold);
    }
    b.say(two, 5);
    const std::uint32_t p = b.pattern("a/*");
    CHECK(b.kept(p) == "1 2 4 5");
    CHECK(b.store[p].log.lost_through() == 0);
    CHECK(b.store.log_bytes() == b.bytes());
}

TEST_CASE("a pattern that is forgotten and made again has lost nothing that its names keep") {
    counted_store b;
    const std::uint32_t one = b.name("a/1");
    b.say(one, 1);
    const std::uint32_t p = b.pattern("a/*");
    b.store.add_reader(p);
    b.say(one, 2);
    b.store.remove_reader(p, morning);
    CHECK(b.count(topic_kind::pattern) == 0);
    b.say(one, 3);
    const std::uint32_t again = b.pattern("a/*");
    CHECK(b.kept(again) == "1 2 3");
    CHECK(b.store[again].log.lost_through() == 0);
}

TEST_CASE("a pattern's keys are those of its topics, each for itself") {
    counted_store b;
    const std::uint32_t one = b.name("c"), two = b.name("ca"), p = b.pattern("*");
    b.say(one, 1, "ab");
    b.say(two, 2, "b"); // "c" and "ab", "ca" and "b": one text, two keys
    b.say(one, 3, "b");
    CHECK(b.store[p].log[0].newer == 0);
    CHECK(b.store[p].log[1].newer == 0);
    b.say(one, 4, "ab");
    CHECK(b.store[p].log[0].newer == 3);
    CHECK(b.store[p].log[1].newer == 0);
    CHECK(b.store[one].log[0].newer == 2);
}

TEST_CASE("a topic is forgotten when nobody reads it and nothing is kept, and not before") {
    counted_store b;
    const std::uint32_t a = b.name("a");
    b.store.forget_if_unused(a, morning);
    CHECK(b.store.find(topic_kind::name, "a") == 0);
    const std::uint32_t read = b.name("read");
    b.store.add_reader(read);
    b.store.forget_if_unused(read, morning);
    CHECK(b.store.find(topic_kind::name, "read") == read);
    b.say(read, 1);
    b.store.remove_reader(read, morning);
    CHECK(b.store.find(topic_kind::name, "read") == read); // it keeps an event
    const std::uint32_t kept = b.name("kept");
    const ssekit::retention own{.events = 5};
    CHECK(b.store.keep(kept, &own, morning) == errc::ok);
    b.store.forget_if_unused(kept, morning);
    CHECK(b.store.find(topic_kind::name, "kept") == kept);
    CHECK(b.store[kept].log.bounds().events == 5);
    CHECK(b.store.keep(kept, nullptr, morning) == errc::ok);
    CHECK(b.store.find(topic_kind::name, "kept") == 0);
    const std::uint32_t pattern = b.pattern("*");
    CHECK(b.store.keep(pattern, &own, morning) == errc::ok);
    b.store.add_reader(pattern);
    b.store.remove_reader(pattern, morning);
    CHECK(b.store.find(topic_kind::pattern, "*") == pattern);
    CHECK(b.store.keep(pattern, nullptr, morning) == errc::ok);
    CHECK(b.store.find(topic_kind::pattern, "*") == 0);
}

TEST_CASE("bounds of one's own trim at once and bytes stay in step") {
    counted_store b;
    const std::uint32_t a = b.name("a");
    for (std::uint64_t i = 1; i <= 10; ++i) b.say(a, i);
    const ssekit::retention own{.events = 2};
    CHECK(b.store.keep(a, &own, morning) == errc::ok);
    CHECK(b.kept(a) == "9 10");
    CHECK(b.store.log_bytes() == b.bytes());
    CHECK(b.store.keep(a, nullptr, morning) == errc::ok);
    CHECK(b.store[a].log.bounds().events == 100);
    const std::uint32_t t = b.tag("t");
    CHECK(b.store.keep(t, &own, morning) == errc::ok);
    b.say(t, 11);
    CHECK(b.store.keep(t, nullptr, morning) == errc::ok);
    CHECK(b.store[t].log.bounds().events == 3); // a tag's usual bounds are others
}

TEST_CASE("what was lost of a name is its own, after it was forgotten too") {
    topic_limits limits = usual;
    limits.keep.age = 10s;
    counted_store b(limits);
    const std::uint32_t a = b.name("a");
    b.say(a, 5);
    b.say(b.name("b"), 6);
    b.now += 1min;
    b.store.expire(b.now, untold);
    b.store.expire(b.now + 1min, untold);
    CHECK(b.count(topic_kind::name) == 0);
    CHECK(b.store.log_bytes() == 0);
    CHECK(b.store[b.name("new")].log.lost_through() == 0);
    CHECK(b.store[b.name("a")].log.lost_through() == 5);
    CHECK(b.store[b.name("b")].log.lost_through() == 6);
    // And once more, without an event between.
    b.store.forget_if_unused(b.name("a"), b.now);
    CHECK(b.store[b.name("a")].log.lost_through() == 5);
}

TEST_CASE("a pattern has lost what its names have lost, forgotten ones included, and no more") {
    counted_store b;
    const std::uint32_t a = b.name("a/1"), far = b.name("b/1");
    const ssekit::retention one{.events = 1};
    CHECK(b.store.keep(a, &one, morning) == errc::ok);
    for (std::uint64_t i = 1; i <= 3; ++i) b.say(a, i);
    const ssekit::retention nothing{.age = -1ms};
    const std::uint32_t gone = b.name("a/2");
    CHECK(b.store.keep(gone, &nothing, morning) == errc::ok);
    b.say(gone, 4);
    CHECK(b.store.keep(gone, nullptr, morning) == errc::ok);
    CHECK(b.store.keep(far, &nothing, morning) == errc::ok);
    b.say(far, 9);
    CHECK(b.store.keep(far, nullptr, morning) == errc::ok);
    CHECK(b.store.find(topic_kind::name, "a/2") == 0);
    CHECK(b.store[b.pattern("a/*")].log.lost_through() == 4);
    CHECK(b.store[b.pattern("a/1")].log.lost_through() == 2);
    CHECK(b.store[b.pattern("b/*")].log.lost_through() == 9);
    CHECK(b.store[b.pattern("c/*")].log.lost_through() == 0);
}

TEST_CASE("what has gone to all topics is lost to those that were not there, but not to tags") {
    counted_store b;
    const std::uint32_t there = b.name("there");
    b.say(there, 7);
    b.store.forgotten().went_to_all(7);
    CHECK(b.store[b.name("new")].log.lost_through() == 7);
    CHECK(b.store[b.tag("t")].log.lost_through() == 0);
    CHECK(b.store[there].log.lost_through() == 0);
    CHECK(b.store[b.pattern("x/*")].log.lost_through() == 7);
}

TEST_CASE("a pattern has not lost what went to all if its names have it") {
    counted_store b;
    b.say(b.name("a/1"), 7);
    b.store.forgotten().went_to_all(7);
    CHECK(b.store[b.pattern("a/*")].log.lost_through() == 0);
}

TEST_CASE("a closed topic is forgotten when its time is over, whoever reads it") {
    counted_store b;
    const std::uint32_t a = b.name("a"), p = b.pattern("*");
    b.store.add_reader(a);
    b.store.add_reader(p);
    b.say(a, 1);
    b.store.close(a, morning + 10s, morning);
    b.store.expire(morning + 9s, untold);
    CHECK(b.store.find(topic_kind::name, "a") == a);
    CHECK(b.store.next_deadline() <= morning + 10s + 250ms);
    for (time_point now = morning + 9s; now <= morning + 11s; now += 100ms)
        b.store.expire(now, untold);
    CHECK(b.store.find(topic_kind::name, "a") == 0);
    CHECK(b.count(topic_kind::name) == 0);
    CHECK(b.store[a].readers == 1); // its log lives on
    CHECK(b.kept(a) == "1");
    const std::uint32_t again = b.name("a");
    CHECK(again != a);
    CHECK(b.store[again].log.lost_through() == 1);
    b.say(again, 2);
    CHECK(b.kept(p) == "1 2"); // the new one feeds the pattern, the old one no more
    CHECK(b.kept(a) == "1");
    b.store.remove_reader(a, morning + 11s); // and now the log goes
    CHECK(b.store.find(topic_kind::name, "a") == again);
    CHECK(b.store.log_bytes() == b.bytes());
}

TEST_CASE("a closed topic that nobody reads and that is empty stays until its time is over") {
    counted_store b;
    const std::uint32_t a = b.name("a");
    b.store.close(a, morning + 10s, morning);
    b.store.forget_if_unused(a, morning + 9s);
    CHECK(b.store.find(topic_kind::name, "a") == a);
    b.store.forget_if_unused(a, morning + 10s);
    CHECK(b.store.find(topic_kind::name, "a") == 0);
}

TEST_CASE("what has an age goes when it is over, and its topic with it") {
    topic_limits limits = usual;
    limits.keep.age = 10s;
    counted_store b(limits);
    const std::uint32_t a = b.name("a");
    b.say(a, 1);
    b.now += 3s;
    b.say(a, 2);
    CHECK(b.store.next_deadline() != never);
    b.store.expire(morning + 9s, untold);
    CHECK(b.kept(a) == "1 2");
    time_point now = morning + 9s;
    for (; now <= morning + 10s + 250ms; now += 50ms) b.store.expire(now, untold);
    CHECK(b.kept(a) == "2");
    for (; now <= morning + 13s + 250ms; now += 50ms) b.store.expire(now, untold);
    CHECK(b.store.find(topic_kind::name, "a") == 0);
    CHECK(b.store.next_deadline() == never);
    CHECK(b.store.log_bytes() == 0);
}

TEST_CASE("what a pattern begins with has an age as well") {
    topic_limits limits = usual;
    limits.keep.age = 10s;
    counted_store b(limits);
    const std::uint32_t a = b.name("a");
    for (std::uint64_t i = 1; i <= 3; ++i) b.say(a, i);
    const std::uint32_t p = b.pattern("*");
    b.store.add_reader(p);
    for (int i = 0; i < 100; ++i) b.store.expire(b.now += 1s, untold);
    CHECK(b.kept(p) == "3"); // the newest stays while somebody reads
}

TEST_CASE("a jump is told to each log that has nothing newer, once") {
    counted_store b;
    const std::uint32_t a = b.name("a"), c = b.name("c");
    const frame telling = frame::make({.data = "gap"}).frame;
    b.say(a, 1);
    b.store.missed().miss(8, telling, telling);
    CHECK(b.store.has_untold_gap(a));
    CHECK(b.store.has_untold_gap(c));
    int told = 0;
    const auto count = [&](std::uint32_t where) { told += where == a ? 1 : 100; };
    CHECK(b.store.note_gap(a, morning, count));
    CHECK(b.store.note_gap(a, morning, count));
    CHECK(told == 1);
    CHECK(b.kept(a) == "1 8");
    CHECK(b.store[a].log[1].tells_of_gap);
    CHECK(b.store[a].log.newest_gap() == 8);
    CHECK(b.store.log_bytes() == b.bytes());
    b.say(c, 9);
    CHECK_FALSE(b.store.has_untold_gap(c));
    CHECK(b.kept(c) == "8 9"); // the event brings the gap with it
    // A pattern takes the gap over with the rest.
    const std::uint32_t p = b.pattern("a");
    CHECK(b.kept(p) == "1 8");
    CHECK(b.store[p].log[1].tells_of_gap);
}

TEST_CASE("an event does not hide from a pattern that others are missing before it") {
    counted_store b;
    const std::uint32_t a = b.name("a"), p = b.pattern("*");
    b.say(a, 1);
    const frame telling = frame::make({.data = "gap"}).frame;
    b.store.missed().miss(8, telling, telling);
    b.say(a, 9);
    CHECK(b.kept(a) == "1 8 9");
    CHECK(b.kept(p) == "1 8 9");
}

TEST_CASE("a walk may forget the topic that it is at") {
    counted_store b;
    for (int i = 0; i < 6; ++i) CHECK(b.name("n" + std::to_string(i)) != 0);
    std::string order;
    b.store.for_each(topic_kind::name, [&](std::uint32_t at) {
        order += std::string(b.store[at].name()) + ";";
        b.store.forget_if_unused(at, morning);
    });
    CHECK(order == "n0;n1;n2;n3;n4;n5;");
    CHECK(b.count(topic_kind::name) == 0);
}

TEST_CASE("topics that come and go leave nothing behind: names, feeds and logs") {
    counted_store b;
    std::size_t live = 0;
    for (int round = 0; round < 40; ++round) {
        const std::uint32_t p = b.pattern("a/*"), q = b.pattern("**");
        b.store.add_reader(p);
        b.store.add_reader(q);
        const std::uint32_t n = b.name("a/" + std::to_string(round % 7));
        const ssekit::retention none{.age = -1ms};
        CHECK(b.store.keep(n, &none, morning) == errc::ok);
        b.say(n, static_cast<std::uint64_t>(round) + 1);
        CHECK(b.store.keep(n, nullptr, morning) == errc::ok);
        b.store.remove_reader(p, morning);
        b.store.remove_reader(q, morning);
        CHECK(b.count(topic_kind::pattern) == 0);
        CHECK(b.count(topic_kind::name) == 0);
        CHECK(b.store.log_bytes() == 0);
        if (round == 10) live = b.memory.live();
    }
    CHECK(b.memory.live() == live);
}

TEST_CASE("a name that patterns come to and go from keeps nothing of them") {
    counted_store b;
    const std::uint32_t n = b.name("a/1");
    b.say(n, 1);
    std::size_t live = 0;
    for (int round = 0; round < 300; ++round) {
        const std::uint32_t p = b.pattern("a/*");
        b.store.add_reader(p);
        b.store.remove_reader(p, morning);
        CHECK(b.store[n].feeds == 0);
        if (round == 10) live = b.memory.live();
    }
    CHECK(b.memory.live() == live);
}

TEST_CASE("without memory a topic is not made and what was there is whole") {
    for (std::size_t grace = 0;; ++grace) {
        REQUIRE(grace < 50);
        support::counted_memory memory;
        bool struck = false;
        for (const topic_kind kind : {topic_kind::name, topic_kind::pattern, topic_kind::tag}) {
            topic_limits limits = usual;
            limits.topics = 1000;
            topic_store store(limits, &memory);
            const auto get = [&](topic_kind of, std::string_view name) {
                std::uint32_t found = 0;
                return store.obtain(of, name, found, morning) == errc::ok ? found : 0;
            };
            // As many as fill a page and a table, so that each has to grow.
            for (int i = 0; i < 7; ++i) REQUIRE(get(topic_kind::pattern, "x" + std::to_string(i)));
            for (int i = 0; i < 7; ++i) REQUIRE(get(topic_kind::name, "a/" + std::to_string(i)));
            REQUIRE(get(topic_kind::pattern, "**"));
            const std::uint32_t filled = store.find(topic_kind::name, "a/3");
            REQUIRE(store.reserve(filled, true, morning));
            store.append(filled, frame::make({.data = "1"}).frame, 1, morning, false, untold);
            const std::size_t before = store.size(kind);
            const std::uint64_t bytes = store.log_bytes();
            memory.grace = grace;
            memory.struck = false;
            std::uint32_t made = 7;
            const errc code = store.obtain(kind, "a/*", made, morning);
            memory.grace = support::counted_memory::unlimited;
            struck = struck || memory.struck;
            CHECK(code == (memory.struck ? errc::out_of_memory : errc::ok));
            CHECK((made != 0) == !memory.struck);
            CHECK(store.size(kind) == before + (memory.struck ? 0 : 1));
            if (memory.struck) CHECK(store.log_bytes() == bytes);
            CHECK(store.find(kind, "a/*") == made);
            const std::uint32_t now_there = get(kind, "a/*");
            REQUIRE(now_there != 0);
            REQUIRE(store.reserve(filled, false, morning));
            store.append(filled, frame::make({.data = "2"}).frame, 2, morning, false, untold);
            if (kind == topic_kind::pattern) CHECK(store[now_there].log.size() == 2);
        }
        CHECK(memory.live() == 0);
        if (!struck) break;
    }
}
