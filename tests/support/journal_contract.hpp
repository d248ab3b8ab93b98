// SPDX-License-Identifier: MIT
//
// What each journal has to keep, whatever its engine. `Log` stands for a log that is new:
//
//   log.connect()   another journal of it, as a std::unique_ptr
//   log.erase()     deletes it in the engine, with everything
#ifndef SSEKIT_TESTS_SUPPORT_JOURNAL_CONTRACT_HPP
#define SSEKIT_TESTS_SUPPORT_JOURNAL_CONTRACT_HPP

#include <ssekit/journal.hpp>

#include <doctest/doctest.h>

#include <array>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

namespace support {

using ssekit::append_end;
using ssekit::journal_status;

/// What `read` has shown.
struct journal_reading {
    ssekit::journal_page page;
    std::vector<std::uint64_t> offsets = {};
    std::vector<std::string> entries = {};
};

template <ssekit::journal Journal>
journal_reading read_from(Journal& from, std::uint64_t after, std::uint64_t most = 1000) {
    journal_reading out;
    out.page =
        from.read(after, most, [&out](std::uint64_t offset, std::string_view entry) noexcept {
            out.offsets.push_back(offset);
            out.entries.emplace_back(entry);
        });
    return out;
}

struct appending {
    journal_status status;
    std::vector<ssekit::appended> ends;
};

template <ssekit::journal Journal>
appending append_to(Journal& to, std::string_view producer, std::uint64_t first,
                    const std::vector<ssekit::journal_record>& records) {
    appending out{{}, std::vector<ssekit::appended>(records.size())};
    out.status = to.append(producer, first, records, out.ends);
    return out;
}

/// Records that say which they are: "name 1", "name 2" ...
template <ssekit::journal Journal>
appending append_some(Journal& to, std::string_view producer, std::uint64_t first,
                      std::size_t count) {
    std::vector<std::string> texts;
    std::vector<ssekit::journal_record> records;
    for (std::size_t i = 0; i < count; ++i) {
        texts.push_back(std::string(producer) + " " + std::to_string(first + i));
    }
    for (const std::string& text : texts) records.push_back({text});
    return append_to(to, producer, first, records);
}

inline bool all_stored(const appending& made, std::uint64_t first) {
    bool right = made.status == journal_status::ok;
    for (const ssekit::appended& each : made.ends) {
        right = right && each.how == append_end::stored && each.offset == first++;
    }
    return right;
}

template <class Log>
void journal_opens(Log& log) {
    const auto one = log.connect();
    const auto other = log.connect();
    const ssekit::journal_bounds begin = one->open();
    INFO(std::string(one->error()));
    REQUIRE(begin.status == journal_status::ok);
    CHECK(begin.term != 0);
    CHECK(begin.newest == 0);
    CHECK(begin.oldest == 1);
    CHECK(begin.since == 0);
    const ssekit::journal_bounds seen = other->open();
    CHECK(seen.status == journal_status::ok);
    CHECK(seen.term == begin.term);
    CHECK(one->open().term == begin.term);
    CHECK(log.connect()->open().term == begin.term);
}

template <class Log>
void journal_appends_and_reads(Log& log) {
    const auto one = log.connect();
    const auto other = log.connect();
    REQUIRE(one->open().status == journal_status::ok);
    REQUIRE(other->open().status == journal_status::ok);
    CHECK(append_to(*one, "a", 1, {}).status == journal_status::ok);
    CHECK(all_stored(append_some(*one, "a", 1, 5), 1));
    CHECK(all_stored(append_some(*other, "b", 1, 2), 6));
    CHECK(one->open().newest == 7);

    journal_reading seen = read_from(*other, 2, 2);
    CHECK(seen.page.status == journal_status::ok);
    CHECK(seen.page.through == 4);
    CHECK(seen.page.newest == 7);
    CHECK(seen.offsets == std::vector<std::uint64_t>{3, 4});
    CHECK(seen.entries == std::vector<std::string>{"a 3", "a 4"});
    seen = read_from(*one, 4);
    CHECK(seen.entries == std::vector<std::string>{"a 5", "b 1", "b 2"});
    CHECK(seen.page.through == 7);
    seen = read_from(*other, 7);
    CHECK(seen.page.status == journal_status::ok); // nothing after the newest, and that is no loss
    CHECK(seen.page.through == 7);
    CHECK(seen.offsets.empty());
    seen = read_from(*other, 3, 0);
    CHECK(seen.page.status == journal_status::ok);
    CHECK(seen.page.newest == 7);
    CHECK(seen.page.through == 3);
    CHECK(seen.offsets.empty());
    for (const std::uint64_t never :
         {std::uint64_t{8}, ~std::uint64_t{0} >> 1, ~std::uint64_t{0}}) {
        CAPTURE(never);
        CHECK(read_from(*other, never).page.status == journal_status::other_term);
    }
}

template <class Log>
void journal_keeps_any_bytes(Log& log) {
    const auto one = log.connect();
    REQUIRE(one->open().status == journal_status::ok);
    std::string every;
    for (int byte = 0; byte < 256; ++byte) every += static_cast<char>(byte);
    const std::string large(900'000, 'z');
    const std::string zero(1, '\0');
    REQUIRE(all_stored(append_to(*one, every, 1, {{every}, {large}, {zero}}), 1));
    const journal_reading seen = read_from(*one, 0);
    REQUIRE(seen.entries.size() == 3);
    CHECK(seen.entries[0] == every);
    CHECK(seen.entries[1] == large);
    CHECK(seen.entries[2] == zero);
    CHECK(append_to(*one, every, 3, {{zero}}).ends[0].how == append_end::duplicate);
    // An entry of no bytes is how something foreign is shown, so it cannot be written.
    const appending nothing = append_to(*one, every, 4, {{""}, {"x"}});
    CHECK(nothing.status == journal_status::ok);
    CHECK(nothing.ends[0].how == append_end::refused);
    CHECK(!one->error().empty());
    CHECK(nothing.ends[1].how == append_end::stored);
    CHECK(nothing.ends[1].offset == 4);
}

template <class Log>
void journal_knows_duplicates(Log& log) {
    const auto one = log.connect();
    const auto other = log.connect();
    REQUIRE(one->open().status == journal_status::ok);
    REQUIRE(other->open().status == journal_status::ok);
    REQUIRE(all_stored(append_some(*one, "a", 1, 5), 1));
    // Over another connection, as after a lost answer; no offset is used up.
    appending again = append_some(*other, "a", 4, 4);
    CHECK(again.status == journal_status::ok);
    CHECK(again.ends[0].how == append_end::duplicate);
    CHECK(again.ends[1].how == append_end::duplicate);
    CHECK(again.ends[2].how == append_end::stored);
    CHECK(again.ends[2].offset == 6);
    CHECK(again.ends[3].offset == 7);
    again = append_some(*one, "a", 1, 7);
    for (const ssekit::appended& each : again.ends) CHECK(each.how == append_end::duplicate);
    CHECK(all_stored(append_some(*one, "a", 100, 1), 8)); // numbers may be left out
    CHECK(all_stored(append_some(*one, "another", 1, 1), 9));
    CHECK(read_from(*one, 0).offsets.size() == 9);
}

template <class Log>
void journal_knows_what_comes_once(Log& log) {
    using namespace std::chrono_literals;
    const auto one = log.connect();
    const auto other = log.connect();
    REQUIRE(one->open().status == journal_status::ok);
    REQUIRE(other->open().status == journal_status::ok);
    appending made = append_to(*one, "a", 1, {{"x", "k1", 1h}, {"y", "k2", 1h}, {"z", "k1", 1h}});
    CHECK(made.ends[0].offset == 1);
    CHECK(made.ends[1].offset == 2);
    CHECK(made.ends[2].how == append_end::duplicate);
    CHECK(made.ends[2].offset == 1);
    // By whatever producer, and its numbers go on.
    made = append_to(*other, "b", 1, {{"x", "k2", 1h}, {"w"}, {"w"}});
    CHECK(made.ends[0].how == append_end::duplicate);
    CHECK(made.ends[0].offset == 2);
    CHECK(made.ends[1].offset == 3); // no key is no duplicate
    CHECK(made.ends[2].offset == 4);
    CHECK(append_to(*other, "b", 3, {{"w"}}).ends[0].how == append_end::duplicate);
    // What has expired is free, also if it never lived.
    made = append_to(*one, "a", 4, {{"x", "k3", 0ms}, {"x", "k3", -1ms}, {"x", "k3", 1h}});
    CHECK(made.ends[0].how == append_end::stored);
    CHECK(made.ends[1].how == append_end::stored);
    CHECK(made.ends[2].how == append_end::stored);
    made = append_to(*one, "a", 7,
                     {{"x", "k4", std::chrono::milliseconds::max()},
                      {"x", "k4", std::chrono::milliseconds::max()}});
    CHECK(made.ends[0].how == append_end::stored);
    CHECK(made.ends[1].how == append_end::duplicate);
}

template <class Log>
void journal_waits(Log& log, std::chrono::milliseconds time) {
    const auto one = log.connect();
    const auto other = log.connect();
    REQUIRE(one->open().status == journal_status::ok);
    REQUIRE(other->open().status == journal_status::ok);
    REQUIRE(all_stored(append_some(*one, "a", 1, 1), 1));
    const std::chrono::minutes long_time(5);
    CHECK(other->wait(0, long_time) == journal_status::ok); // or this test ends by its time-out
    CHECK(other->wait(1, std::chrono::milliseconds(0)) == journal_status::ok);
    const auto before = std::chrono::steady_clock::now();
    journal_status status = journal_status::ok;
    while (std::chrono::steady_clock::now() < before + time) status = other->wait(1, time);
    CHECK(status == journal_status::ok);
    std::thread late([&] { static_cast<void>(append_some(*one, "a", 2, 1)); });
    while (read_from(*other, 1).offsets.empty()) static_cast<void>(other->wait(1, long_time));
    late.join();
}

template <class Log>
void journal_trims(Log& log) {
    const auto one = log.connect();
    const auto other = log.connect();
    const std::uint64_t term = one->open().term;
    REQUIRE(other->open().term == term);
    CHECK(one->trim(0) == journal_status::ok); // nothing to do
    REQUIRE(all_stored(append_some(*one, "a", 1, 10), 1));
    CHECK(one->trim(100) == journal_status::ok);
    CHECK(other->open().oldest == 1);
    CHECK(one->trim(4) == journal_status::ok);
    ssekit::journal_bounds left = other->open();
    CHECK(left.oldest == 7);
    CHECK(left.newest == 10);
    CHECK(left.term == term);
    journal_reading seen = read_from(*other, 6);
    CHECK(seen.page.status == journal_status::ok); // it stands right before the oldest
    CHECK(seen.offsets.size() == 4);
    seen = read_from(*other, 5, 2);
    CHECK(seen.page.status == journal_status::lost);
    CHECK(seen.offsets == std::vector<std::uint64_t>{7, 8});
    CHECK(seen.page.through == 8);

    CHECK(one->trim(0) == journal_status::ok);
    left = other->open();
    CHECK(left.oldest == 11);
    CHECK(left.newest == 10);
    CHECK(left.term == term);
    seen = read_from(*other, 9);
    CHECK(seen.page.status == journal_status::lost); // and it is told, though nothing is there
    CHECK(seen.page.through == 10);
    CHECK(read_from(*other, 10).page.status == journal_status::ok);
    CHECK(read_from(*other, 11).page.status == journal_status::other_term);
    CHECK(all_stored(append_some(*one, "a", 11, 1), 11));
    CHECK(append_some(*one, "a", 10, 1).ends[0].how == append_end::duplicate);
}

template <class Log>
void journal_made_anew(Log& log) {
    const auto reader = log.connect();
    const auto late_writer = log.connect();
    const std::uint64_t term = reader->open().term;
    REQUIRE(late_writer->open().term == term);
    REQUIRE(all_stored(append_some(*late_writer, "a", 1, 5), 1));
    log.erase();
    const auto one = log.connect();
    const ssekit::journal_bounds begin = one->open();
    REQUIRE(begin.status == journal_status::ok);
    CHECK(begin.term != term);
    CHECK(begin.newest == 0);
    CHECK(begin.since == 0);
    // Its numbers are gone with it: this is no duplicate.
    CHECK(all_stored(append_some(*one, "a", 1, 3), 1));
    const journal_status read = read_from(*reader, 2).page.status;
    CHECK((read == journal_status::other_term || read == journal_status::away));
    const appending written = append_some(*late_writer, "a", 6, 1);
    CHECK((written.status == journal_status::other_term || written.status == journal_status::away));
    CHECK(written.ends[0].how != append_end::stored);
    CHECK(reader->open().term == begin.term);
    CHECK(read_from(*reader, 0).entries == std::vector<std::string>{"a 1", "a 2", "a 3"});
}

/// Several write at once, and a reader looks all the time: it sees each offset in its turn.
template <class Log>
void journal_is_dense(Log& log, std::size_t calls) {
    constexpr std::size_t writers = 3;
    std::atomic<std::uint64_t> stored = 0;
    std::atomic<bool> wrong = false;
    std::vector<std::thread> threads;
    for (std::size_t w = 0; w < writers; ++w) {
        threads.emplace_back([&, w] {
            const auto journal = log.connect();
            wrong = wrong || journal->open().status != journal_status::ok;
            const std::string name = "w" + std::to_string(w);
            std::uint64_t number = 1;
            for (std::size_t i = 0; i < calls; ++i) {
                const std::size_t count = 1 + i % 5;
                appending made = append_some(*journal, name, number, count);
                while (made.status != journal_status::ok)
                    made = append_some(*journal, name, number, count);
                for (const ssekit::appended& each : made.ends) {
                    wrong = wrong || each.how == append_end::refused;
                }
                number += count;
                stored += count;
            }
        });
    }
    const auto reader = log.connect();
    CHECK(reader->open().status == journal_status::ok);
    std::uint64_t all = 0;
    for (std::size_t i = 0; i < calls; ++i) all += writers * (1 + i % 5);
    std::uint64_t last = 0;
    std::uint64_t broken = 0;
    std::vector<std::uint64_t> numbers(writers);
    const auto until = std::chrono::steady_clock::now() + std::chrono::minutes(2);
    while (last < all && std::chrono::steady_clock::now() < until) {
        const journal_reading seen = read_from(*reader, last, 50);
        broken += seen.page.status != journal_status::ok;
        for (std::size_t i = 0; i < seen.offsets.size(); ++i) {
            broken += seen.offsets[i] != ++last;
            const auto writer = static_cast<std::size_t>(seen.entries[i][1] - '0');
            broken += seen.entries[i].substr(3) != std::to_string(++numbers[writer]);
        }
        static_cast<void>(reader->wait(last, std::chrono::milliseconds(20)));
    }
    for (std::thread& each : threads) each.join();
    CHECK(last == all);
    CHECK(stored == all);
    CHECK(broken == 0);
    CHECK(!wrong);
    CHECK(reader->open().newest == all);
}

/// Each of them, on a log of its own. `make()` gives one.
template <class Make>
void keeps_the_contract(Make&& make, std::chrono::milliseconds wait_time, std::size_t calls) {
    const auto with = [&](auto&& check) {
        auto log = make();
        check(*log);
    };
    with([](auto& log) { journal_opens(log); });
    with([](auto& log) { journal_appends_and_reads(log); });
    with([](auto& log) { journal_keeps_any_bytes(log); });
    with([](auto& log) { journal_knows_duplicates(log); });
    with([](auto& log) { journal_knows_what_comes_once(log); });
    with([&](auto& log) { journal_waits(log, wait_time); });
    with([](auto& log) { journal_trims(log); });
    with([](auto& log) { journal_made_anew(log); });
    with([&](auto& log) { journal_is_dense(log, calls); });
}

} // namespace support

#endif
