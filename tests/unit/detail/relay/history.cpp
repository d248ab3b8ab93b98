// SPDX-License-Identifier: MIT
#include <ssekit/detail/relay/history.hpp>

#include <doctest/doctest.h>

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

using ssekit::errc;
using ssekit::event_place;
using ssekit::history_need;
using ssekit::journal_page;
using ssekit::journal_status;
using ssekit::detail::history_queue;
using ssekit::detail::relay_history;

namespace {

/// What a page feeds, in words.
struct fed_hub {
    std::string log = {};
    std::size_t room = 1000;

    errc feed(std::uint64_t stream, const ssekit::event_target&,
              const ssekit::sequenced_event& event) {
        if (room == 0) return errc::queue_is_full;
        --room;
        log += std::to_string(stream) + (event.frame ? " event " : " mark ") +
               std::to_string(event.offset) + "; ";
        return errc::ok;
    }
    errc feed_through(std::uint64_t, const event_place& place) {
        log += "through " + std::to_string(place.epoch) + "." + std::to_string(place.offset) + "; ";
        return errc::ok;
    }
    errc feed_no_more(std::uint64_t) {
        log += "no more; ";
        return errc::ok;
    }
};

struct feeding {
    fed_hub hub = {};
    ssekit::entry_reader reader = {};

    bool feed(relay_history& history, std::size_t records = 1000, std::size_t bytes = 100000) {
        return history.feed(hub, reader, records, bytes);
    }
};

std::string history_entry(const ssekit::journal_entry& entry) {
    std::string out;
    CHECK(append_entry(out, entry) == errc::ok);
    return out;
}

relay_history page_of(std::uint64_t first, std::uint64_t last) {
    relay_history made{{5, {7, first - 1}}};
    for (std::uint64_t i = first; i <= last; ++i) {
        made.page.add(i, history_entry({"a", {.data = "x"}}));
    }
    made.read({journal_status::ok, last, last + 10});
    return made;
}

} // namespace

TEST_CASE("a stream is fed what a page has, also what is not for it, and up to where it goes") {
    relay_history made{{5, {7, 10}}};
    made.page.add(11, history_entry({"a", {.data = "x"}}));
    made.page.add(12, "what nobody can read");
    made.page.add(13, history_entry({ssekit::event_target::closing("a"), {}}));
    made.read({journal_status::ok, 13, 20});
    feeding to;
    CHECK(to.feed(made));
    CHECK(to.hub.log == "5 event 11; through 7.12; 5 mark 13; through 7.13; ");
}

TEST_CASE("a page is fed in parts, and dropped where the stream takes no more") {
    relay_history made = page_of(1, 5);
    feeding to;
    CHECK(!to.feed(made, 2));
    CHECK(!to.feed(made, 100, 1));
    CHECK(to.hub.log == "5 event 1; 5 event 2; 5 event 3; ");
    to.hub.room = 1;
    CHECK(to.feed(made)); // it will ask again, after 4
    CHECK(to.hub.log == "5 event 1; 5 event 2; 5 event 3; 5 event 4; ");
}

TEST_CASE("where the log has nothing more, the stream is told so, once and for all") {
    const auto log_of = [](const journal_page& found) {
        relay_history made{{5, {7, 10}}};
        made.read(found);
        feeding to;
        CHECK(to.feed(made));
        return to.hub.log;
    };
    CHECK(log_of({journal_status::lost, 20, 20}) == "no more; ");
    CHECK(log_of({journal_status::ok, 10, 10}) == "no more; "); // or it would ask for ever
    // Lost in part: what is fed does not follow, which says it.
    relay_history made{{5, {7, 10}}};
    made.page.add(15, history_entry({"a", {.data = "x"}}));
    made.read({journal_status::lost, 15, 20});
    feeding to;
    CHECK(to.feed(made));
    CHECK(to.hub.log == "5 event 15; through 7.15; ");
}

TEST_CASE("a stream is asked for once at a time, and each has its turn") {
    history_queue queue;
    CHECK(queue.empty());
    CHECK(queue.ask({5, {7, 1}}));
    CHECK(queue.ask({3, {7, 2}}));
    CHECK(!queue.ask({5, {7, 9}}));
    CHECK(queue.take().stream == 5);
    CHECK(!queue.ask({5, {7, 9}})); // it is being read
    queue.settle(5);
    queue.settle(5);
    CHECK(queue.ask({5, {7, 9}}));
    const history_need three = queue.take();
    CHECK(three.after == event_place{7, 2});
    queue.put_back(three);
    CHECK(!queue.ask({3, {7, 2}}));
    CHECK(queue.take().after == event_place{7, 9});
    CHECK(queue.take().stream == 3);
    CHECK(queue.empty());
}
