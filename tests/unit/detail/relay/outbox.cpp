// SPDX-License-Identifier: MIT
#include <ssekit/detail/relay/outbox.hpp>

#include <doctest/doctest.h>

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

using ssekit::append_end;
using ssekit::appended;
using ssekit::errc;
using ssekit::event_place;
using ssekit::journal_status;
using ssekit::relay_publish_options;
using ssekit::detail::relay_outbox;
using ssekit::detail::relay_result;

namespace {

std::string taken(relay_outbox& box, std::size_t most = 100, std::size_t most_bytes = 1000) {
    std::string all;
    for (const ssekit::journal_record& each : box.take(most, most_bytes)) all += each.entry;
    return all;
}

void push_each(relay_outbox& box, std::string_view entries) {
    for (const char c : entries) CHECK(box.push(std::string(1, c), {}) == errc::ok);
}

/// What is told, as text: "ok 5, in_doubt".
std::string told(const std::vector<relay_result>& results) {
    std::string text;
    for (const relay_result& each : results) {
        if (!text.empty()) text += ", ";
        switch (each.outcome.ec) {
        case errc::ok:
            text += each.outcome.repeated ? "again " : "ok ";
            text += std::to_string(each.outcome.id.epoch) + "." +
                    std::to_string(each.outcome.id.offset);
            break;
        case errc::in_doubt: text += "in doubt"; break;
        case errc::not_stored: text += "not stored: " + each.why; break;
        case errc::closed: text += "closed"; break;
        default: text += "?";
        }
    }
    return text;
}

std::string settle(relay_outbox& box, journal_status status, const std::vector<appended>& ends) {
    std::vector<relay_result> results;
    box.settle(status, ends, 7, "why", results);
    return told(results);
}

std::string reopen(relay_outbox& box, std::uint64_t term) {
    std::vector<relay_result> results;
    box.reopened(term, results);
    return told(results);
}

std::string end(relay_outbox& box) {
    std::vector<relay_result> results;
    box.end(results);
    return told(results);
}

constexpr appended stored(std::uint64_t offset) {
    return {append_end::stored, offset};
}
constexpr appended again{append_end::duplicate, 0};
constexpr appended no{append_end::refused, 0};
constexpr appended unsent{append_end::unsent, 0};
constexpr appended doubt{};

} // namespace

TEST_CASE("events leave in their order, a batch at a time, and are numbered from 1") {
    relay_outbox box(10, 100);
    push_each(box, "abcde");
    CHECK(box.size() == 5);
    CHECK(box.bytes() == 5);
    CHECK(box.first_number() == 1);
    CHECK(taken(box, 2) == "ab");
    push_each(box, "f"); // while it is being stored
    CHECK(settle(box, journal_status::ok, {stored(20), stored(21)}) == "ok 7.20, ok 7.21");
    CHECK(box.first_number() == 3);
    CHECK(taken(box) == "cdef");
    CHECK(settle(box, journal_status::ok, {stored(22), again, no, {append_end::duplicate, 5}}) ==
          "ok 7.22, again 7.0, not stored: why, again 7.5");
    CHECK(box.size() == 0);
    CHECK(box.bytes() == 0);
    CHECK(taken(box).empty());
    CHECK(box.first_number() == 7);
}

TEST_CASE("a batch has bounds in events and in bytes, but takes at least one") {
    relay_outbox box(10, 1000);
    for (const std::size_t size : {10u, 20u, 30u}) {
        CHECK(box.push(std::string(size, 'x'), {}) == errc::ok);
    }
    CHECK(taken(box, 10, 60).size() == 60);
    CHECK(taken(box, 10, 59).size() == 30);
    CHECK(taken(box, 10, 30).size() == 30);
    CHECK(taken(box, 10, 29).size() == 10);
    CHECK(taken(box, 10, 0).size() == 10);
    CHECK(taken(box, 0, 100).size() == 10);
}

TEST_CASE("a queue has bounds in events and in bytes, and takes one of any size") {
    relay_outbox few(2, 1000);
    push_each(few, "ab");
    CHECK(few.push("c", {}) == errc::queue_is_full);
    CHECK(settle(few, journal_status::ok, {stored(1)}) == "ok 7.1");
    CHECK(few.push("c", {}) == errc::ok);

    relay_outbox small(100, 10);
    CHECK(small.push(std::string(50, 'x'), {}) == errc::ok);
    CHECK(small.push("a", {}) == errc::queue_is_full);
    CHECK(settle(small, journal_status::ok, {stored(1)}) == "ok 7.1");
    CHECK(small.push("12345", {}) == errc::ok);
    CHECK(small.push("123", {.once = "key"}) == errc::queue_is_full); // keys count
    CHECK(small.push("12", {.once = "key"}) == errc::ok);
    CHECK(small.push("", {}) == errc::ok);
    CHECK(small.push("1", {}) == errc::queue_is_full);
    CHECK(small.bytes() == 10);

    relay_outbox none(0, 10);
    CHECK(none.push("a", {}) == errc::queue_is_full);
}

TEST_CASE("what the journal did not store is sent again with the same numbers") {
    for (const journal_status status : {journal_status::away, journal_status::other_term}) {
        relay_outbox box(10, 100);
        reopen(box, 1);
        push_each(box, "abc");
        CHECK(taken(box, 2) == "ab");
        CHECK(settle(box, status, {unsent, unsent}).empty());
        CHECK(reopen(box, status == journal_status::away ? 1 : 2).empty());
        CHECK(box.first_number() == 1);
        CHECK(taken(box) == "abc");
    }
}

TEST_CASE("doubt ends when it is sent again, in the same term") {
    relay_outbox box(10, 100);
    reopen(box, 1);
    push_each(box, "abc");
    CHECK(taken(box, 2) == "ab");
    CHECK(settle(box, journal_status::away, {doubt, doubt}).empty());
    CHECK(reopen(box, 1).empty());
    CHECK(taken(box) == "abc");
    CHECK(settle(box, journal_status::ok, {again, stored(5), stored(6)}) ==
          "again 7.0, ok 7.5, ok 7.6");
    push_each(box, "d");
    CHECK(taken(box) == "d");
    CHECK(reopen(box, 2).empty()); // and it does not stick to others
}

TEST_CASE("what is in doubt when the term changes stays so, and the rest is sent") {
    relay_outbox box(10, 100);
    reopen(box, 1);
    push_each(box, "abcd");
    CHECK(taken(box, 3) == "abc");
    CHECK(settle(box, journal_status::away, {unsent, doubt, unsent}).empty());
    // An attempt that does not get through tells nothing new.
    CHECK(settle(box, journal_status::away, {unsent, unsent, unsent}).empty());
    CHECK(settle(box, journal_status::other_term, {unsent, unsent, unsent}).empty());
    CHECK(reopen(box, 1).empty());
    // Before one in doubt all are, for a journal stores them in their order.
    CHECK(reopen(box, 2) == "in doubt, in doubt");
    CHECK(box.first_number() == 3);
    CHECK(taken(box) == "cd");
    CHECK(settle(box, journal_status::ok, {stored(1), stored(2)}) == "ok 7.1, ok 7.2");
}

TEST_CASE("a journal that says ok and not what became of a record is asked again") {
    relay_outbox box(10, 100);
    push_each(box, "abc");
    CHECK(taken(box) == "abc");
    CHECK(settle(box, journal_status::ok, {stored(1), unsent, stored(3)}) == "ok 7.1");
    CHECK(taken(box) == "bc");
}

TEST_CASE("at its end each event that is left has an outcome, and none is taken") {
    relay_outbox box(10, 100);
    reopen(box, 1);
    push_each(box, "abc");
    CHECK(taken(box, 1) == "a");
    CHECK(settle(box, journal_status::away, {doubt}).empty());
    box.close();
    CHECK(box.is_closed());
    CHECK(box.push("d", {}) == errc::closed);
    CHECK(taken(box) == "abc"); // which are still sent
    CHECK(end(box) == "in doubt, closed, closed");
    CHECK(end(box).empty());
    CHECK(box.bytes() == 0);
}

TEST_CASE("what a record has to be stored once by goes with it, and who is told comes back") {
    relay_outbox box(10, 100);
    int context = 0;
    const ssekit::relay_done done([](void*, const ssekit::relay_outcome&) noexcept {}, &context);
    CHECK(box.push("a", {.once = "key", .once_for = std::chrono::milliseconds(5), .done = done}) ==
          errc::ok);
    const auto records = box.take(1, 100);
    CHECK(records[0].once == "key");
    CHECK(records[0].once_for == std::chrono::milliseconds(5));
    std::vector<relay_result> results;
    box.settle(journal_status::ok, std::vector<appended>{stored(1)}, 7, "", results);
    CHECK(bool(results[0].done));
}
