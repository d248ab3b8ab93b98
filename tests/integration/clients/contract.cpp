// SPDX-License-Identifier: MIT
//
// One contract for every client in examples/clients that watches a stream: whatever library carries
// it, what it prints and what it asks for are the same. CTest runs these cases once for each client
// that was built; SSEKIT_CLIENT names its program. The server is the test itself, so that what a
// client is made to suffer comes at a moment that is known.
#include "support/http_client.hpp"
#include "support/process.hpp"
#include "support/scripted_server.hpp"

#include <ssekit/detail/http/text.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <charconv>
#include <chrono>
#include <csignal>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <fstream>
#include <initializer_list>
#include <string>
#include <string_view>
#include <system_error>
#include <thread>
#include <utility>
#include <vector>

#include <unistd.h>

namespace {

using namespace std::chrono_literals;
using support::chunk;
using support::cutting_proxy;
using support::scripted_connection;
using support::scripted_server;
using support::seen_request;

std::string name_of_client() {
    const char* const name = std::getenv("SSEKIT_CLIENT");
    REQUIRE_MESSAGE(name != nullptr, "SSEKIT_CLIENT names the client");
    return name;
}

bool is_httplib() {
    return name_of_client() == "client_httplib";
}

/// Watches a stream, and comes back after a tenth of a second unless it is told otherwise.
class client : public support::process {
  public:
    explicit client(const std::vector<std::string>& arguments) : process(command(arguments)) {}

    bool until_out(std::string_view expected) {
        until([&] { return out().size() >= expected.size(); });
        return out() == expected;
    }
    bool until_err(std::string_view text) {
        return until([&] { return err().find(text) != std::string::npos; });
    }
    [[nodiscard]] bool says(std::string_view text) const {
        return err().find(text) != std::string::npos;
    }

  private:
    static std::vector<std::string> command(const std::vector<std::string>& arguments) {
        std::vector<std::string> out = {support::example(name_of_client()), "--reconnection-time",
                                        "1"};
        out.insert(out.end(), arguments.begin(), arguments.end());
        return out;
    }
};

// ---- what servers say

constexpr std::string_view stream_head = "HTTP/1.1 200 OK\r\n"
                                         "Content-Type: text/event-stream\r\n"
                                         "Transfer-Encoding: chunked\r\n\r\n";

/// A whole response, after which the connection is closed.
std::string response(std::string_view status, std::string_view headers,
                     std::string_view body = {}) {
    std::string out = "HTTP/1.1 ";
    out.append(status).append("\r\n").append(headers).append("Connection: close\r\n");
    out.append("Content-Length: ").append(std::to_string(body.size())).append("\r\n\r\n");
    return out.append(body);
}

void answer(scripted_connection connection, std::string_view bytes) {
    connection.send(bytes);
    connection.close();
}

/// A stream of one event with that id and data, begun but not ended.
void stream(scripted_connection& connection, const std::string& id, const std::string& data) {
    connection.send(stream_head);
    connection.send_chunk("id: " + id + "\ndata: " + data + "\n\n");
}

std::string from_hex(std::string_view digits) {
    std::string out;
    for (; digits.size() >= 2; digits.remove_prefix(2)) {
        const int value =
            ssekit::detail::hex_value(digits[0]) * 16 + ssekit::detail::hex_value(digits[1]);
        out.push_back(static_cast<char>(value));
    }
    return out;
}

// ---- what clients say

std::string line(std::string_view id, std::string_view data, std::string_view type = "message") {
    std::string out = R"({"type":")";
    out.append(type).append(R"(","data":")").append(data);
    return out.append(R"(","lastEventId":")").append(id).append("\"}\n");
}

void check_id(const seen_request& request, std::string_view last_event_id) {
    if (last_event_id.empty()) {
        CHECK(!request.has("Last-Event-ID"));
    } else {
        CHECK(request.header("Last-Event-ID") == last_event_id);
    }
}

/// Takes the next request, which has to be a GET with that id and without a body.
seen_request check_request(scripted_connection& connection, std::string_view last_event_id,
                           const std::string& target = "/events") {
    seen_request out = connection.read_request();
    CHECK(out.line == "GET " + target + " HTTP/1.1");
    CHECK(out.header("Accept") == "text/event-stream");
    CHECK(out.header("Cache-Control") == "no-cache");
    CHECK(!out.has("Content-Length"));
    CHECK(!out.has("Transfer-Encoding"));
    CHECK(out.body.empty());
    check_id(out, last_event_id);
    return out;
}

/// Accepts a connection that asks for the stream.
scripted_connection connected(scripted_server& server, std::string_view last_event_id = {}) {
    scripted_connection out = server.accept();
    check_request(out, last_event_id);
    return out;
}

/// Accepts a connection, and sees that an event arrives over it.
void stream_to(client& watching, scripted_server& server) {
    scripted_connection connection = connected(server);
    const std::string before = watching.out();
    stream(connection, "", "a");
    CHECK(watching.until_out(before + line("", "a")));
}

std::string tls_url(const scripted_server& server) {
    return "https" + server.url().substr(4);
}

} // namespace

// ---- events

TEST_CASE("client: each event is printed when it comes, and the id goes back as it came") {
    scripted_server server;
    client watching({server.url("/a%20b;c?d=e+f,%C3%BC#fragment"), "--header", "X-Mine: a: b "});
    scripted_connection first = server.accept();
    const seen_request request = check_request(first, "", "/a%20b;c?d=e+f,%C3%BC");
    CHECK(request.header("Host") == "127.0.0.1:" + std::to_string(server.port()));
    CHECK(request.header("X-Mine") == "a: b");

    first.send(stream_head);
    first.send_chunk("data: a\n\n");
    std::string expected = line("", "a");
    CHECK(watching.until_out(expected));
    first.send_chunk(": nothing\n\nid: 1\nevent: alarm\ndata: \"b\"\ndata: c\n\n");
    CHECK(watching.until_out(expected += line("1", R"(\"b\"\nc)", "alarm")));
    first.send_chunk("id: …<ü>\ndata\n\n");
    CHECK(watching.until_out(expected += line("…<ü>", "")));
    first.send_chunk("id: 2\ndata: d\n"); // which does not count
    first.send_chunk("");
    first.close();

    scripted_connection second = server.accept();
    const seen_request again = check_request(second, "…<ü>", "/a%20b;c?d=e+f,%C3%BC");
    CHECK(again.header("X-Mine") == "a: b");
    stream(second, "3", "e");
    CHECK(watching.until_out(expected += line("3", "e")));
    second.send_chunk("id\ndata: f\n\n");
    CHECK(watching.until_out(expected += line("", "f")));
    second.send_chunk("");
    second.close();

    scripted_connection third = server.accept();
    check_request(third, "", "/a%20b;c?d=e+f,%C3%BC");
    CHECK(watching.out() == expected);
}

TEST_CASE("client: it does not matter how a body is framed, nor in which pieces it comes") {
    const std::string head = "HTTP/1.1 200 OK\r\ncontent-type: Text/Event-Stream;charset=utf-8\r\n";
    const std::string body = "\uFEFFid: 1\r\ndata: …\r\r\ndata: ü\n\n";
    const std::string expected = line("1", "…") + line("1", "ü");
    for (const bool slow : {false, true}) {
        CAPTURE(slow);
        scripted_server server;
        client watching({server.url()});
        for (const std::string& bytes :
             {head + "Connection: close\r\n\r\n" + body,
              head + "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body,
              head + "Transfer-Encoding: chunked\r\n\r\n0003;x=\"y\"\r\n\uFEFF\r\n" +
                  chunk(body.substr(3, 26)) + chunk(body.substr(29)) + chunk("")}) {
            CAPTURE(bytes);
            const std::string before = watching.out();
            scripted_connection connection = connected(server, before.empty() ? "" : "1");
            if (slow) {
                connection.send_slowly(bytes);
            } else {
                connection.send(bytes);
            }
            CHECK(watching.until_out(before + expected));
            connection.close();
        }
    }
}

TEST_CASE("client: a big event is printed whole") {
    const std::string data(1 << 20, 'x');
    scripted_server server;
    client watching({server.url(), "--max-events", "2"});
    scripted_connection connection = connected(server);
    stream(connection, "1", data);
    connection.send_chunk("data: a\n\n");
    CHECK(watching.wait() == 0);
    CHECK(watching.out() == line("1", data) + line("1", "a"));
}

TEST_CASE("client: interim responses are passed over") {
    scripted_server server;
    client watching({server.url()});
    scripted_connection connection = connected(server);
    connection.send("HTTP/1.1 100 Continue\r\n\r\n");
    if (!is_httplib()) { // which takes all but 100 for the answer
        connection.send("HTTP/1.1 103 Early Hints\r\nLink: </a.css>\r\n\r\n");
    }
    stream(connection, "1", "a");
    CHECK(watching.until_out(line("1", "a")));
}

// ---- connections that are lost

TEST_CASE("client: it outlives its server, and nothing is lost or doubled") {
    scripted_server server;
    client watching({server.url()});
    scripted_connection first = connected(server);
    stream(first, "1", "a");
    CHECK(watching.until_out(line("1", "a")));
    server.stop_listening();
    first.close();
    CHECK(watching.until_err("connection lost: "));
    CHECK(watching.until([&] { // and refused twice
        const std::size_t once = watching.err().find("no connection: ");
        return once < watching.err().rfind("no connection: ");
    }));
    server.listen();
    scripted_connection second = connected(server, "1");
    stream(second, "2", "b");
    CHECK(watching.until_out(line("1", "a") + line("2", "b")));
}

TEST_CASE("client: an event that was cut is dropped, and asked for again") {
    for (const bool reset : {true, false}) {
        CAPTURE(reset);
        scripted_server server;
        client watching({server.url()});
        scripted_connection first = connected(server);
        first.send(stream_head);
        first.send_chunk("id: 1\ndata: a\n\nid: 2\nevent: x\ndata: b\n"); // arrives as one
        CHECK(watching.until_out(line("1", "a")));
        CHECK(!watching.says("inside an event"));
        if (reset) {
            first.reset();
        } else {
            first.close();
        }
        scripted_connection second = connected(server, "1");
        CHECK(watching.until_err("inside an event"));
        stream(second, "2", "b");
        CHECK(watching.until_out(line("1", "a") + line("2", "b")));
    }
}

TEST_CASE("client: silence ends a connection, any byte keeps it") {
    scripted_server server;
    client watching({server.url(), "--idle-timeout", "3000"});
    scripted_connection first = connected(server);
    stream(first, "1", "a");
    for (int i = 0; i < 16; ++i) {
        std::this_thread::sleep_for(250ms);
        first.send_chunk(i % 2 == 0 ? ":" : "\n");
    }
    const auto silent_since = std::chrono::steady_clock::now();
    CHECK(!server.has_caller());
    CHECK(first.until_closed());
    CHECK(std::chrono::steady_clock::now() - silent_since >= 2900ms);
    scripted_connection second = connected(server, "1");
    stream(second, "2", "b");
    CHECK(watching.until_out(line("1", "a") + line("2", "b")));
}

TEST_CASE("client: it stays away as long as the server wants") {
    scripted_server server;
    client watching({server.url()});
    scripted_connection first = connected(server);
    first.send(stream_head);
    first.send_chunk("retry: 1500\nid: 1\n\n");
    first.send_chunk("");
    const auto ended = std::chrono::steady_clock::now();
    first.close();
    connected(server, "1");
    CHECK(std::chrono::steady_clock::now() - ended >= 1500ms);
}

// ---- times

TEST_CASE("client: the time to connect ends with the connection") {
    scripted_server server;
    client watching({server.url(), "--connect-timeout", "1500"});
    scripted_connection connection = connected(server);
    std::this_thread::sleep_for(2s); // a language model thinks
    CHECK(!server.has_caller());
    stream(connection, "1", "a");
    CHECK(watching.until_out(line("1", "a")));
}

TEST_CASE("client: an answer that does not come is not waited for") {
    scripted_server server;
    client watching({server.url(), "--answer-timeout", "400"});
    scripted_connection first = connected(server);
    first.send("HTTP/1.1 200 OK\r\n");
    CHECK(first.until_closed());
    CHECK(watching.until_err("no answer in time"));
    stream_to(watching, server);
}

TEST_CASE("client: a connection that does not come about is not waited for, and can be repeated") {
    scripted_server server; // which accepts, but does not shake hands
    client watching({tls_url(server), "--connect-timeout", "200", "--max-failures", "1"});
    CHECK(watching.wait() == 1);
    CHECK(watching.says("no connection: no connection in time"));
    CHECK(watching.says("too many failures in a row"));
}

TEST_CASE("client: comments keep no stream alive that has no events, where events are asked for") {
    scripted_server server;
    client watching({server.url(), "--event-timeout", "700", "--idle-timeout", "30000"});
    scripted_connection first = connected(server);
    first.send(stream_head);
    for (int i = 0; !first.until_closed(100ms); ++i) {
        REQUIRE(i < 200);
        first.send_chunk(": ping\n\n");
    }
    CHECK(watching.until_err("no event in time"));
    stream_to(watching, server);
}

// ---- redirects

TEST_CASE("client: a redirect is followed, and the next connection begins at the first URL") {
    scripted_server server;
    client watching({server.url("/a/b?c=1"), "--header", "Authorization: Bearer x"});
    scripted_connection first = server.accept();
    check_request(first, "", "/a/b?c=1");
    answer(std::move(first), response("302 Found", "Location: ../d?e=2#f\r\n"));
    scripted_connection second = server.accept();
    const seen_request there = check_request(second, "", "/d?e=2");
    CHECK(there.header("Authorization") == "Bearer x");
    stream(second, "1", "a");
    CHECK(watching.until_out(line("1", "a")));
    second.close();
    scripted_connection third = server.accept();
    check_request(third, "1", "/a/b?c=1");
}

TEST_CASE("client: credentials stay with their origin") {
    scripted_server home;
    scripted_server abroad;
    client watching({home.url(), "--header", "Authorization: Bearer x", "--header", "Cookie: a=b",
                     "--header", "X-Mine: 1"});
    for (const std::string last_event_id : {"", "1"}) {
        scripted_connection first = home.accept();
        const seen_request at_home = check_request(first, last_event_id);
        CHECK(at_home.header("Authorization") == "Bearer x");
        CHECK(at_home.header("Cookie") == "a=b");
        answer(std::move(first),
               response("307 Temporary Redirect", "Location: " + abroad.url("/x") + "\r\n"));
        scripted_connection second = abroad.accept();
        const seen_request there = check_request(second, last_event_id, "/x");
        CHECK(there.header("Host") == "127.0.0.1:" + std::to_string(abroad.port()));
        CHECK(!there.has("Authorization"));
        CHECK(!there.has("Cookie"));
        CHECK(there.header("X-Mine") == "1");
        const std::string before = watching.out();
        stream(second, "1", "a");
        CHECK(watching.until_out(before + line("1", "a")));
        second.close();
    }
}

TEST_CASE("client: secret headers and the URL's user stay with their origin, too") {
    scripted_server home;
    scripted_server abroad;
    const std::string port = std::to_string(home.port());
    client watching({"http://me:p%3aw@127.0.0.1:" + port + "/", "--secret-header", "X-Key: k"});
    scripted_connection first = home.accept();
    const seen_request begins = first.read_request();
    CHECK(begins.header("Host") == "127.0.0.1:" + port);
    answer(std::move(first), response("307 Temporary Redirect", "Location: /events\r\n"));
    scripted_connection second = home.accept();
    for (const seen_request& at_home : {begins, check_request(second, "")}) {
        CHECK(at_home.header("Authorization") == "Basic bWU6cDp3"); // me:p:w
        CHECK(at_home.header("X-Key") == "k");
    }
    answer(std::move(second),
           response("307 Temporary Redirect", "Location: http://you:x@127.0.0.1:" +
                                                  std::to_string(abroad.port()) + "/events\r\n"));
    scripted_connection third = abroad.accept();
    const seen_request there = check_request(third, "");
    CHECK(!there.has("Authorization"));
    CHECK(!there.has("X-Key"));
    CHECK(there.header("Host") == "127.0.0.1:" + std::to_string(abroad.port()));
}

TEST_CASE("client: redirects without an end are given up") {
    scripted_server server;
    client watching({server.url()});
    for (int i = 0; i < 21; ++i) {
        answer(connected(server), response("302 Found", "Location: /events\r\n"));
    }
    CHECK(watching.wait() == 1);
    CHECK(watching.out().empty());
    CHECK(watching.says("a redirect leads nowhere (status 302)"));
    CHECK(!server.has_caller());
}

TEST_CASE("client: a redirect to where no server can be leads nowhere") {
    for (const std::string place : {"127.0.0.1:99999999999", "127.0.0.1:99999", "127.0.0.1:x"}) {
        CAPTURE(place);
        scripted_server server;
        client watching({server.url()});
        answer(connected(server), response("302 Found", "Location: http://" + place + "/\r\n"));
        CHECK(watching.wait() == 1);
        CHECK(watching.says("a redirect leads nowhere"));
    }
}

TEST_CASE("client: a redirect to what is no address has failed, as any connection may") {
    scripted_server server;
    client watching({server.url()});
    answer(connected(server), response("302 Found", "Location: http://[::g]/\r\n"));
    scripted_connection second = connected(server);
    CHECK(watching.until_err("no connection"));
    stream(second, "1", "a");
    CHECK(watching.until_out(line("1", "a")));
}

// ---- other answers

TEST_CASE("client: what is no stream ends it, and it says why") {
    struct end {
        std::string answer;
        int status;
        std::string says;
    };
    for (const end& each : std::initializer_list<end>{
             {"HTTP/1.1 204 No Content\r\n\r\n", 0, ""},
             {response("404 Not Found", "", "nothing"), 1, "status 404"},
             {response("500 Internal Server Error", "Content-Type: text/event-stream\r\n",
                       "data: a\n\n"),
              1, "status 500"},
             {response("200 OK", "Content-Type: text/html\r\n", "data: a\n\n"), 1,
              "no event stream (status 200)"},
             {response("200 OK", "", "data: a\n\n"), 1, "no event stream (status 200)"}}) {
        CAPTURE(each.answer);
        scripted_server server;
        client watching({server.url()});
        answer(connected(server), each.answer);
        CHECK(watching.wait() == each.status);
        CHECK(watching.out().empty());
        CHECK(watching.says(each.says));
        CHECK(watching.err().empty() == each.says.empty());
        CHECK(!server.has_caller());
    }
}

TEST_CASE("client: errors that may pass are tried again where that was asked for") {
    // <html><body><h1>500 Internal Server Error</h1></body></html>, by gzip
    const std::string page =
        from_hex("1f8b0800000000000203b3c928c9cdb1b349ca4fa9b4b3c930b433353050f0cc2b492dca4bcc5108"
                 "4e2d2a4b2d52702d2aca2fb2d107cadae84314ea837571010095ab83cf3d000000");
    scripted_server server;
    client watching({server.url(), "--retry-errors", "--from", "0"});
    answer(connected(server, "0"),
           response("500 Internal Server Error",
                    "Content-Type: text/html\r\nContent-Encoding: gzip\r\n", page));
    scripted_connection second = connected(server, "0");
    stream(second, "1", "a");
    CHECK(watching.until_out(line("1", "a")));
    second.close();
    const auto refused = std::chrono::steady_clock::now();
    answer(connected(server, "1"), response("503 Service Unavailable", "Retry-After: 1\r\n"));
    scripted_connection last = connected(server, "1");
    CHECK(std::chrono::steady_clock::now() - refused >= 1s);
    stream(last, "2", "b");
    CHECK(watching.until_out(line("1", "a") + line("2", "b")));
}

TEST_CASE("client: what a server says instead of a stream is shown, with the headers asked for") {
    struct words {
        std::string status;
        std::string type;
        std::string body;
        std::string says;
    };
    for (const words& each : std::initializer_list<words>{
             {"401 Unauthorized", "application/json", R"({"error":"no key … given"})",
              "status 401"},
             {"429 Too Many Requests", "text/plain", "slower\nplease\n", "status 429"},
             {"200 OK", "application/json", R"({"result":[1,2]})", "status 200"}}) {
        CAPTURE(each.status);
        scripted_server server;
        client watching({server.url(), "--keep-header", "X-Request-Id"});
        answer(connected(server),
               response(each.status, "Content-Type: " + each.type + "\r\nx-request-id: r-1\r\n",
                        each.body));
        CHECK(watching.wait() == 1);
        CHECK(watching.out().empty());
        CHECK(watching.says(each.says));
        CHECK(watching.says("X-Request-Id: r-1\n"));
        CHECK(watching.says("\n" + each.body));
        CHECK(!watching.says("(and more)"));
    }
}

TEST_CASE("client: headers of a stream are shown as well, if they are asked for") {
    scripted_server server;
    client watching({server.url(), "--keep-header", "Mcp-Session-Id", "--max-events", "1"});
    scripted_connection connection = connected(server);
    connection.send("HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nMcp-Session-Id: s 1\r\n"
                    "Set-Cookie: a=b\r\n\r\ndata: a\n\n");
    CHECK(watching.wait() == 0);
    CHECK(watching.err() == "Mcp-Session-Id: s 1\n");
}

TEST_CASE("client: an answer that is no stream is neither trusted nor read for ever") {
    scripted_server server;
    SUBCASE("its end is out of sight") {
        client watching({server.url(), "--max-answer-body", "3000"});
        scripted_connection connection = connected(server);
        connection.send("HTTP/1.1 500 Oh\r\nTransfer-Encoding: chunked\r\n\r\n");
        connection.send_chunk(std::string(2990, 'x'));
        for (int i = 0; !connection.until_closed(1ms); ++i) {
            REQUIRE(i < 20'000);
            connection.send_chunk(std::string(4, 'y'));
        }
        CHECK(watching.wait() == 1);
        CHECK(watching.says("status 500"));
        CHECK(watching.says("\n" + std::string(2990, 'x') + "yyyyyyyyyy\n(and more)\n"));
    }
    SUBCASE("it is cut off") {
        client watching({server.url()});
        answer(connected(server), "HTTP/1.1 404 Not Found\r\nContent-Length: 10\r\n\r\nhalf");
        CHECK(watching.wait() == 1);
        CHECK(watching.says("status 404"));
        CHECK(watching.says("half\n(and more)\n"));
    }
    SUBCASE("a terminal would obey it") {
        client watching({server.url()});
        answer(connected(server), response("403 Forbidden", "",
                                           "\x1b[2Ja\x07 \xC2\x9B"
                                           "1m \xFF b\tc\r\nd"));
        CHECK(watching.wait() == 1);
        CHECK(watching.says("?[2Ja? ?1m ? b\tc?\nd\n"));
    }
}

TEST_CASE("client: which errors may pass is what SDKs say") {
    scripted_server server;
    client watching({server.url(), "--retry-errors"});
    for (const std::string status : {"409 Conflict", "425 Too Early", "529 Overloaded"}) {
        CAPTURE(status);
        answer(connected(server), response(status, "", "why " + status));
        CHECK(watching.until_err("why " + status)); // it is shown though it is tried again
        CHECK(watching.says("status " + status.substr(0, 3)));
    }
    answer(connected(server), response("501 Not Implemented", ""));
    CHECK(watching.wait() == 1);
    CHECK(watching.says("status 501"));
    CHECK(!server.has_caller());
}

TEST_CASE("client: it gives up when it was told to") {
    scripted_server server;
    server.stop_listening();
    client watching({server.url(), "--max-failures", "2"});
    CHECK(watching.wait() == 1);
    CHECK(watching.out().empty());
    const std::string said = watching.err();
    const std::size_t first = said.find("; trying again in ");
    REQUIRE(first != std::string::npos);
    CHECK(said.starts_with("no connection: ")); // and why, in the library's words
    CHECK(first > std::string_view("no connection: ").size());
    CHECK(first < said.rfind("; trying again in "));
    CHECK(watching.says("\ntoo many failures in a row: ")); // and why again
}

TEST_CASE("client: a coded body is decoded or refused, but never taken for events") {
    // id: 1, data: coded, by gzip
    const std::string gzip =
        from_hex("1f8b0800000000000203cb4cb15230e44a492c49b45248ce4f494de1e2020"
                 "070d7760113000000");
    const std::string type = "Content-Type: text/event-stream\r\nContent-Encoding: ";
    SUBCASE("gzip") {
        scripted_server server;
        client watching({server.url(), "--max-events", "1"});
        answer(connected(server), response("200 OK", type + "gzip\r\n", gzip));
        const int status = watching.wait();
        CHECK(watching.out() == (status == 0 ? line("1", "coded") : ""));
        if (status != 0) CHECK(status == 1);
    }
    SUBCASE("one that nobody knows") {
        scripted_server server;
        client watching({server.url(), "--max-failures", "1"});
        scripted_connection connection = connected(server);
        server.stop_listening();
        answer(std::move(connection), response("200 OK", type + "x-any\r\n", "data: a\n\n"));
        CHECK(watching.wait() == 1);
        CHECK(watching.out().empty());
    }
    SUBCASE("none, by name") {
        scripted_server server;
        client watching({server.url(), "--max-events", "1"});
        answer(connected(server), response("200 OK", type + "identity\r\n", "data: a\n\n"));
        CHECK(watching.wait() == 0);
        CHECK(watching.out() == line("", "a"));
    }
}

// ---- requests with a body

namespace {

/// A client that posts `body`.
class poster : public client {
  public:
    poster(const scripted_server& server, std::string_view body, const std::string& option)
        : client(
              {server.url(), "--post", "-", "--header", "Content-Type: application/json", option}) {
        write(body);
        close_input();
        REQUIRE(until_given());
    }
};

/// Accepts a connection that posts that body.
scripted_connection posted(scripted_server& server, const std::string& body,
                           std::string_view last_event_id = {}) {
    scripted_connection out = server.accept();
    const seen_request request = out.read_request();
    CHECK(request.line == "POST /events HTTP/1.1");
    CHECK(request.body == body);
    CHECK(request.header("Content-Length") == std::to_string(body.size()));
    CHECK(request.header("Content-Type") == "application/json");
    CHECK(request.header("Accept") == "text/event-stream");
    // Newer versions of cpp-httplib ask before a long body, and send it all the same.
    if (!is_httplib()) CHECK(!request.has("Expect"));
    check_id(request, last_event_id);
    return out;
}

} // namespace

TEST_CASE("client: a POST is sent once, whatever becomes of it") {
    enum class fate { ends, breaks, is_reset, is_refused };
    const std::string body = "{\"ask\":\"…\"}\r\n\r\n" + std::string(1, '\0') + "z";
    for (const fate its : {fate::ends, fate::breaks, fate::is_reset, fate::is_refused}) {
        CAPTURE(static_cast<int>(its));
        scripted_server server;
        poster watching(server, body, "--retry-errors");
        scripted_connection connection = posted(server, body);
        if (its == fate::is_refused) {
            connection.send(response("503 Service Unavailable", ""));
        } else {
            stream(connection, "1", "a");
            CHECK(watching.until_out(line("1", "a")));
            if (its == fate::ends) connection.send_chunk("");
        }
        if (its == fate::is_reset) {
            connection.reset();
        } else {
            connection.close();
        }
        CHECK(watching.wait() == (its == fate::ends ? 0 : 1));
        CHECK(watching.out() == (its == fate::is_refused ? "" : line("1", "a")));
        CHECK(watching.says("may not be repeated") == (its != fate::ends));
        CHECK(!server.has_caller());
    }
}

TEST_CASE("client: a POST that may be repeated goes on where it was") {
    const std::string body((1 << 20) + 1, 'x'); // for which libcurl would wait for a 100
    scripted_server server;
    poster watching(server, body, "--repeat");
    scripted_connection first = posted(server, body);
    stream(first, "1", "a");
    CHECK(watching.until_out(line("1", "a")));
    first.close();
    scripted_connection second = posted(server, body, "1");
    stream(second, "2", "b");
    CHECK(watching.until_out(line("1", "a") + line("2", "b")));
}

TEST_CASE("client: a POST that never left is sent again") {
    scripted_server server;
    server.stop_listening();
    poster watching(server, "{}", "--retry-errors");
    CHECK(watching.until_err("no connection: "));
    server.listen();
    scripted_connection connection = posted(server, "{}");
    stream(connection, "1", "a");
    CHECK(watching.until_out(line("1", "a")));
    connection.close();
    CHECK(watching.wait() == 1);
    CHECK(!server.has_caller());
}

TEST_CASE("client: a POST is sent once over a connection that was kept and dies") {
    scripted_server server;
    poster watching(server, "{}", "--retry-errors");
    scripted_connection first = posted(server, "{}");
    first.send("HTTP/1.1 307 Temporary Redirect\r\nLocation: /there\r\nContent-Length: 0\r\n\r\n");
    while (!server.has_caller(1ms) && !first.has_input()) {
        REQUIRE(!watching.until([] { return false; }, 1ms));
    }
    scripted_connection second = first.has_input() ? std::move(first) : server.accept();
    const seen_request again = second.read_request();
    CHECK(again.line == "POST /there HTTP/1.1");
    CHECK(again.body == "{}");
    second.close();
    CHECK(watching.wait() == 1);
    CHECK(watching.says("may not be repeated"));
    CHECK(!server.has_caller());
}

TEST_CASE(
    "client: a POST is repeated until a stream begins, if that was asked for, and never after") {
    scripted_server server;
    poster watching(server, "{}", "--until-stream");
    posted(server, "{}").close();
    posted(server, "{}").reset();
    scripted_connection last = posted(server, "{}");
    stream(last, "1", "a");
    CHECK(watching.until_out(line("1", "a")));
    last.close();
    CHECK(watching.wait() == 1);
    CHECK(watching.says("may not be repeated"));
    CHECK(!server.has_caller());
}

TEST_CASE("client: a body stays with its origin, unless it may travel") {
    scripted_server home;
    scripted_server abroad;
    const std::string place = "Location: " + abroad.url() + "\r\n";
    SUBCASE("it stays") {
        poster watching(home, "{}", "--repeat");
        answer(posted(home, "{}"), response("307 Temporary Redirect", place));
        CHECK(watching.wait() == 1);
        CHECK(watching.says("a redirect leads nowhere (status 307)"));
        CHECK(!abroad.has_caller());
    }
    SUBCASE("it travels") {
        poster watching(home, "{}", "--body-may-travel");
        answer(posted(home, "{}"), response("308 Permanent Redirect", place));
        scripted_connection there = posted(abroad, "{}");
        stream(there, "1", "a");
        CHECK(watching.until_out(line("1", "a")));
    }
    SUBCASE("it is not needed there") {
        poster watching(home, "{}", "--repeat");
        answer(posted(home, "{}"), response("303 See Other", place));
        scripted_connection there = abroad.accept();
        CHECK(!check_request(there, "").has("Content-Type"));
        stream(there, "1", "a");
        CHECK(watching.until_out(line("1", "a")));
    }
}

TEST_CASE("client: an answer is whole when its own end mark has come") {
    const std::vector<std::string> pieces = {"data: a\n\n", "data: [DONE]\n\n"};
    for (const bool is_whole : {true, false}) {
        CAPTURE(is_whole);
        scripted_server server;
        client watching({server.url(), "--post", "-", "--last", "[DONE]"});
        watching.close_input();
        REQUIRE(watching.until_given());
        scripted_connection connection = server.accept();
        static_cast<void>(connection.read_request());
        connection.send(stream_head);
        connection.send_chunk(pieces[0]);
        if (is_whole) {
            connection.send_chunk(pieces[1] + "data: b\n\n");
            CHECK(connection.until_closed()); // nothing more is awaited
        } else {
            connection.send_chunk(""); // in order, as proxies end what has broken off
            connection.close();
        }
        CHECK(watching.wait() == (is_whole ? 0 : 1));
        CHECK(watching.out() == line("", "a") + (is_whole ? line("", "[DONE]") : ""));
        CHECK(watching.says("has broken off before its end") != is_whole);
        CHECK(!server.has_caller());
    }
}

// ---- what streams may be made of

TEST_CASE("client: the last event may lack its blank line, if that was asked for") {
    for (const bool wanted : {true, false}) {
        for (const bool chunked : {true, false}) {
            CAPTURE(wanted);
            CAPTURE(chunked);
            const std::string body = "data: a\n\ndata: b";
            scripted_server server;
            client watching({server.url(), "--post", "-", wanted ? "--unfinished" : "--comments"});
            watching.close_input();
            REQUIRE(watching.until_given());
            scripted_connection connection = server.accept();
            static_cast<void>(connection.read_request());
            if (chunked) {
                connection.send(stream_head);
                connection.send_chunk(body);
                connection.send_chunk("");
            } else {
                connection.send(response("200 OK", "Content-Type: text/event-stream\r\n", body));
            }
            connection.close();
            CHECK(watching.wait() == 0);
            CHECK(watching.out() == line("", "a") + (wanted ? line("", "b") : ""));
        }
    }
}

TEST_CASE("client: an event that is dropped is named at once") {
    scripted_server server;
    client watching({server.url(), "--limit", "5", "--max-events", "1"});
    scripted_connection connection = connected(server);
    connection.send(stream_head);
    connection.send_chunk("data: 123456\n\n");
    CHECK(watching.until_err("an event was dropped: "));
    connection.send_chunk("data: 12345\n\n");
    CHECK(watching.wait() == 2);
    CHECK(watching.out() == line("", "12345"));
    CHECK(!server.has_caller());
}

TEST_CASE("client: comments are shown to who asks") {
    scripted_server server;
    client watching({server.url(), "--comments"});
    scripted_connection connection = connected(server);
    connection.send(stream_head);
    connection.send_chunk(": ping\n\n:\x1b[0m\ndata: a\n\n");
    CHECK(watching.until_out(line("", "a")));
    CHECK(watching.until_err(": ping\n:?[0m\n"));
}

TEST_CASE("client: an id that cannot travel is not sent, and a long one is") {
    struct id {
        std::string sent;
        std::string printed;
        bool travels;
    };
    const std::string is_long(20'000, 'i');
    scripted_server server;
    client watching({server.url()});
    std::string before = "";
    for (const id& each : std::initializer_list<id>{{" 1", " 1", false},
                                                    {"1 ", "1 ", false},
                                                    {"a\x01", R"(a\u0001)", false},
                                                    {"a\x7F", "a\x7F", false},
                                                    {is_long, is_long, true},
                                                    {"2", "2", true}}) {
        CAPTURE(each.printed.substr(0, 10));
        scripted_connection connection = connected(server, before);
        const std::string printed = watching.out();
        stream(connection, each.sent, "a");
        CHECK(watching.until_out(printed + line(each.printed, "a")));
        connection.close();
        before = each.travels ? each.sent : "";
    }
    connected(server, before);
}

#ifdef __linux__

namespace {

/// Of a process, in bytes.
std::size_t resident(pid_t process) {
    std::ifstream file("/proc/" + std::to_string(process) + "/statm");
    std::size_t all = 0;
    std::size_t out = 0;
    file >> all >> out;
    return out * static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
}

} // namespace

TEST_CASE("client: nothing of a response makes it grow") {
    struct endless {
        const char* name;
        std::string begins;
        std::string piece;
    };
    const std::string head(stream_head);
    const std::string body = head + chunk("data: a\n\n");
    for (const endless& each : std::initializer_list<endless>{
             {"lines before the status line", "", "no status line\r\n"},
             {"a status line", "HTTP/1.1 200 ", "OK"},
             {"headers", head.substr(0, head.size() - 2), "X-More: and more\r\n"},
             {"one header", head.substr(0, head.size() - 2) + "X-More: ", "and more"},
             {"heads", "", "HTTP/1.1 100 Continue\r\nX-More: and more\r\n\r\n"},
             {"a chunk's size", head, "0000000000000000"},
             {"a chunk's extension", head + "9;x=", "and more"},
             {"trailers", body + "0\r\n", "X-More: and more\r\n"},
             {"a comment", body, chunk(std::string(1000, ':'))}}) {
        CAPTURE(each.name);
        scripted_server server;
        client watching({server.url()});
        scripted_connection first = connected(server);
        const std::size_t before = resident(watching.pid());
        first.send(each.begins);
        std::string pieces;
        while (pieces.size() < (1 << 16)) pieces += each.piece;
        for (int i = 0; i < 384; ++i) first.send(pieces); // 24 MiB, unless it has left
        watching.until([] { return false; }, 1ms);
        const std::size_t after = resident(watching.pid());
        CHECK(after < before + (std::size_t{10} << 20));
        first.close();
        if (server.has_caller(2s)) {
            scripted_connection second = connected(server);
            const std::string printed = watching.out();
            stream(second, "", "b");
            CHECK(watching.until_out(printed + line("", "b")));
        } else {
            CHECK(watching.wait() == 1); // it takes that for an answer, and says which
            CHECK(watching.says("(status "));
        }
    }
}

#endif

// ---- signals

TEST_CASE("client: SIGTERM ends it in any phase, at once and in order") {
    enum class phase { handshake, head, other_body, stream, away };
    for (const phase its :
         {phase::handshake, phase::head, phase::other_body, phase::stream, phase::away}) {
        CAPTURE(static_cast<int>(its));
        // libcurl reads the system's certificates in the handshake, which takes it a while.
        const std::chrono::nanoseconds at_once = its == phase::handshake ? 5s : 100ms;
        auto quickest = std::chrono::nanoseconds::max();
        for (int i = 0; i < 10 && quickest >= at_once; ++i) { // the machine may be busy
            scripted_server server;
            client watching({its == phase::handshake ? tls_url(server) : server.url()});
            scripted_connection connection = server.accept();
            if (its == phase::handshake) {
                CHECK(connection.first_byte() == '\x16');
            } else {
                check_request(connection, "");
            }
            if (its == phase::head) connection.send("HTTP/1.1 200 OK\r\n");
            if (its == phase::other_body) {
                connection.send("HTTP/1.1 404 Not Found\r\nContent-Length: 5\r\n\r\na");
            }
            if (its == phase::stream || its == phase::away) {
                stream(connection, "1\nretry: 1000000", "a");
                CHECK(watching.until_out(line("1", "a")));
            }
            if (its == phase::away) {
                connection.close();
                CHECK(watching.until_err("trying again"));
            }
            const auto asked = std::chrono::steady_clock::now();
            watching.signal(SIGTERM);
            CHECK(watching.wait() == 0);
            quickest = std::min<std::chrono::nanoseconds>(quickest,
                                                          std::chrono::steady_clock::now() - asked);
            CHECK(!server.has_caller());
        }
        CHECK(quickest < at_once);
    }
}

// ---- the command line

TEST_CASE("client: it begins and ends where it was told to") {
    scripted_server server;
    client watching({server.url(), "--from", "ü 1", "--max-events", "2"});
    scripted_connection connection = connected(server, "ü 1");
    connection.send(stream_head);
    connection.send_chunk("data: a\n\ndata: b\n\ndata: c\n\n");
    CHECK(watching.wait() == 0);
    CHECK(watching.out() == line("ü 1", "a") + line("ü 1", "b"));
    CHECK(watching.err().empty());
    CHECK(connection.until_closed());
    CHECK(!server.has_caller());
}

TEST_CASE("client: it ends when nobody reads what it prints") {
    scripted_server server;
    client watching({server.url()});
    scripted_connection connection = connected(server);
    stream(connection, "1", "a");
    CHECK(watching.until_out(line("1", "a")));
    watching.close_output();
    connection.send_chunk("data: b\n\n");
    CHECK(watching.wait() == 0);
    CHECK(watching.err().empty());
    CHECK(connection.until_closed());
}

TEST_CASE("client: what cannot be understood or sent is not begun") {
    scripted_server server;
    const std::string url = server.url();
    struct refusal {
        std::vector<std::string> arguments;
        int status;
    };
    for (const refusal& each :
         std::initializer_list<refusal>{{{}, 64},
                                        {{url, url}, 64},
                                        {{"--any", "1", url}, 64},
                                        {{url, "--from"}, 64},
                                        {{url, "--max-events", "0"}, 64},
                                        {{url, "--max-events", "x"}, 64},
                                        {{url, "--idle-timeout", "-1"}, 64},
                                        {{url, "--header", "X-Mine"}, 64},
                                        {{url, "--last"}, 64},
                                        {{url, "--limit", "x"}, 64},
                                        {{url, "--post", "/nothing/here"}, 64},
                                        {{url, "--header", "X-Mine: a\r\nX-Other: b"}, 1},
                                        {{url, "--header", "X Mine: a"}, 1},
                                        {{"ftp" + url.substr(4)}, 1},
                                        {{server.url("/a b")}, 1}}) {
        client watching(each.arguments);
        CAPTURE(watching.err());
        CHECK(watching.wait() == each.status);
        CHECK(watching.out().empty());
        CHECK(watching.says(each.status == 64 ? "--help" : "cannot be sent"));
    }
    CHECK(!server.has_caller());
}

// ---- the toolkit's own server

namespace {

/// A process of server_epoll.
class news : public support::process {
  public:
    news() : process({support::example("server_epoll"), "--port", "0"}) {
        constexpr std::string_view before = "listening on port ";
        REQUIRE(until([&] { return out().ends_with("\n"); }));
        const char* const digits = out().data() + before.size();
        REQUIRE(std::from_chars(digits, out().data() + out().size(), port).ec == std::errc{});
        support::stream_client probe(port);
        REQUIRE(probe.until([&] { return probe.last_event_id().ends_with(".0"); }));
        epoch = probe.last_event_id();
        epoch.pop_back();
    }

    std::uint16_t port = 0;
    std::string epoch; // what its ids begin with

    /// Publishes events whose data are the numbers from `first` to `last`.
    void publish(int first, int last) const {
        for (int i = first; i <= last; ++i) {
            const std::string target = "/publish?data=" + std::to_string(i);
            CHECK(support::ask(port, "POST " + target).status == 202);
        }
    }
    /// What a client prints of them.
    [[nodiscard]] std::string lines(int first, int last) const {
        std::string out;
        for (int i = first; i <= last; ++i) {
            out += line(epoch + std::to_string(i), std::to_string(i));
        }
        return out;
    }
};

bool has_server() { // which needs Linux
    const bool is_built = access(support::example("server_epoll").c_str(), X_OK) == 0;
    if (!is_built) MESSAGE("server_epoll is not built");
    return is_built;
}

} // namespace

TEST_CASE("client: connections may be cut anywhere, and nothing is lost or doubled") {
    if (!has_server()) return;
    news server;
    cutting_proxy proxy({60, 170, 600, 1000, 3333}); // in the head, and then inside of events
    proxy.forward_to(server.port);
    client watching({proxy.url(), "--from", server.epoch + "0", "--max-events", "300"});
    for (int i = 0; i < 300; i += 10) {
        server.publish(i + 1, i + 10);
        watching.until([] { return false; }, 20ms);
    }
    CHECK(watching.wait() == 0);
    CHECK(proxy.cut() == 5);
    CHECK(watching.out() == server.lines(1, 300));
}

TEST_CASE("client: it goes on when its server was killed, and hears of the gap") {
    if (!has_server()) return;
    news first;
    news second;
    cutting_proxy proxy;
    proxy.forward_to(first.port);
    client watching({proxy.url(), "--from", first.epoch + "0"});
    first.publish(1, 3);
    std::string expected = first.lines(1, 3);
    CHECK(watching.until_out(expected));
    second.publish(1, 2);
    proxy.forward_to(second.port);
    first.signal(SIGKILL);
    expected += line(second.epoch + "0", R"({\"reason\":\"unknown\"})", "gap");
    CHECK(watching.until_out(expected += second.lines(1, 2)));
    second.publish(3, 4);
    CHECK(watching.until_out(expected += second.lines(3, 4)));
}

TEST_CASE("client: a reader that takes its time is no silence of the server") {
    const std::string data(200'000, 'x'); // more than a pipe holds
    scripted_server server;
    client watching({server.url(), "--idle-timeout", "1000"});
    scripted_connection connection = connected(server);
    stream(connection, "1", data);
    for (int i = 0; i < 20; ++i) { // in which nobody reads what the client prints
        std::this_thread::sleep_for(100ms);
        connection.send_chunk(":\n");
    }
    connection.send_chunk("id: 2\ndata: b\n\n");
    CHECK(watching.until_out(line("1", data) + line("2", "b")));
    CHECK(!server.has_caller());
}
