// SPDX-License-Identifier: MIT
#include "integration/uses/use.hpp"

#include <doctest/doctest.h>

#include <cstddef>
#include <filesystem>
#include <string>

#include <unistd.h>

namespace {

/// A folder of its own for the file that the nodes share.
struct place {
    std::filesystem::path folder =
        std::filesystem::temp_directory_path() / ("ssekit-nodes-" + std::to_string(getpid()));
    place() { std::filesystem::create_directory(folder); }
    place(const place&) = delete;
    place& operator=(const place&) = delete;
    ~place() { std::filesystem::remove_all(folder); }
    [[nodiscard]] std::string file() const { return folder / "events.db"; }
};

} // namespace

TEST_CASE("use nodes: what one of them is given comes to the readers of all, once each") {
    const place shared;
    const uses::program first("nodes", {shared.file()});
    const uses::program second("nodes", {shared.file()});
    REQUIRE(first.until_status("/health", 200));
    REQUIRE(second.until_status("/health", 200));
    support::stream_client here(first.port);
    support::stream_client there(second.port);
    for (const std::string text : {"a", "b", "c"}) CHECK(first.post("/events", text) == 202);
    CHECK(second.post("/events", "d") == 202);
    REQUIRE(here.until_count(4));
    REQUIRE(there.until_count(4));
    for (std::size_t i = 0; i < 4; ++i) {
        CHECK(here.events[i].data == there.events[i].data);
        CHECK(here.events[i].last_event_id == there.events[i].last_event_id);
    }
}

TEST_CASE("use nodes: a reader comes back to another node, also after all of them were gone") {
    const place shared;
    std::string id;
    {
        const uses::program node("nodes", {shared.file()});
        REQUIRE(node.until_status("/health", 200));
        support::stream_client reader(node.port);
        CHECK(node.post("/events", "a") == 202);
        REQUIRE(reader.until_count(1));
        id = reader.events[0].last_event_id;
        CHECK(node.post("/events", "b") == 202);
        REQUIRE(reader.until_count(2)); // it is in the file
    }
    const uses::program other("nodes", {shared.file()});
    REQUIRE(other.until_status("/health", 200));
    support::stream_client reader(other.port, "/events", id);
    CHECK(other.post("/events", "c") == 202);
    REQUIRE(reader.until_count(2));
    CHECK(reader.events[0].data == "b");
    CHECK(reader.events[1].data == "c");
}
