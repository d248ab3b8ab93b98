// SPDX-License-Identifier: MIT
#include "use.hpp"

#include <string>

TEST_CASE("use chat: everybody in a room sees a message, and nobody in another") {
    const uses::program chat("chat");
    support::stream_client alice(chat.port, "/rooms/kitchen");
    CHECK(alice.head.status == 200);
    support::stream_client bob(chat.port, "/rooms/kitchen");
    support::stream_client carol(chat.port, "/rooms/garden");
    CHECK(chat.post("/rooms/kitchen?from=alice", "tea?") == 202);
    CHECK(chat.post("/rooms/garden?from=carol", "rain") == 202);
    for (support::stream_client* const each : {&alice, &bob}) {
        REQUIRE(each->until_count(1));
        CHECK(each->events[0].data == "alice\ntea?");
    }
    REQUIRE(carol.until_count(1));
    CHECK(carol.events[0].data == "carol\nrain");
    support::stream_client late(chat.port, "/rooms/kitchen");
    REQUIRE(late.until_count(1));
    CHECK(late.events[0].data == "alice\ntea?");
}

TEST_CASE("use chat: whatever a message holds, it is one message") {
    const uses::program chat("chat");
    support::stream_client reader(chat.port, "/rooms/library");
    CHECK(chat.post("/rooms/library?from=eve", "a\n\nevent: fake\nid: 7\r\rdata: b\r\n") == 202);
    CHECK(chat.post("/rooms/library?from=bob", std::string("\0\xff", 2)) == 202);
    CHECK(chat.post("/rooms/library?from=bob") == 202);
    REQUIRE(reader.until_count(3));
    CHECK(reader.events[0].type == "message");
    CHECK(reader.events[0].data == "eve\na\n\nevent: fake\nid: 7\n\ndata: b\n");
    CHECK(reader.events[1].data == std::string("bob\n\0\xef\xbf\xbd", 8));
    CHECK(reader.events[2].data == "bob\n");
}

TEST_CASE("use chat: a room that is not there, or a name that is none, is refused") {
    const uses::program chat("chat");
    CHECK(chat.ask("GET /rooms/cellar").status == 404);
    CHECK(chat.ask("GET /rooms/").status == 404);
    CHECK(chat.ask("GET /rooms/*").status == 404);
    CHECK(chat.post("/rooms/cellar?from=bob", "x") == 404);
    CHECK(chat.post("/rooms/garden", "x") == 400);
    CHECK(chat.post("/rooms/garden?from=bob%0Ax", "x") == 400);
    CHECK(chat.post("/rooms/garden?from=bob", std::string(100'000, 'x')) == 413);
}
