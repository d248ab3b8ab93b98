// SPDX-License-Identifier: MIT
#include <ssekit/detail/relay/inbox.hpp>

#include <doctest/doctest.h>

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

using ssekit::errc;
using ssekit::event_place;
using ssekit::event_target;
using ssekit::detail::relay_page;

namespace {

/// What a page says to a hub, in words; each call may fail.
struct told_hub {
    std::string log = {};
    event_place at{7, 0};
    int good_calls = -1; // before one that has no memory; -1: all

    [[nodiscard]] event_place newest() const { return at; }
    errc begin_at(std::uint64_t offset) { return move("begin", {at.epoch, offset}); }
    errc begin_epoch(const event_place& to) { return move("epoch", to); }
    errc lose(const event_place& through) { return move("lose", through); }
    errc skip(const event_place& place) { return move("skip", place); }
    struct result {
        errc ec;
    };
    result publish_sequenced(const event_target& target, const ssekit::sequenced_event& event) {
        log += std::to_string(int(target.kind())) + ":";
        for (std::size_t i = 0; i < target.names().size(); ++i) {
            log += std::string(target.names()[i]) + ",";
        }
        return {move(event.frame ? event.frame.wire() : "mark", {event.epoch, event.offset})};
    }

  private:
    errc move(std::string_view what, const event_place& to) {
        const errc code = good_calls == 0 ? errc::out_of_memory : errc::ok;
        if (good_calls >= 0) --good_calls;
        log += std::string(what) + " " + std::to_string(to.epoch) + "." +
               std::to_string(to.offset) + (code == errc::ok ? "; " : " refused; ");
        if (code == errc::ok) at = to;
        return code;
    }
};

struct telling {
    told_hub hub = {};
    ssekit::entry_reader reader = {};
    ssekit::relay_metrics counts = {};

    bool tell(relay_page& page, std::size_t records = 1000, std::size_t bytes = 100000) {
        return page.tell(hub, reader, records, bytes, counts);
    }
};

std::string event_entry(const ssekit::journal_entry& entry) {
    std::string out;
    CHECK(append_entry(out, entry) == errc::ok);
    return out;
}

} // namespace

TEST_CASE("a page tells where the hub begins, what is lost, and then its events") {
    relay_page page;
    page.begins = event_place{9, 4};
    page.term = 9;
    page.lost_through = 6;
    page.add(7, event_entry({{"a", "b"}, {.type = "t", .data = "x"}, "k"}));
    page.add(8, event_entry({event_target::to_tag("me"), {.data = "y"}}));
    page.add(9, event_entry({event_target::to_all(), {.data = "z"}}));
    page.add(10, event_entry({event_target::closing("a"), {}}));
    page.add(11, event_entry({event_target::closing("b"), {.data = "bye"}}));
    CHECK(page.first() == 7);
    telling told;
    CHECK(told.tell(page));
    CHECK(told.hub.log == "epoch 9.4; lose 9.6; "
                          "0:a,b,id: 9.7\nevent: t\ndata: x\n\n 9.7; "
                          "1:me,id: 9.8\ndata: y\n\n 9.8; "
                          "2:id: 9.9\ndata: z\n\n 9.9; "
                          "3:a,mark 9.10; "
                          "3:b,id: 9.11\ndata: bye\n\n 9.11; ");
    CHECK(page.told_through() == 11);
    CHECK(told.counts.received == 5);
    CHECK(told.counts.lost == 2);
    CHECK(told.tell(page)); // nothing twice
    CHECK(told.counts.received == 5);
}

TEST_CASE("a hub that has the epoch already begins there") {
    relay_page page;
    page.begins = event_place{7, 4};
    page.term = 7;
    telling told;
    CHECK(told.tell(page));
    CHECK(told.hub.log == "begin 7.4; ");
    CHECK(page.told_through() == 4);
    CHECK(page.first() == 0);
}

TEST_CASE("a page is told in parts of so many records or bytes, and at least one") {
    for (const bool by_bytes : {false, true}) {
        relay_page page;
        page.term = 7;
        const std::string entry = event_entry({"a", {.data = "x"}});
        for (std::uint64_t i = 1; i <= 5; ++i) page.add(i, entry);
        telling told;
        const std::size_t records = by_bytes ? 1000 : 2;
        const std::size_t bytes = by_bytes ? entry.size() + 1 : 100000;
        CHECK(!told.tell(page, records, bytes));
        CHECK(page.told_through() == 2);
        CHECK(!told.tell(page, records, bytes));
        CHECK(page.told_through() == 4);
        CHECK(!told.tell(page, by_bytes ? 0 : 1, 0));
        CHECK(page.told_through() == 4);
        CHECK(told.tell(page, 1, 1));
        CHECK(page.told_through() == 5);
        CHECK(told.counts.received == 5);
    }
}

TEST_CASE("what cannot be read is skipped and counted by its kind") {
    relay_page page;
    page.term = 7;
    page.add(1, "");
    page.add(2, "{}");
    page.add(3, std::string_view("\1\1\1", 3));
    telling told;
    CHECK(told.tell(page));
    CHECK(told.hub.log == "skip 7.1; skip 7.2; skip 7.3; ");
    CHECK(told.counts.not_records == 1);
    CHECK(told.counts.newer == 1);
    CHECK(told.counts.malformed == 1);
}

TEST_CASE("without memory the hub is told again, and what it cannot take stays open") {
    relay_page page;
    page.begins = event_place{8, 0};
    page.term = 8;
    page.lost_through = 2;
    page.add(3, "");
    page.add(4, event_entry({"a", {.data = "x"}}));
    page.add(5, event_entry({"a", {.data = "y"}}));
    telling told;
    const auto fails_after = [&](int good_calls) {
        told.hub.log.clear();
        told.hub.good_calls = good_calls;
        return !told.tell(page, 1);
    };
    CHECK(fails_after(0));
    CHECK(told.hub.log == "epoch 8.0 refused; ");
    CHECK(fails_after(1));
    CHECK(told.hub.log == "epoch 8.0; lose 8.2 refused; ");
    CHECK(told.counts.lost == 0);
    CHECK(fails_after(1));
    CHECK(told.hub.log == "lose 8.2; skip 8.3 refused; ");
    CHECK(told.counts.lost == 2);
    CHECK(told.counts.not_records == 0);
    CHECK(page.told_through() == 2);
    CHECK(fails_after(1)); // the skip is done, and the part is over
    CHECK(told.counts.not_records == 1);
    told.hub.log.clear();
    told.hub.good_calls = 0;
    CHECK(told.tell(page));
    // No skip for 4: the jump to 5 tells those who miss it.
    CHECK(told.hub.log == "0:a,id: 8.4\ndata: x\n\n 8.4 refused; 0:a,id: 8.5\ndata: y\n\n 8.5; ");
    CHECK(told.counts.not_taken == 1);
    CHECK(told.counts.received == 1);
}

TEST_CASE("the size of a page counts what it holds") {
    relay_page page;
    const std::size_t before = page.size();
    page.add(1, std::string(1000, 'x'));
    CHECK(page.size() >= before + 1000);
    CHECK(page.size() < before + 1100);
}
