// SPDX-License-Identifier: MIT
#include "use.hpp"

#include <optional>
#include <string>
#include <string_view>

namespace {

std::string change(std::string_view name, bool present) {
    return R"({"tag":")" + std::string(name) + R"(","present":)" + (present ? "true}" : "false}");
}

} // namespace

TEST_CASE("use room: everybody sees who is there, who comes and who goes, and no reload") {
    const uses::program room("room");
    support::stream_client alice(room.port, "/room?name=alice");
    CHECK(alice.head.status == 200);
    REQUIRE(alice.until_count(2));
    CHECK(alice.events[0].data == change("alice", true));
    CHECK(alice.events[1].type == "here");
    CHECK(alice.events[1].data == "alice\n");
    std::optional<support::stream_client> bob(std::in_place, room.port, "/room?name=bob");
    REQUIRE(bob->until_type("here"));
    CHECK(bob->find("here")->data == "alice\nbob\n");
    bob.emplace(room.port, "/room?name=bob"); // again, which nobody is told
    REQUIRE(bob->until_type("here"));
    bob.reset();
    REQUIRE(alice.until_count(4));
    CHECK(alice.events[2].data == change("bob", true));
    CHECK(alice.events[3].data == change("bob", false));
    CHECK(alice.events[3].type == "presence");
    CHECK(room.until_answer("/people", "1\n"));
    CHECK(room.ask("GET /room?name=%22").status == 400);
}
