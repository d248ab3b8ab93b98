// SPDX-License-Identifier: MIT
#include "use.hpp"

#include <csignal>
#include <cstddef>
#include <string>

namespace {

std::string start(const uses::program& jobs) {
    const support::response started = jobs.ask("POST /jobs");
    CHECK(started.status == 201);
    return started.header("Location");
}

} // namespace

TEST_CASE("use jobs: a stream tells how far the job is, and ends with it") {
    const uses::program jobs("jobs");
    const std::string job = start(jobs);
    CHECK(job == "/jobs/1");
    support::stream_client client(jobs.port, job);
    CHECK(client.head.status == 200);
    REQUIRE(client.until_type("complete"));
    CHECK(client.until([&] { return client.ended(); }));
    REQUIRE(client.events.size() == 12);
    for (std::size_t i = 0; i < 11; ++i) {
        CHECK(client.events[i].type == "progress");
        CHECK(client.events[i].data == std::to_string(10 * i));
    }
    CHECK(client.events[11].data == "done");
}

TEST_CASE(
    "use jobs: a late client gets the end, and one that has had it is told that there is no more") {
    const uses::program jobs("jobs");
    const std::string job = start(jobs);
    support::stream_client client(jobs.port, job);
    REQUIRE(client.until_type("complete"));
    support::stream_client late(jobs.port, job, client.events[9].last_event_id);
    REQUIRE(late.until([&] { return late.ended(); }));
    REQUIRE(late.events.size() == 2);
    CHECK(late.events[1].type == "complete");
    CHECK(support::stream_client(jobs.port, job, client.last_event_id()).head.status == 204);
    CHECK(jobs.until_status(job, 204));
}

TEST_CASE("use jobs: jobs are told apart, and those that were never started are not there") {
    const uses::program jobs("jobs");
    const std::string first = start(jobs);
    const std::string second = start(jobs);
    CHECK(second == "/jobs/2");
    support::stream_client client(jobs.port, second);
    REQUIRE(client.until_type("complete"));
    CHECK(client.events.size() == 12);
    CHECK(jobs.ask("GET /jobs/3").status == 404);
    CHECK(jobs.ask("GET /jobs/0").status == 404);
    CHECK(jobs.ask("GET /jobs/x").status == 404);
    CHECK(jobs.ask("GET /jobs/99999999999999999999").status == 404);
}

TEST_CASE(
    "use jobs: one that is under way when the server is stopped is finished, and told whole") {
    uses::program jobs("jobs");
    const std::string job = start(jobs);
    support::stream_client client(jobs.port, job);
    REQUIRE(client.until_type("progress"));
    jobs.signal(SIGTERM);
    REQUIRE(client.until_type("complete"));
    CHECK(client.until([&] { return client.ended(); }));
    CHECK(client.events.size() == 12);
}
