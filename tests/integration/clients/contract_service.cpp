// SPDX-License-Identifier: MIT
//
// The program that a public suite of contract tests drives, driven here by the test, which plays
// the suite: it asks for a stream to be watched, is the stream, and takes the reports.
#include "support/http_client.hpp"
#include "support/json.hpp"
#include "support/process.hpp"
#include "support/scripted_server.hpp"

#include <doctest/doctest.h>

#include <charconv>
#include <csignal>
#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace {

using support::scripted_connection;
using support::scripted_server;
using support::seen_request;

class service : public support::process {
  public:
    service() : process({support::example("contract_service"), "--port", "0"}) {
        constexpr std::string_view says = "listening on port ";
        REQUIRE(until([&] { return out().ends_with('\n'); }));
        REQUIRE(out().starts_with(says));
        std::from_chars(out().data() + says.size(), out().data() + out().size(), port_);
    }

    support::response ask(std::string_view method_and_target, std::string_view body = {}) const {
        return support::ask(port_, method_and_target, body);
    }

  private:
    std::uint16_t port_ = 0;
};

/// The places that reports are sent to, over a connection that is kept.
class reports {
  public:
    [[nodiscard]] std::string url() const { return server_.url("/reports"); }

    /// Takes the next one, which has to have this number.
    support::json::value take(int number) {
        if (!connection_) connection_.emplace(server_.accept());
        const seen_request request = connection_->read_request();
        connection_->send("HTTP/1.1 202 Accepted\r\nContent-Length: 0\r\n\r\n");
        CHECK(request.line == "POST /reports/" + std::to_string(number) + " HTTP/1.1");
        CHECK(request.header("Content-Type") == "application/json");
        auto read = support::json::parse(request.body);
        REQUIRE(read.document);
        return std::move(*read.document);
    }

  private:
    scripted_server server_;
    std::optional<scripted_connection> connection_;
};

/// Accepts who asks for the stream, which has to be as it was told to, and lets it begin.
scripted_connection begun(scripted_server& server, std::string_view last_event_id,
                          std::string_view bytes) {
    scripted_connection out = server.accept();
    const seen_request request = out.read_request();
    CHECK(request.line == "REPORT /events HTTP/1.1");
    CHECK(request.body == "ask");
    CHECK(request.header("Content-Type") == "text/x");
    CHECK(request.header("Accept") == "text/event-stream");
    CHECK(request.header("Last-Event-ID") == last_event_id);
    out.send("HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n");
    out.send(bytes);
    return out;
}

} // namespace

TEST_CASE(
    "contract_service: what comes of a stream is reported, in order, until it is told to end") {
    service watching;
    const support::response info = watching.ask("GET /");
    CHECK(info.status == 200);
    CHECK(support::json::parse(info.body).document->at("capabilities").items.size() == 9);

    scripted_server server;
    reports taken;
    const support::response made = watching.ask(
        "POST /", R"({"tag":"x","streamUrl":")" + server.url() + R"(","callbackUrl":")" +
                      taken.url() +
                      R"(","initialDelayMs":1,"readTimeoutMs":null,"lastEventId":"0",)"
                      R"("method":"REPORT","body":"ask","headers":{"content-type":"text/x"}})");
    CHECK(made.status == 201);
    const std::string place = made.header("Location");
    CHECK(place == "/streams/1");

    scripted_connection first =
        begun(server, "0", ":hello\nid: 1\nevent: x\ndata: \"a\"\ndata: ü\n\ndata: cut");
    const support::json::value comment = taken.take(1);
    CHECK(comment.at("kind").string() == "comment");
    CHECK(comment.at("comment").string() == "hello");
    const support::json::value event = taken.take(2);
    CHECK(event.at("kind").string() == "event");
    CHECK(event.at("event").at("type").string() == "x");
    CHECK(event.at("event").at("data").string() == "\"a\"\nü");
    CHECK(event.at("event").at("id").string() == "1");

    first.close();
    CHECK(taken.take(3).at("kind").string() == "error");
    scripted_connection second = begun(server, "1", "id: 2\ndata: b\n\n");
    CHECK(taken.take(4).at("event").at("id").string() == "2");

    const std::string post = "POST " + place;
    CHECK(watching.ask(post, R"({"command":"restart"})").status == 202);
    CHECK(second.until_closed());
    scripted_connection third = begun(server, "2", "data: c\n\n"); // the next report: no error
    CHECK(taken.take(5).at("event").at("data").string() == "c");

    CHECK(watching.ask(post, R"({"command":"sing"})").status == 400);
    CHECK(watching.ask("DELETE " + place).status == 204);
    CHECK(third.until_closed());
    CHECK(watching.ask("DELETE " + place).status == 404);
    CHECK(watching.ask(post, R"({"command":"restart"})").status == 404);
    static_cast<void>(watching.ask("DELETE /"));
    CHECK(watching.wait() == 0);
}

TEST_CASE("contract_service: what cannot be watched is refused, or reported") {
    service watching;
    reports taken;
    for (const std::string_view body :
         {"", "no json", "[]", "{}", R"({"streamUrl":"http://127.0.0.1:1/"})",
          R"({"streamUrl":"http://127.0.0.1:1/","callbackUrl":7})",
          R"({"streamUrl":"http://127.0.0.1:1/","callbackUrl":"http://127.0.0.1:1/","body":7})",
          R"({"streamUrl":"http://127.0.0.1:1/","callbackUrl":"http://127.0.0.1:1/",)"
          R"("headers":{"a":7}})"}) {
        CAPTURE(body);
        CHECK(watching.ask("POST /", body).status == 400);
    }
    CHECK(watching.ask("POST /", R"({"streamUrl":"ftp://a/","callbackUrl":")" + taken.url() + "\"}")
              .status == 201);
    CHECK(taken.take(1).at("kind").string() == "error");
    watching.signal(SIGTERM);
    CHECK(watching.wait() == 0);
}
