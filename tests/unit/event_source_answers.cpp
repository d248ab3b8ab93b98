// SPDX-License-Identifier: MIT
//
// What servers answer besides streams, and what the owner of an event source makes of it.
#include "support/source_client.hpp"

#include <ssekit/event_source.hpp>

#include <doctest/doctest.h>

#include <chrono>
#include <cstddef>
#include <initializer_list>
#include <string>
#include <string_view>
#include <vector>

using namespace std::chrono_literals;
using ssekit::answer_decision;
using ssekit::answer_head;
using ssekit::answer_verdict;
using ssekit::event_source_options;
using ssekit::ready_state;
using ssekit::repeat_policy;
using ssekit::source_action;
using ssekit::source_end;
using ssekit::status_policy;
using support::source_client;
using support::stream_type;

namespace {

/// Every answer gets this verdict.
template <answer_verdict Verdict, int Wait = 0>
answer_decision always(void*, const answer_head&) noexcept {
    return {Verdict, std::chrono::milliseconds(Wait)};
}

/// Bytes for `next`, as a loop without a sink has them.
void push(source_client& c, std::string_view bytes) {
    while (!bytes.empty()) {
        const std::size_t before = bytes.size();
        CHECK(c.source.next(bytes, c.now) == nullptr);
        REQUIRE(bytes.size() < before);
    }
}

} // namespace

TEST_CASE("answers: the body of one that is no stream is kept, for either way to read") {
    for (const bool pulls : {false, true}) {
        CAPTURE(pulls);
        source_client c({.keep_headers = {"x-request-id", "X-Missing"}});
        REQUIRE(c.poll() == source_action::connect);
        CHECK(c.receive_head(
            401,
            {{"Content-Type", "application/json"}, {"X-Request-Id", "7"}, {"x-request-id", "7"}}));
        CHECK(c.source.wants_body());
        CHECK(c.source.state() == ready_state::connecting);
        CHECK(c.poll() == source_action::wait);
        for (const std::string_view piece : {"{\"error\":", "", "\n\ndata: no event\n\n", "}"}) {
            pulls ? push(c, piece) : c.bytes(piece);
        }
        CHECK_FALSE(c.source.is_answer_whole());
        c.source.receive_end(c.now);
        CHECK(c.source.status() == 401);
        CHECK(c.source.answer_body() == "{\"error\":\n\ndata: no event\n\n}");
        CHECK(c.source.is_answer_whole());
        CHECK(c.source.answer_header("X-REQUEST-ID") == "7");
        CHECK_FALSE(c.source.answer_header("X-Missing").has_value());
        CHECK_FALSE(c.source.answer_header("Content-Type").has_value()); // nobody asked for it
        CHECK(c.events.empty());
        CHECK(c.source.failure().empty());
        c.stopped(source_end::bad_status);
        CHECK(c.source.answer_body().size() > 0); // it stays to be read
    }
}

TEST_CASE("answers: a body has a bound, in bytes and in time, and says that it is not whole") {
    source_client longer({.max_answer_body = 5});
    REQUIRE(longer.poll() == source_action::connect);
    CHECK(longer.receive_head(500));
    push(longer, "1234");
    CHECK(longer.poll() == source_action::wait);
    push(longer, "5");
    CHECK(longer.poll() == source_action::wait); // that may have been all
    push(longer, "6");
    CHECK(longer.poll() == source_action::disconnect);
    CHECK(longer.source.answer_body() == "12345");
    CHECK_FALSE(longer.source.is_answer_whole());
    longer.stopped(source_end::bad_status);

    source_client slower({.body_timeout = 3s});
    REQUIRE(slower.poll() == source_action::connect);
    CHECK(slower.receive_head(500));
    push(slower, "a");
    slower.now += 2s;
    push(slower, "b"); // each byte is no new beginning
    CHECK(slower.poll() == source_action::wait);
    slower.now += 1s;
    CHECK(slower.poll() == source_action::disconnect);
    CHECK(slower.source.answer_body() == "ab");
    CHECK(slower.source.failure() == "no whole answer in time");
    slower.stopped(source_end::bad_status);

    source_client cut;
    REQUIRE(cut.poll() == source_action::connect);
    CHECK(cut.receive_head(500));
    push(cut, "a");
    cut.source.receive_failure(cut.now, "reset");
    CHECK_FALSE(cut.source.is_answer_whole());
    CHECK(cut.source.failure() == "reset");
    cut.stopped(source_end::bad_status);

    source_client none({.max_answer_body = 0});
    REQUIRE(none.poll() == source_action::connect);
    CHECK(none.receive_head(500));
    none.source.receive_end(none.now);
    CHECK(none.source.is_answer_whole()); // there was none
}

TEST_CASE("answers: one that may pass has its body read before the next attempt") {
    source_client c({.on_status = status_policy::sdk, .max_failures = 1});
    REQUIRE(c.poll() == source_action::connect);
    CHECK(c.receive_head(529, {{"Retry-After", "30"}}));
    push(c, "overloaded");
    c.now += 1s;
    c.source.receive_end(c.now);
    CHECK(c.source.answer_body() == "overloaded");
    const auto wait = c.wait();
    CHECK(wait >= 30s);
    CHECK(wait <= 60s);
    c.wait_and_connect();
    CHECK(c.source.answer_body() == "overloaded"); // of the newest answer that there is
    CHECK(c.receive_head(503));
    CHECK(c.source.answer_body() == "");
    push(c, "down");
    c.source.receive_end(c.now);
    CHECK(c.source.answer_body() == "down");
    c.stopped(source_end::too_many_failures);
}

TEST_CASE("answers: closing while a body comes ends the transfer") {
    source_client c;
    REQUIRE(c.poll() == source_action::connect);
    CHECK(c.receive_head(404));
    c.source.close();
    CHECK_FALSE(c.source.wants_body());
    push(c, "");
    c.source.receive_end(c.now);
    CHECK(c.poll() == source_action::disconnect);
    c.stopped(source_end::closed);
}

TEST_CASE("answers: a wanted one is whole, or is asked for again, or is too long") {
    const event_source_options wanted = {.on_answer = {&always<answer_verdict::whole>, nullptr},
                                         .max_answer_body = 4};
    source_client c(wanted);
    REQUIRE(c.poll() == source_action::connect);
    CHECK(c.receive_head(202));
    c.source.receive_end(c.now);
    CHECK(c.source.is_answer_whole());
    c.stopped(source_end::answered);

    source_client cut(wanted);
    REQUIRE(cut.poll() == source_action::connect);
    CHECK(cut.receive_head(200, {{"Content-Type", "application/json"}}));
    push(cut, "{}");
    cut.source.receive_failure(cut.now, "reset");
    cut.wait_and_connect();
    CHECK(cut.source.failures() == 1);
    CHECK(cut.receive_head(200));
    push(cut, "1234");
    cut.source.receive_end(cut.now);
    CHECK(cut.source.answer_body() == "1234");
    cut.stopped(source_end::answered);

    event_source_options post = wanted;
    post.method = "POST";
    source_client once(post);
    REQUIRE(once.poll() == source_action::connect);
    CHECK(once.receive_head(200));
    once.source.receive_failure(once.now, "reset");
    once.stopped(source_end::not_repeated);

    source_client longer(wanted);
    REQUIRE(longer.poll() == source_action::connect);
    CHECK(longer.receive_head(200));
    push(longer, "12345");
    CHECK(longer.source.answer_body() == "1234");
    CHECK(longer.poll() == source_action::disconnect);
    longer.stopped(source_end::answer_too_long);
}

TEST_CASE("answers: its owner may take for a stream what the standard does not") {
    for (const auto& head :
         std::initializer_list<support::headers>{{},
                                                 {{"Content-Type", "text/plain"}},
                                                 {{"Content-Type", "application/octet-stream"}}}) {
        source_client c({.on_answer = {&always<answer_verdict::stream>, nullptr}});
        REQUIRE(c.poll() == source_action::connect);
        CHECK(c.receive_head(201, head));
        CHECK(c.source.state() == ready_state::open);
        c.bytes("data: a\n\n");
        CHECK(c.events == std::vector<std::string>{"a"});
    }
    // And it may see what is needed to decide.
    source_client picky({.on_answer = [](const answer_head& head) noexcept -> answer_decision {
        return {head.find("X-Kind") == "good" ? answer_verdict::stream : answer_verdict::usual};
    }});
    REQUIRE(picky.poll() == source_action::connect);
    CHECK(picky.receive_head(200, {{"X-Kind", "bad"}}));
    CHECK(picky.source.state() == ready_state::connecting);
}

TEST_CASE(
    "answers: its owner may have any tried again, after a wait of its own, and any given up") {
    source_client c({.method = "POST",
                     .on_answer = {&always<answer_verdict::retry, 5000>, nullptr},
                     .max_failures = 2});
    for (int i = 0; i < 2; ++i) {
        REQUIRE(c.poll() == source_action::connect);
        CHECK(c.receive_head(404));
        c.source.receive_end(c.now);
        const auto wait = c.wait();
        CHECK(wait >= 5s);
        CHECK(wait <= 20s);
        c.now += wait;
    }
    REQUIRE(c.poll() == source_action::connect);
    CHECK(c.receive_head(404));
    c.source.receive_end(c.now);
    c.stopped(source_end::too_many_failures);

    source_client most(
        {.on_answer = {&always<answer_verdict::retry, 5000>, nullptr}, .max_delay = 1s});
    REQUIRE(most.poll() == source_action::connect);
    most.head(200);
    CHECK(most.wait() <= 1s);

    source_client fails(
        {.on_status = status_policy::sdk, .on_answer = {&always<answer_verdict::fail>, nullptr}});
    REQUIRE(fails.poll() == source_action::connect);
    fails.head(200); // even that
    fails.stopped(source_end::bad_status);
}

TEST_CASE("answers: redirects are seen, and may be refused") {
    source_client c({.on_answer = [](const answer_head& head) noexcept -> answer_decision {
        return {head.status() == 302 ? answer_verdict::fail : answer_verdict::usual};
    }});
    REQUIRE(c.poll() == source_action::connect);
    c.head(302, {{"Location", "/elsewhere"}});
    c.stopped(source_end::bad_status);
}

TEST_CASE("answers: headers of a stream are kept through it") {
    source_client c({.keep_headers = {"Mcp-Session-Id"}});
    REQUIRE(c.poll() == source_action::connect);
    CHECK(c.receive_head(200, {{"Content-Type", "text/event-stream"}, {"Mcp-Session-Id", "s1"}}));
    c.bytes("data: a\n\n");
    CHECK(c.source.answer_header("mcp-session-id") == "s1");
    c.source.receive_end(c.now);
    c.wait_and_connect();
    CHECK(c.source.answer_header("mcp-session-id") == "s1");
    CHECK(c.receive_head(200));
    CHECK_FALSE(c.source.answer_header("mcp-session-id").has_value());
}

TEST_CASE("answers: to connect and to be answered have times of their own") {
    source_client c({.connect_timeout = 1s, .answer_timeout = 60s});
    c.source.receive_connected(c.now); // there is nothing to be connected
    REQUIRE(c.poll() == source_action::connect);
    c.now += 999ms;
    CHECK(c.poll() == source_action::wait);
    c.source.receive_connected(c.now);
    CHECK(c.source.next_deadline() == c.now + 60s);
    c.now += 59s;
    CHECK(c.poll() == source_action::wait);
    CHECK(c.receive_head(200));
    c.source.receive_connected(c.now); // too late to mean something
    CHECK(c.source.next_deadline() == ssekit::never);

    source_client never({.connect_timeout = 0s, .answer_timeout = 0s});
    REQUIRE(never.poll() == source_action::connect);
    CHECK(never.source.next_deadline() == ssekit::never);
    never.source.receive_connected(never.now);
    CHECK(never.source.next_deadline() == ssekit::never);
    source_client late({.answer_timeout = -1s});
    REQUIRE(late.poll() == source_action::connect);
    late.source.receive_connected(late.now);
    CHECK(late.poll() == source_action::disconnect);
}
