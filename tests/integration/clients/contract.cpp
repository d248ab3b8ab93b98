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

#include <charconv>
#include <chrono>
#include <csignal>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
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
    CHECK(watching.until([&] { // it was lost, and refused twice
        const std::size_t once = watching.err().find("no connection");
        const std::size_t twice = watching.err().find("no connection", once + 1);
        return twice < watching.err().rfind("no connection");
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
    CHECK(watching.err().ends_with("\ntoo many failures in a row\n"));
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
