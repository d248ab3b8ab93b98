// SPDX-License-Identifier: MIT
#include "use.hpp"

#include <string>
#include <string_view>

namespace {

std::string token(const uses::program& server, std::string_view user, std::string_view scope,
                  int seconds = 60) {
    return server
        .ask("POST /tokens?user=" + std::string(user) + "&scope=" + std::string(scope) +
             "&seconds=" + std::to_string(seconds))
        .body;
}

std::string stream_of(const std::string& token) {
    return "/notifications?access_token=" + token;
}

/// The answer's head, and the body as far as it came with it, for a token in the header.
support::response ask(const uses::program& server, const std::string& line,
                      const std::string& token, const std::string& body = {}) {
    support::tcp_client client(server.port);
    client.send(line + " HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer " + token +
                "\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body);
    return support::read_head(client);
}

} // namespace

TEST_CASE("use notifications: each window of a user gets what is for him, and nobody else does") {
    const uses::program server("notifications");
    const std::string alice = token(server, "alice", "read");
    const std::string bob = token(server, "bob", "read");
    const std::string sender = token(server, "mailer", "notify");
    support::stream_client phone(server.port, stream_of(alice));
    support::stream_client laptop(server.port, stream_of(alice));
    support::stream_client other(server.port, stream_of(bob));
    CHECK(ask(server, "POST /users/alice", sender, "for alice").status == 202);
    CHECK(ask(server, "POST /users/bob", sender, "for bob").status == 202);
    for (support::stream_client* const each : {&phone, &laptop}) {
        REQUIRE(each->until_count(1));
        CHECK(each->events[0].data == "for alice");
    }
    REQUIRE(other.until_count(1));
    CHECK(other.events[0].data == "for bob");

    CHECK(ask(server, "POST /users/alice", sender, "more").status == 202);
    support::stream_client back(server.port, stream_of(alice), phone.events[0].last_event_id);
    REQUIRE(back.until_count(1));
    CHECK(back.events[0].data == "more");
}

TEST_CASE("use notifications: 400, 401, 403 and 429 each where they belong") {
    const uses::program server("notifications");
    const std::string alice = token(server, "alice", "read");
    CHECK(server.ask("GET /notifications").status == 401);
    CHECK(server.ask("GET /notifications").header("WWW-Authenticate") == "Bearer");
    CHECK(ask(server, "GET /notifications", alice).status == 200);
    CHECK(ask(server, "GET " + stream_of(alice), alice).status == 400); // two of them
    CHECK(ask(server, "GET /notifications", "no token, no").status == 400);

    std::string tampered = alice;
    tampered[tampered.size() / 2] = tampered[tampered.size() / 2] == 'A' ? 'B' : 'A';
    // {"alg":"none"}.{"sub":"alice","scope":"read","exp":4000000000} without a signature
    const std::string unsigned_one =
        "eyJhbGciOiJub25lIn0.eyJzdWIiOiJhbGljZSIsInNjb3BlIjoicmVhZCIsImV4cCI6NDAwMDAwMDAwMH0.";
    for (const std::string& bad :
         {tampered, unsigned_one, std::string("x"), token(server, "alice", "read", -1)}) {
        const support::response refused = ask(server, "GET /notifications", bad);
        CHECK(refused.status == 401);
        CHECK(refused.header("WWW-Authenticate") == "Bearer error=\"invalid_token\"");
    }
    CHECK(ask(server, "GET /notifications", token(server, "alice", "notify")).status == 403);
    CHECK(ask(server, "POST /users/bob", alice, "x").status == 403);

    const std::string bob = token(server, "bob", "read");
    support::stream_client one(server.port, stream_of(bob));
    support::stream_client two(server.port, stream_of(bob));
    support::stream_client three(server.port, stream_of(bob));
    const support::response fourth = ask(server, "GET /notifications", bob);
    CHECK(fourth.status == 429);
    CHECK(fourth.header("Retry-After") == "30");
}

TEST_CASE("use notifications: a stream ends with its token") {
    const uses::program server("notifications");
    const std::string brief = token(server, "alice", "read", 2);
    support::stream_client client(server.port, stream_of(brief));
    REQUIRE(client.head.status == 200);
    CHECK(client.until([&] { return client.ended(); }));
    CHECK(server.until_status(stream_of(brief), 401));
}
