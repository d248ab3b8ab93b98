// SPDX-License-Identifier: MIT
//
// Each rule, with the section of the specification that it comes from.
#include <ssekit/mcp_request.hpp>

#include <doctest/doctest.h>

#include <array>
#include <cstddef>
#include <initializer_list>
#include <map>
#include <optional>
#include <string>
#include <string_view>

using ssekit::find_mcp_revision;
using ssekit::is_local_request;
using ssekit::is_mcp_session_id;
using ssekit::judge_mcp_message;
using ssekit::judge_mcp_request;
using ssekit::mcp_error;
using ssekit::mcp_error_status;
using ssekit::mcp_kind;
using ssekit::mcp_message;
using ssekit::mcp_policy;
using ssekit::mcp_request;
using ssekit::mcp_revision;
using ssekit::mcp_step;
using ssekit::mcp_verdict;
using ssekit::name_of;
using ssekit::negotiate_mcp_revision;
using ssekit::read_mcp_request;
using ssekit::request_view;

namespace {

constexpr std::string_view both = "application/json, text/event-stream";

mcp_request post(std::optional<std::string_view> revision = {}) {
    return {.http = {.method = "POST",
                     .target = "/mcp",
                     .content_type = "application/json",
                     .host = "localhost:8080"},
            .accept = both,
            .protocol_version = revision};
}

mcp_request in_session(std::string_view method, std::string_view revision = "2025-11-25") {
    return {.http = {.method = method, .target = "/mcp", .host = "127.0.0.1"},
            .accept = "text/event-stream",
            .protocol_version = revision,
            .session_id = "1868a90c"};
}

/// tools/call of 2026-07-28.
mcp_request stateless() {
    mcp_request request = post("2026-07-28");
    request.method = "tools/call";
    request.name = "count";
    return request;
}

mcp_message call() {
    return {.method = "tools/call",
            .name = "count",
            .protocol_version = "2026-07-28",
            .has_capabilities = true};
}

mcp_verdict judge(const mcp_request& request, const mcp_message& message,
                  mcp_revision revision = mcp_revision::v2026_07_28) {
    return judge_mcp_message(request, message, revision);
}

void check_refused(const mcp_verdict& verdict, int status,
                   mcp_error error = mcp_error::invalid_request) {
    CHECK(verdict.is_refused());
    CHECK(verdict.status == status);
    CHECK(verdict.error == error);
}

void check_passes(const mcp_verdict& verdict, mcp_step step, int status = 200) {
    CHECK(verdict.step == step);
    CHECK(verdict.status == status);
    CHECK(verdict.error == mcp_error::none);
}

} // namespace

TEST_CASE("revisions have names, and an order") {
    for (const std::string_view name : ssekit::mcp_revision_names) {
        const auto found = find_mcp_revision(name);
        REQUIRE(found);
        CHECK(name_of(*found) == name);
    }
    static_assert(mcp_revision::v2025_03_26 < mcp_revision::v2025_06_18);
    static_assert(mcp_revision::v2025_11_25 < mcp_revision::v2026_07_28);
    for (const std::string_view other : {"", "2025-11-2", "2025-11-255", "2024-11-05", "v1"}) {
        CHECK_FALSE(find_mcp_revision(other));
    }
}

TEST_CASE("initialize gets the revision it asks for, or the newest that has sessions") {
    // Spec: 2025-11-25, Lifecycle, "Version Negotiation".
    CHECK(negotiate_mcp_revision("2025-03-26") == mcp_revision::v2025_03_26);
    CHECK(negotiate_mcp_revision("2025-06-18") == mcp_revision::v2025_06_18);
    for (const std::string_view asked : {"2025-11-25", "2026-07-28", "1.0", "", "2099-01-01"}) {
        CHECK(negotiate_mcp_revision(asked) == mcp_revision::v2025_11_25);
    }
}

TEST_CASE("a session's id is visible ASCII, from 0x21 to 0x7E") {
    // Spec: 2025-11-25, "Session Management", 1.
    for (int c = 0; c < 256; ++c) {
        const std::string id = {'a', static_cast<char>(c)};
        CAPTURE(c);
        CHECK(is_mcp_session_id(id) == (c >= 0x21 && c <= 0x7E));
    }
    CHECK_FALSE(is_mcp_session_id(""));
}

TEST_CASE("a request is local when its host and its origin are") {
    // Spec: 2025-11-25, "Security Warning".
    for (const std::string_view host : {"localhost", "localhost:80", "127.0.0.1:9", "[::1]:1"}) {
        CHECK(is_local_request({.host = host}));
        const std::string origin = "http://" + std::string(host);
        CHECK(is_local_request({.origin = origin, .host = "localhost:6274"}));
    }
    CHECK(is_local_request({.origin = "https://localhost", .host = "localhost"}));
    for (const std::string_view host :
         {"", "evil.example.com", "localhost.evil", "127.0.0.1.evil:80", "0.0.0.0", "::1"}) {
        CAPTURE(host);
        CHECK_FALSE(is_local_request({.host = host}));
        const std::string origin = "http://" + std::string(host);
        CHECK_FALSE(is_local_request({.origin = origin, .host = "localhost"}));
    }
    CHECK_FALSE(is_local_request({}));
    CHECK_FALSE(is_local_request({.origin = "null", .host = "localhost"}));
    CHECK_FALSE(is_local_request({.origin = "localhost", .host = "localhost"}));
}

TEST_CASE("who is not admitted gets 403, whatever else is wrong") {
    // Spec: 2025-11-25, "Security Warning", 1; 2026-07-28, "Security & Endpoint", 1.
    mcp_request request = post("no revision");
    request.http.host = "evil.example.com";
    request.http.origin = "http://evil.example.com";
    check_refused(judge_mcp_request(request), 403);

    constexpr std::array<std::string_view, 1> hosts = {"mcp.example.org"};
    const mcp_policy policy{.is_local = false, .guard = {.hosts = hosts}};
    check_refused(judge_mcp_request(request, policy), 403);
    check_refused(judge_mcp_request(post(), policy), 403);
    request.http.host = "mcp.example.org";
    CHECK(judge_mcp_request(request, policy).status == 400); // its revision
    check_refused(judge_mcp_request(request), 403);          // which is local
}

TEST_CASE("headers are read by name, without the space around them") {
    const std::map<std::string_view, std::string_view> fields = {
        {"Accept", both},
        {"Mcp-Method", "ping"},
        {"MCP-Protocol-Version", "2025-11-25"},
        {"Mcp-Name", " count\t"},
        {"MCP-Session-Id", "7"}};
    const auto read = read_mcp_request(
        {.method = "POST"}, [&](std::string_view name) -> std::optional<std::string_view> {
            const auto found = fields.find(name);
            return found == fields.end() ? std::nullopt : std::optional(found->second);
        });
    CHECK(read.http.method == "POST");
    CHECK(read.accept == both);
    CHECK(read.method == "ping");
    CHECK(read.name == "count"); // Spec: RFC 9110, 5.5
    CHECK(read.protocol_version == "2025-11-25");
    CHECK(read.session_id == "7");
    const auto none =
        read_mcp_request({}, [](std::string_view) { return std::optional<std::string_view>(); });
    CHECK_FALSE(none.accept);
    CHECK_FALSE(none.session_id);
}

TEST_CASE("a POST brings a message; one that names no revision is of the oldest") {
    // Spec: 2025-11-25, "Sending Messages to the Server", 1; "Protocol Version Header".
    check_passes(judge_mcp_request(post()), mcp_step::read_message);
    CHECK(judge_mcp_request(post()).revision == mcp_revision::v2025_03_26);
    CHECK(judge_mcp_request(post(), {.oldest = mcp_revision::v2025_11_25}).revision ==
          mcp_revision::v2025_11_25);
    for (const std::string_view name : ssekit::mcp_revision_names) {
        const mcp_verdict verdict = judge_mcp_request(post(name));
        check_passes(verdict, mcp_step::read_message);
        CHECK(name_of(verdict.revision) == name);
    }
}

TEST_CASE("a revision that is not offered is refused with 400") {
    // Spec: 2025-11-25, 2026-07-28, "Protocol Version Header".
    constexpr mcp_error unsupported = mcp_error::unsupported_revision;
    check_refused(judge_mcp_request(post("v999.0.0")), 400, unsupported);
    check_refused(judge_mcp_request(post("")), 400, unsupported);
    check_refused(judge_mcp_request(post("2024-11-05")), 400, unsupported);
    const mcp_policy old{.newest = mcp_revision::v2025_11_25};
    check_refused(judge_mcp_request(post("2026-07-28"), old), 400, unsupported);
    const mcp_policy modern{.oldest = mcp_revision::v2026_07_28};
    check_refused(judge_mcp_request(post("2025-11-25"), modern), 400, unsupported);
    // Spec: 2026-07-28, "Server Validation": a required header is missing.
    check_refused(judge_mcp_request(post(), modern), 400, mcp_error::header_mismatch);
}

TEST_CASE("a POST is JSON, and takes JSON and streams") {
    // Spec: 2025-11-25, "Sending Messages to the Server", 2; RFC 9110, 15.5.7 and 15.5.16.
    for (const std::optional<std::string_view> type :
         {std::optional<std::string_view>(), {""}, {"text/plain"}, {"application/jsonl"}}) {
        mcp_request request = post();
        request.http.content_type = type;
        check_refused(judge_mcp_request(request), 415);
    }
    for (const std::string_view type :
         {"application/json; charset=utf-8", "APPLICATION/JSON", "application/json ;x=y"}) {
        mcp_request request = post();
        request.http.content_type = type;
        check_passes(judge_mcp_request(request), mcp_step::read_message);
    }
    for (const std::string_view accept :
         {"application/json", "text/event-stream", "text/html", "*/*, application/json;q=0"}) {
        mcp_request request = post();
        request.accept = accept;
        CAPTURE(accept);
        check_refused(judge_mcp_request(request), 406);
    }
    for (const std::optional<std::string_view> accept :
         {std::optional<std::string_view>(), {"*/*"}, {"text/*, application/*;q=0.5"}}) {
        mcp_request request = post();
        request.accept = accept;
        check_passes(judge_mcp_request(request), mcp_step::read_message);
    }
}

TEST_CASE("GET opens a stream, or goes on with one; DELETE ends the session") {
    // Spec: 2025-11-25, "Listening for Messages from the Server", "Resumability and Redelivery",
    // "Session Management".
    for (const std::string_view revision : {"2025-03-26", "2025-06-18", "2025-11-25"}) {
        check_passes(judge_mcp_request(in_session("GET", revision)), mcp_step::listen);
        mcp_request cut = in_session("GET", revision);
        cut.http.last_event_id = "7.3";
        check_passes(judge_mcp_request(cut), mcp_step::resume);
        mcp_request ends = in_session("DELETE", revision);
        ends.accept = "application/json";
        check_passes(judge_mcp_request(ends), mcp_step::end_session);
    }
    check_passes(judge_mcp_request(in_session("HEAD")), mcp_step::listen);
    mcp_request silent = in_session("GET");
    silent.protocol_version.reset();
    check_passes(judge_mcp_request(silent), mcp_step::listen);

    mcp_request no_stream = in_session("GET");
    no_stream.accept = "application/json";
    check_refused(judge_mcp_request(no_stream), 406);
    for (const std::string_view method : {"GET", "DELETE"}) {
        mcp_request lost = in_session(method);
        lost.session_id.reset();
        check_refused(judge_mcp_request(lost), 400);
        lost.session_id = "no\x01id";
        check_refused(judge_mcp_request(lost), 400);
    }
}

TEST_CASE("another method is 405, with those that are allowed") {
    // Spec: 2025-11-25, "Listening ...", 3, "Session Management", 5; RFC 9110, 10.2.1.
    for (const std::string_view method : {"PUT", "PATCH", "OPTIONS", "get"}) {
        const mcp_verdict verdict = judge_mcp_request(in_session(method));
        check_refused(verdict, 405);
        CHECK(verdict.allow == "GET, POST, DELETE");
    }
    const auto allowed = [](std::string_view method, const mcp_policy& policy) {
        const mcp_verdict verdict = judge_mcp_request(in_session(method), policy);
        CHECK(verdict.status == 405);
        return verdict.allow;
    };
    CHECK(allowed("GET", {.has_get_streams = false}) == "POST, DELETE");
    CHECK(allowed("DELETE", {.has_delete = false}) == "GET, POST");
    CHECK(allowed("GET", {.has_get_streams = false, .has_delete = false}) == "POST");
    CHECK(judge_mcp_request({.http = {.method = "", .host = "localhost"}}).status == 400);
}

TEST_CASE("a server without sessions asks for no id, and has none to end") {
    // Spec: 2025-11-25, "Session Management", 1: a server may assign one.
    const mcp_policy policy{.has_sessions = false};
    mcp_request request = in_session("GET");
    request.session_id.reset();
    check_passes(judge_mcp_request(request, policy), mcp_step::listen);
    request.http.method = "DELETE";
    check_refused(judge_mcp_request(request, policy), 405);
    CHECK(judge_mcp_request(request, policy).allow == "GET, POST");
    const mcp_revision revision = mcp_revision::v2025_11_25;
    check_passes(judge_mcp_message(post(), {.method = "ping"}, revision, policy), mcp_step::answer);
}

TEST_CASE("2026-07-28 knows POST alone, no sessions, and resumes nothing") {
    // Spec: 2026-07-28, "Earlier Streamable HTTP Revisions".
    for (const std::string_view method : {"GET", "DELETE", "HEAD", "PUT"}) {
        const mcp_verdict verdict = judge_mcp_request(in_session(method, "2026-07-28"));
        check_refused(verdict, 405);
        CHECK(verdict.allow == "POST");
        const mcp_policy modern{.oldest = mcp_revision::v2026_07_28};
        CHECK(judge_mcp_request(in_session(method), modern).allow == "POST");
    }
    mcp_request request = stateless();
    request.session_id = "not \x01 even one";
    request.http.last_event_id = "7.3";
    check_passes(judge_mcp_request(request), mcp_step::read_message);
    check_passes(judge(request, call()), mcp_step::answer);
}

TEST_CASE("in a session a request is answered, and all else is accepted with 202") {
    // Spec: 2025-11-25, "Sending Messages to the Server", 4 and 5.
    const mcp_request request = in_session("POST");
    const mcp_revision revision = mcp_revision::v2025_11_25;
    check_passes(judge(request, {.method = "tools/list"}, revision), mcp_step::answer);
    check_passes(judge(request, {.kind = mcp_kind::notification, .method = "a"}, revision),
                 mcp_step::accept, 202);
    check_passes(judge(request, {.kind = mcp_kind::response}, revision), mcp_step::accept, 202);
    CHECK(judge(request, {.method = "ping"}, revision).revision == revision);
}

TEST_CASE("without a session nothing but initialize is answered") {
    // Spec: 2025-11-25, "Session Management", 2.
    const mcp_revision revision = mcp_revision::v2025_06_18;
    check_passes(judge(post(), {.method = "initialize"}, revision), mcp_step::begin_session);
    check_refused(judge(post(), {.method = "tools/list"}, revision), 400);
    check_refused(judge(post(), {.kind = mcp_kind::notification, .method = "initialize"}, revision),
                  400);
    check_refused(judge(post(), {.kind = mcp_kind::response}, revision), 400);
    mcp_request bad = post();
    bad.session_id = " ";
    check_refused(judge(bad, {.method = "ping"}, revision), 400);
}

TEST_CASE("in 2026-07-28 the headers say what the body does") {
    // Spec: 2026-07-28, "Standard Request Headers", "Case Sensitivity", "Server Validation".
    check_passes(judge(stateless(), call()), mcp_step::answer);
    const auto mismatch = [](auto&& change) {
        mcp_request request = stateless();
        mcp_message message = call();
        change(request, message);
        check_refused(judge(request, message), 400, mcp_error::header_mismatch);
    };
    mismatch([](mcp_request& r, mcp_message&) { r.method.reset(); });
    mismatch([](mcp_request& r, mcp_message&) { r.method = "prompts/list"; });
    mismatch([](mcp_request& r, mcp_message&) { r.method = "TOOLS/CALL"; });
    mismatch([](mcp_request& r, mcp_message&) { r.name.reset(); });
    mismatch([](mcp_request& r, mcp_message&) { r.name = "other"; });
    mismatch([](mcp_request& r, mcp_message&) { r.name = "=?base64?Y291bnQ?="; });
    mismatch([](mcp_request&, mcp_message& m) { m.protocol_version = "v999.0.0"; });
    mismatch([](mcp_request& r, mcp_message&) { r.protocol_version.reset(); });

    mcp_request encoded = stateless();
    encoded.name = "=?base64?Y291bnQ=?=";
    check_passes(judge(encoded, call()), mcp_step::answer);
    // The name is that of three methods; what has none needs no header.
    for (const std::string_view method : {"resources/read", "prompts/get"}) {
        mcp_request request = stateless();
        mcp_message message = call();
        request.method = message.method = method;
        check_passes(judge(request, message), mcp_step::answer);
        request.name.reset();
        check_refused(judge(request, message), 400, mcp_error::header_mismatch);
        message.name.reset();
        check_passes(judge(request, message), mcp_step::answer);
    }
    mcp_request list = stateless();
    mcp_message message = call();
    list.method = message.method = "tools/list";
    list.name.reset();
    check_passes(judge(list, message), mcp_step::answer);
}

TEST_CASE("in 2026-07-28 each request brings its revision and what its client can do") {
    // Spec: 2026-07-28, Overview, "_meta".
    mcp_message message = call();
    message.protocol_version.reset();
    check_refused(judge(stateless(), message), 400, mcp_error::invalid_params);
    message = call();
    message.has_capabilities = false;
    check_refused(judge(stateless(), message), 400, mcp_error::invalid_params);
}

TEST_CASE("in 2026-07-28 clients send requests and notifications, and no responses") {
    // Spec: 2026-07-28, "Sending Messages", 4 and 5.
    check_passes(judge(stateless(), {.kind = mcp_kind::notification, .method = "a"}),
                 mcp_step::accept, 202);
    check_refused(judge(stateless(), {.kind = mcp_kind::response}), 400);
}

TEST_CASE("a method that 2026-07-28 has done away with is 404") {
    // Spec: 2026-07-28, "Protocol Version Header"; changelog.
    for (const std::string_view method : {"initialize", "ping", "logging/setLevel",
                                          "resources/subscribe", "resources/unsubscribe"}) {
        mcp_request request = stateless();
        mcp_message message = call();
        request.method = message.method = method;
        check_refused(judge(request, message), 404, mcp_error::method_not_found);
    }
}

TEST_CASE("an error has a status of its own in 2026-07-28, and before it where nothing was read") {
    // Spec: 2026-07-28, "Protocol Version Header", "Server Validation".
    const mcp_revision modern = mcp_revision::v2026_07_28;
    CHECK(mcp_error_status(modern, mcp_error::method_not_found) == 404);
    CHECK(mcp_error_status(modern, mcp_error::header_mismatch) == 400);
    CHECK(mcp_error_status(modern, mcp_error::missing_capability) == 400);
    CHECK(mcp_error_status(modern, mcp_error::unsupported_revision) == 400);
    CHECK(mcp_error_status(modern, mcp_error::invalid_params) == 200);
    CHECK(mcp_error_status(modern, mcp_error::internal_error) == 200);
    CHECK(mcp_error_status(modern, mcp_error::parse_error) == 400);
    const mcp_revision old = mcp_revision::v2025_11_25;
    CHECK(mcp_error_status(old, mcp_error::method_not_found) == 200);
    CHECK(mcp_error_status(old, mcp_error::missing_capability) == 200);
    CHECK(mcp_error_status(old, mcp_error::parse_error) == 400);
    CHECK(mcp_error_status(old, mcp_error::invalid_request) == 400);
}
