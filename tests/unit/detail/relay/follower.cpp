// SPDX-License-Identifier: MIT
#include <ssekit/detail/relay/follower.hpp>

#include <doctest/doctest.h>

#include <cstdint>

using ssekit::event_place;
using ssekit::journal_bounds;
using ssekit::journal_status;
using ssekit::detail::log_follower;
using opening = ssekit::detail::log_follower::opening;

namespace {

journal_bounds log_of(std::uint64_t term, std::uint64_t oldest, std::uint64_t newest,
                      std::uint64_t since = 0) {
    return {journal_status::ok, term, oldest, newest, since};
}

} // namespace

TEST_CASE("a hub that starts begins so many records before the newest, as far as they are kept") {
    const auto begin = [](std::uint64_t ring, const journal_bounds& log) {
        log_follower follower(ring);
        CHECK(follower.opened(log) == opening::begins);
        CHECK(follower.aim() == log.newest);
        CHECK(follower.newest() == log.newest);
        return follower.place();
    };
    CHECK(begin(10, log_of(7, 1, 100)) == event_place{7, 90});
    CHECK(begin(100, log_of(7, 1, 100)) == event_place{7, 0});
    CHECK(begin(~std::uint64_t{0}, log_of(7, 1, 100)) == event_place{7, 0});
    CHECK(begin(0, log_of(7, 1, 100)) == event_place{7, 100});
    CHECK(begin(10, log_of(7, 96, 100)) == event_place{7, 95});
    CHECK(begin(10, log_of(7, 101, 100)) == event_place{7, 100}); // nothing is kept
    CHECK(begin(10, log_of(7, 1, 0)) == event_place{7, 0});
    CHECK(begin(10, log_of(7, 1, ~std::uint64_t{0})) == event_place{7, ~std::uint64_t{0} - 10});
    // Also what is of an earlier term: nobody has had it from this hub.
    CHECK(begin(10, log_of(7, 1, 100, 100)) == event_place{7, 90});
}

TEST_CASE("opened again in the same term, a hub goes on where it was") {
    log_follower follower(10);
    follower.opened(log_of(7, 1, 100));
    CHECK(follower.read({journal_status::ok, 95, 100}, 91) == 0);
    CHECK(follower.opened(log_of(7, 50, 200)) == opening::goes_on);
    CHECK(follower.place() == event_place{7, 95});
    CHECK(follower.aim() == 100); // no later aim: clients may come
    CHECK(follower.term_changes() == 0);
}

TEST_CASE("in another term a hub begins where that began, and gets nothing twice") {
    log_follower follower(10);
    follower.opened(log_of(7, 1, 100));
    CHECK(follower.opened(log_of(8, 1, 120, 98)) == opening::begins);
    CHECK(follower.place() == event_place{8, 98});
    CHECK(follower.opened(log_of(9, 1, 3)) == opening::begins); // a log that counts from 1 again
    CHECK(follower.place() == event_place{9, 0});
    CHECK(follower.opened(log_of(10, 50, 60, 20)) == opening::begins);
    CHECK(follower.place() == event_place{10, 49}); // it began with records that are gone
    CHECK(follower.opened(log_of(11, 1, 5, 70)) == opening::begins);
    CHECK(follower.place() == event_place{11, 5}); // bounds that make no sense stay harmless
    CHECK(follower.term_changes() == 4);
}

TEST_CASE("a log that goes back within its term is not followed until it has another") {
    log_follower follower(10);
    follower.opened(log_of(7, 1, 100));
    CHECK(follower.read({journal_status::ok, 100, 100}, 91) == 0);
    CHECK(follower.opened(log_of(7, 1, 99)) == opening::went_back);
    CHECK(follower.opened(log_of(7, 1, 200)) == opening::went_back); // its ids are others' now
    CHECK(follower.place() == event_place{7, 100});
    CHECK(follower.opened(log_of(8, 1, 200, 99)) == opening::begins);
    CHECK(follower.opened(log_of(8, 1, 200, 99)) == opening::goes_on);
}

TEST_CASE("what is lost lies before the first record of a page, or is all of it") {
    log_follower follower(0);
    follower.opened(log_of(7, 1, 10));
    CHECK(follower.read({journal_status::ok, 20, 50}, 11) == 0);
    CHECK(follower.place() == event_place{7, 20});
    CHECK(follower.newest() == 50);
    CHECK(follower.read({journal_status::lost, 40, 60}, 31) == 30);
    CHECK(follower.place() == event_place{7, 40});
    CHECK(follower.read({journal_status::lost, 60, 60}, 0) == 60);
    CHECK(follower.place() == event_place{7, 60});
    CHECK(follower.read({journal_status::ok, 60, 60}, 0) == 0);
    CHECK(follower.read({journal_status::ok, 10, 10}, 0) == 0); // never back
    CHECK(follower.place() == event_place{7, 60});
    CHECK(follower.newest() == 60);
    CHECK(follower.read({journal_status::lost, 60, 60}, 0) == 0); // nothing is nothing
}
