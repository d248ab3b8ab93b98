// SPDX-License-Identifier: MIT
//
// One contract for every server in examples/servers: whatever library carries it, a stream is the
// same, byte for byte. CTest runs these cases once for each server that was built; SSEKIT_SERVER
// names it. Clients are processes of curl, which know TLS and HTTP/2; where plain HTTP/1.1 is spoken
// raw sockets look as well.
#include "support/http_client.hpp"
#include "support/process.hpp"

#include <ssekit/http_request.hpp>
#include <ssekit/testing/event_collector.hpp>

#include <doctest/doctest.h>

#include <charconv>
#include <chrono>
#include <csignal>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <fstream>
#include <functional>
#include <memory>
#include <optional>
#include <sstream>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include <unistd.h>

namespace {

using ssekit::testing::collected_event;
using ssekit::testing::events_of;
using support::patience;

std::string name_of_server() {
    const char* const name = std::getenv("SSEKIT_SERVER");
    REQUIRE_MESSAGE(name != nullptr, "SSEKIT_SERVER names the server");
    return name;
}

std::string four_digits(int number) {
    std::string digits = std::to_string(number);
    return std::string(4 - digits.size(), '0') + digits;
}

class server : public support::process {
  public:
    /// \param before a command that runs the server.
    explicit server(std::vector<std::string> options = {}, std::vector<std::string> before = {})
        : process(command(std::move(options), std::move(before))) {
        constexpr std::string_view words = "listening on port ";
        REQUIRE(until([&] { return out().ends_with("\n"); }));
        REQUIRE(out().starts_with(words));
        const char* const digits = out().data() + words.size();
        REQUIRE(std::from_chars(digits, out().data() + out().size(), port).ec == std::errc{});
        const std::string name = name_of_server();
        plain = !name.ends_with("_tls") && name != "nghttp2";
        base = (name.ends_with("_tls") ? "https" : "http") + std::string("://127.0.0.1:") +
               std::to_string(port);
        if (name.ends_with("_tls")) options_ = {"--insecure"};
        if (name == "nghttp2") options_ = {"--http2-prior-knowledge"};
        reuses_ = name != "nghttp2";
    }

    std::uint16_t port = 0;
    bool plain = false; // HTTP/1.1 without TLS
    std::string base;

    /// The command line of a client.
    [[nodiscard]] std::vector<std::string> curl(std::vector<std::string> arguments) const {
        std::vector<std::string> line = {"/usr/bin/env", "curl", "-sN", "--max-time", "110"};
        line.insert(line.end(), options_.begin(), options_.end());
        line.insert(line.end(), arguments.begin(), arguments.end());
        return line;
    }

    /// Publishes `count` events "0001", "0002" ... with `padding` after the number.
    void publish(int count, const std::string& padding = {}) const {
        std::string config;
        std::string accepted;
        for (int i = 1; i <= count; ++i) {
            config += "url = " + host(i) + "/publish?data=" + four_digits(i) + padding +
                      "\noutput = /dev/null\n";
            accepted += "202 ";
        }
        const auto [status, out, err] = support::run(
            curl({"-4", "-X", "POST", "-w", "%{http_code} ", "--config", "-"}), config);
        CHECK(status == 0);
        CHECK(out == accepted);
    }

    [[nodiscard]] std::string status_of(std::vector<std::string> arguments) const {
        arguments.insert(arguments.end(), {"-w", "%{http_code}", "-o", "/dev/null"});
        return support::run(curl(std::move(arguments))).out;
    }

  private:
    /// curl 7.88 fails when it goes on with a connection that it knows to speak HTTP/2 (its issue
    /// 10634), so each request goes to another name of this machine.
    [[nodiscard]] std::string host(int number) const {
        if (reuses_) return base;
        return "http://n" + std::to_string(number) + ".localhost:" + std::to_string(port);
    }

    static std::vector<std::string> command(std::vector<std::string> options,
                                            std::vector<std::string> line) {
        line.insert(line.end(), {support::example("server_" + name_of_server()), "--port", "0"});
        line.insert(line.end(), options.begin(), options.end());
        return line;
    }

    std::vector<std::string> options_;
    bool reuses_ = true;
};

/// A stream read by `curl -N`.
class reader : public support::process {
  public:
    explicit reader(const server& from, const std::string& last_event_id = {},
                    const std::vector<std::string>& more = {})
        : process(command(from, last_event_id, more)) {
        until([&] { return !body().empty(); });
    }

    /// "" until it has come whole.
    [[nodiscard]] std::string head() const {
        const std::size_t end = out().find("\r\n\r\n");
        return end == std::string::npos ? "" : out().substr(0, end + 4);
    }
    [[nodiscard]] std::string body() const {
        return head().empty() ? "" : out().substr(head().size());
    }
    [[nodiscard]] std::vector<collected_event> events() const { return events_of(body()); }

    bool until_data(std::string_view data) {
        const std::string line = "data: " + std::string(data) + "\n\n";
        return until([&] { return out().ends_with(line); });
    }

    /// curl's exit status: 0 when the response has come to its proper end.
    int until_end() { return wait(); }

  private:
    static std::vector<std::string> command(const server& from, const std::string& last_event_id,
                                            const std::vector<std::string>& more) {
        std::vector<std::string> arguments = {"-i", from.base + "/events"};
        arguments.insert(arguments.end(), more.begin(), more.end());
        if (!last_event_id.empty()) {
            arguments.insert(arguments.end(), {"-H", "Last-Event-ID: " + last_event_id});
        }
        return from.curl(std::move(arguments));
    }
};

/// The number of the hub's run, from a stream's opening.
std::string epoch_of(const std::string& body) {
    REQUIRE(body.starts_with("id: "));
    return body.substr(4, body.find('.') - 4);
}

std::string block(const std::string& epoch, int number, const std::string& data) {
    return "id: " + epoch + "." + std::to_string(number) + "\ndata: " + data + "\n\n";
}

std::string opening(const std::string& epoch, int number) {
    return "id: " + epoch + "." + std::to_string(number) + "\nretry: 1000\n\n";
}

/// What a stream brings that begins behind event `first` when `count` more have been published.
std::string stream(const std::string& epoch, int first, int count,
                   const std::string& padding = {}) {
    std::string out = opening(epoch, first);
    for (int i = 1; i <= count; ++i) out += block(epoch, first + i, four_digits(i) + padding);
    return out;
}

bool eventually(const std::function<bool()>& holds) {
    const auto deadline = std::chrono::steady_clock::now() + patience;
    while (!holds()) {
        if (std::chrono::steady_clock::now() > deadline) return false;
    }
    return true;
}

bool has_subscribers(const server& asked, int count) {
    const std::string text = support::run(asked.curl({asked.base + "/metrics"})).out;
    return text.find("\nssekit_subscribers " + std::to_string(count) + "\n") != text.npos;
}

} // namespace

TEST_CASE("server: curl gets the head at once, and each event as it was published") {
    server news;
    reader client(news);
    const std::string head = client.head();
    CHECK(head.substr(head.find(' '), 4) == " 200");
    CHECK(ssekit::find_header(head, "Content-Type") == "text/event-stream");
    CHECK(ssekit::find_header(head, "Cache-Control") == "no-store, no-transform");
    CHECK(ssekit::find_header(head, "X-Accel-Buffering") == "no");
    CHECK(!ssekit::find_header(head, "Content-Length"));
    if (news.plain) {
        CHECK(ssekit::find_header(head, "Transfer-Encoding") == "chunked");
    } else if (head.starts_with("HTTP/2")) {
        CHECK(!ssekit::find_header(head, "Connection"));
        CHECK(!ssekit::find_header(head, "Transfer-Encoding"));
    }
    const std::string epoch = epoch_of(client.body());
    CHECK(client.body() == opening(epoch, 0));

    news.publish(3);
    CHECK(client.until_data("0003"));
    CHECK(news.status_of({"-X", "POST", news.base + "/publish?type=alarm&data=a%0Ab%20c"}) ==
          "202");
    CHECK(client.until_data("b c"));
    CHECK(client.body() ==
          stream(epoch, 0, 3) + "id: " + epoch + ".4\nevent: alarm\ndata: a\ndata: b c\n\n");
}

TEST_CASE("server: everybody gets a burst, and the same bytes") {
    server news;
    std::vector<std::unique_ptr<reader>> readers;
    std::vector<std::unique_ptr<support::stream_client>> raw;
    for (int i = 0; i < 4; ++i) readers.push_back(std::make_unique<reader>(news));
    for (int i = 0; news.plain && i < 8; ++i) {
        raw.push_back(std::make_unique<support::stream_client>(news.port));
        REQUIRE(raw.back()->until([&] { return !raw.back()->body.empty(); }));
    }
    news.publish(300, std::string(500, 'x'));
    const std::string expected =
        stream(epoch_of(readers[0]->body()), 0, 300, std::string(500, 'x'));
    for (const auto& each : readers) {
        CHECK(each->until([&] { return each->body().size() >= expected.size(); }));
        CHECK(each->body() == expected);
    }
    for (const auto& each : raw) {
        CHECK(each->until([&] { return each->body.size() >= expected.size(); }));
        CHECK(each->body == expected);
        CHECK(each->well_formed());
    }
}

TEST_CASE("server: a client that breaks off comes back with its id, and nothing is lost or "
          "doubled") {
    server news;
    reader steady(news);
    const std::string epoch = epoch_of(steady.body());
    std::string last_event_id;
    std::vector<collected_event> seen;
    for (int round = 0; round < 5; ++round) {
        reader client(news, last_event_id);
        if (round == 0) CHECK(client.body() == opening(epoch, 0));
        news.publish(20);
        CHECK(client.until([&] { return client.events().size() == (round == 0 ? 20 : 40); }));
        for (collected_event& event : client.events()) seen.push_back(std::move(event));
        last_event_id = seen.back().last_event_id;
        client.signal(SIGKILL);
        client.wait();
        news.publish(20); // while it is away
    }
    reader last(news, last_event_id);
    CHECK(last.until_data("0020"));
    for (collected_event& event : last.events()) seen.push_back(std::move(event));
    CHECK(steady.until([&] { return steady.events().size() == 200; }));
    CHECK(seen == steady.events());
    CHECK(last.body().starts_with(opening(epoch, 180)));
    if (!news.plain) return;
    support::stream_client raw(news.port, "/events", epoch + ".100");
    CHECK(raw.until_count(100));
    CHECK(raw.body.starts_with(opening(epoch, 100) + block(epoch, 101, "0001")));
}

TEST_CASE("server: an id of another run is answered with a gap and what is kept") {
    server news;
    news.publish(2);
    reader client(news, "zzz.1");
    CHECK(client.until_data("0002"));
    const auto events = client.events();
    REQUIRE(events.size() == 3);
    CHECK(events[0].type == "gap");
    CHECK(events[0].data == R"({"reason":"unknown"})");
    CHECK(events[1].data == "0001");
}

TEST_CASE("server: one that stalls costs the others nothing, and does not look whole") {
    // Two thousand events of 6 KB fill every buffer on the way, and the log keeps but 64 of them.
    server news({"--keep", "64"});
    reader stalled(news);
    stalled.signal(SIGSTOP);
    reader other(news);
    const std::string epoch = epoch_of(other.body());
    const std::string padding(6000, 'x');
    for (int i = 0; i < 20; ++i) {
        news.publish(100, padding);
        REQUIRE(other.until([&] { return other.out().size() > 100u * 6000u * unsigned(i + 1); }));
        REQUIRE(other.until_data("0100" + padding));
    }
    std::string expected = opening(epoch, 0);
    for (int i = 0; i < 2000; ++i) {
        expected += block(epoch, i + 1, four_digits(i % 100 + 1) + padding);
    }
    CHECK(other.body() == expected);
    stalled.signal(SIGCONT);
    CHECK(stalled.until_end() != 0); // it has missed something, and is told so
    const std::string got = stalled.body();
    CHECK(got.size() < expected.size());
    CHECK(expected.starts_with(got));
}

TEST_CASE("server: clients that have gone are noticed") {
    server news({"--heartbeat", "100"});
    {
        reader one(news);
        reader two(news);
        CHECK(eventually([&] { return has_subscribers(news, 2); }));
        CHECK(one.until([&] { return one.body().ends_with("\n\n:\n\n:\n\n"); })); // heartbeats
    }
    CHECK(eventually([&] { return has_subscribers(news, 0); }));
    news.publish(1);
    reader three(news);
    CHECK(eventually([&] { return has_subscribers(news, 1); }));
}

TEST_CASE("server: quick visits keep no places, though there is nothing to be sent") {
    server news({"--heartbeat", "600000"});
    if (!news.plain) return;
    int answered = 0;
    for (int i = 0; i < 1100; ++i) {
        support::tcp_client visit(news.port);
        visit.send("GET /events HTTP/1.1\r\nHost: a\r\n\r\n");
        if (!visit.until([&] { return visit.received.size() >= 12; })) break;
        answered += visit.received.substr(9, 3) == "200";
    }
    CHECK(answered == 1100);
    CHECK(eventually([&] { return has_subscribers(news, 0); }));
}

TEST_CASE("server: what is wrong with a request is answered, and the server goes on") {
    server news;
    CHECK(news.status_of({news.base + "/nothing"}) == "404");
    CHECK(news.status_of({"-X", "DELETE", news.base + "/events"}) == "405");
    CHECK(news.status_of({news.base + "/publish?data=x"}) == "405");
    CHECK(news.status_of({"-X", "POST", news.base + "/publish?data=%zz"}) == "400");
    CHECK(news.status_of({"-X", "POST", news.base + "/publish?data=x&type=a%0Ab"}) == "400");
    CHECK(news.status_of({"-H", "Accept: text/html", news.base + "/events"}) == "406");
    CHECK(news.status_of({"--head", news.base + "/events"}) == "200");
    CHECK(news.status_of({"-X", "OPTIONS", news.base + "/events"}) == "204");
    for (const std::string_view bytes :
         {"nonsense\r\n\r\n", "\r\n\r\n\r\n\r\n", "GET /events\r\n\r\n", "\x16\x03\x01\x02"}) {
        support::tcp_client client(news.port);
        client.send(bytes);
        client.end_output();
        client.until_closed();
    }
    CHECK(news.status_of({news.base + "/metrics"}) == "200");
}

TEST_CASE("server: a method that a resource does not have is answered with those that it has") {
    server news;
    const auto told = [&](const std::string& method, const std::string& path) {
        const auto [status, out, err] =
            support::run(news.curl({"-i", "-X", method, news.base + path}));
        const std::size_t end = out.find("\r\n\r\n");
        REQUIRE(end != out.npos);
        const std::string head = out.substr(0, end + 4);
        return head.substr(head.find(' ') + 1, 3) + ": " +
               std::string(ssekit::find_header(head, "Allow").value_or("not told"));
    };
    CHECK(told("DELETE", "/events") == "405: GET, HEAD, OPTIONS");
    CHECK(told("POST", "/events") == "405: GET, HEAD, OPTIONS");
    CHECK(told("OPTIONS", "/events") == "204: GET, HEAD, OPTIONS");
    for (const char* const path : {"/publish?data=x", "/close", "/cut"}) {
        CHECK(told("GET", path) == "405: POST");
    }
    CHECK(told("DELETE", "/metrics") == "405: GET, HEAD");
}

TEST_CASE("server: HEAD is answered as GET is, without the body") {
    server news;
    const auto [status, out, err] = support::run(news.curl({"--head", news.base + "/events"}));
    CHECK(status == 0);
    CHECK(out.substr(out.find(' '), 4) == " 200");
    CHECK(ssekit::find_header(out, "Content-Type") == "text/event-stream");
    CHECK(ssekit::find_header(out, "Cache-Control") == "no-store, no-transform");
    CHECK(has_subscribers(news, 0));
    if (!news.plain) return;
    const auto raw = [&](const std::string& method, const std::string& path) {
        support::tcp_client client(news.port);
        client.send(method + " " + path + " HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
        CHECK(client.until_closed());
        return client.received;
    };
    for (const std::string path : {"/events", "/metrics", "/nothing", "/publish?data=x"}) {
        const std::string head = raw("HEAD", path);
        CHECK_MESSAGE(head.find("\r\n\r\n") == head.size() - 4, path);
        if (path == "/events") continue;
        CHECK(head.substr(0, 12) == raw("GET", path).substr(0, 12));
    }
}

TEST_CASE(
    "server: a client of HTTP/1.0 gets a stream without chunks, to the end of its connection") {
    if (name_of_server() == "nghttp2") return; // which does not speak it
    server news;
    reader one(news, {}, {"--http1.0"});
    CHECK(!ssekit::find_header(one.head(), "Transfer-Encoding"));
    CHECK(!ssekit::find_header(one.head(), "Content-Length"));
    const std::string epoch = epoch_of(one.body());
    news.publish(3);
    CHECK(one.until_data("0003"));
    CHECK(one.body() == stream(epoch, 0, 3));

    reader two(news, epoch + ".2", {"--http1.0"});
    CHECK(two.until_data("0003"));
    news.signal(SIGTERM);
    CHECK(one.until_end() == 0);
    CHECK(one.body() == stream(epoch, 0, 3) + "event: bye\ndata: \n\n");
    CHECK(two.until_end() == 0);
    CHECK(news.wait() == 0);

    if (name_of_server() == "httplib") return; // see its adapter: there is no socket to be reset
    server again;
    reader cut(again, {}, {"--http1.0"});
    again.publish(1);
    CHECK(cut.until_data("0001"));
    CHECK(again.status_of({"-X", "POST", again.base + "/cut"}) == "202");
    CHECK(cut.until_end() == 56); // of curl: a failure to receive
    CHECK(cut.body() == stream(epoch_of(cut.body()), 0, 1));
}

#if defined(__linux__)

namespace {

/// The CPU time that a process has taken, from its accounts in /proc.
std::chrono::milliseconds cpu_time(const support::process& of) {
    std::ifstream file("/proc/" + std::to_string(of.pid()) + "/stat");
    std::string text;
    std::getline(file, text);
    std::istringstream fields(text.substr(text.rfind(')') + 1));
    std::string skipped;
    for (int i = 0; i < 11; ++i) fields >> skipped;
    long user = 0;
    long system = 0;
    fields >> user >> system;
    REQUIRE(fields);
    return std::chrono::milliseconds((user + system) * 1000 / sysconf(_SC_CLK_TCK));
}

} // namespace

TEST_CASE("server: without descriptors it rests, and serves again as soon as there are some") {
    constexpr int most = 40;
    server news({},
                {"/bin/sh", "-c", "ulimit -n " + std::to_string(most) + " && exec \"$@\"", "sh"});
    CHECK(news.status_of({news.base + "/metrics"}) == "200");
    {
        std::vector<support::tcp_client> crowd;
        crowd.reserve(most + 20);
        for (int i = 0; i < most + 20; ++i) crowd.emplace_back(news.port); // the kernel takes them
        const auto before = cpu_time(news);
        std::this_thread::sleep_for(
            std::chrono::seconds(1));                   // in which there is nothing to be done
        CHECK((cpu_time(news) - before).count() < 150); // and one that tries takes all of it
    }
    CHECK(eventually([&] {
        return news.status_of({"--max-time", "5", news.base + "/metrics"}) == "200";
    }));
    reader client(news);
    news.publish(1);
    CHECK(client.until_data("0001"));
    CHECK(news.err().size() < 10'000);
}

#endif

#if defined(SSEKIT_FAILING_MALLOC)

TEST_CASE("server: an allocation that fails ends a connection, and not the server") {
    // What becomes of the others is for their libraries to say: Asio's strands and coroutines allocate
    // where nothing may be thrown, evhttp uses what it did not get, a pool cannot make a thread.
    for (const char* const other : {"asio_tls", "beast", "beast_tls", "httplib", "libevent"}) {
        if (name_of_server() == other) return;
    }
    for (const std::string every : {"40", "11"}) {
        server news({}, {"/usr/bin/env", "LD_PRELOAD=" SSEKIT_FAILING_MALLOC,
                         "SSEKIT_FAIL_EVERY=" + every});
        news.signal(SIGUSR1);
        const auto ask = [&](std::vector<std::string> arguments) { // whatever comes of it
            support::run(news.curl(std::move(arguments)));
        };
        for (int i = 0; i < 8; ++i) {
            ask({"--max-time", "0.1", news.base + "/events"});
            ask({"--max-time", "0.5", "-X", "POST", news.base + "/publish?data=x"});
            ask({"--max-time", "0.5", news.base + "/metrics"});
        }
        news.signal(SIGUSR1);
        CHECK(eventually([&] {
            return news.status_of({"--max-time", "5", news.base + "/metrics"}) == "200";
        }));
        reader client(news);
        news.publish(1);
        CHECK(client.until_data("0001"));
        news.signal(SIGTERM);
        CHECK(client.until_end() == 0);
        CHECK(news.wait() == 0);
    }
}

#endif

TEST_CASE("server: a stream that has broken off never looks whole") {
    server news;
    reader one(news);
    reader two(news);
    std::optional<support::stream_client> raw;
    if (news.plain) raw.emplace(news.port);
    news.publish(1);
    for (reader* const each : {&one, &two}) CHECK(each->until_data("0001"));
    if (raw) CHECK(raw->until_count(1));
    CHECK(news.status_of({"-X", "POST", news.base + "/cut"}) == "202");
    for (reader* const each : {&one, &two}) {
        // Of curl: a partial file, a failure to receive, or an HTTP/2 stream that was reset.
        const int status = each->until_end();
        CHECK_MESSAGE((status == 18 || status == 56 || status == 92), status);
        CHECK(each->body() == stream(epoch_of(each->body()), 0, 1)); // whole events none the less
    }
    if (raw) {
        CHECK(raw->until([&] { return raw->closed(); }));
        CHECK(!raw->ended()); // no last chunk
        CHECK(raw->well_formed());
    }
    CHECK(news.status_of({news.base + "/events"}) == "503");
    news.signal(SIGTERM);
    CHECK(news.wait() == 0);
}

TEST_CASE("server: it says goodbye") {
    server news;
    reader one(news);
    reader two(news);
    news.publish(1);
    CHECK(one.until_data("0001"));
    news.signal(SIGTERM);
    for (reader* const each : {&one, &two}) {
        CHECK(each->until_end() == 0);
        CHECK(each->body() == stream(epoch_of(each->body()), 0, 1) + "event: bye\ndata: \n\n");
    }
    CHECK(news.wait() == 0);
}

namespace {

/// What a server says to a browser, by its whole answer; nothing where that goes on for a second.
std::optional<std::string> whole_answer(const server& from, const std::string& last_event_id = {}) {
    std::vector<std::string> arguments = {"-i", "--max-time", "1", "-H",
                                          "Accept: text/event-stream"};
    if (!last_event_id.empty()) {
        arguments.insert(arguments.end(), {"-H", "Last-Event-ID: " + last_event_id});
    }
    arguments.push_back(from.base + "/events");
    support::run_result got = support::run(from.curl(std::move(arguments)));
    if (got.status != 0) return std::nullopt;
    return std::move(got.out);
}

bool is_soft_refusal(const std::string& answer) {
    const std::size_t end = answer.find("\r\n\r\n");
    const std::string head = answer.substr(0, end == answer.npos ? 0 : end + 4);
    const std::string body = answer.substr(head.size());
    return head.substr(head.find(' '), 4) == " 200" &&
           ssekit::find_header(head, "Content-Type") == "text/event-stream" &&
           ssekit::find_header(head, "Cache-Control") == "no-store, no-transform" &&
           body.starts_with("retry: ") && body.ends_with("\n\n") && events_of(body).empty();
}

} // namespace

TEST_CASE("server: what is not finished goes on after a signal and ends whole, and a browser that "
          "comes meanwhile is told to come back") {
    server news({"--drain", "100000"});
    reader client(news);
    const std::string epoch = epoch_of(client.body());
    news.publish(1);
    CHECK(client.until_data("0001"));
    news.signal(SIGTERM);
    std::optional<std::string> told;
    CHECK(eventually([&] { return (told = whole_answer(news, epoch + ".0")).has_value(); }));
    if (told) CHECK_MESSAGE(is_soft_refusal(*told), *told);
    CHECK(news.status_of({news.base + "/events"}) == "503"); // who is no browser is told the truth
    CHECK(news.status_of({"-X", "POST", news.base + "/publish?data=more"}) == "202");
    CHECK(client.until_data("more"));
    CHECK(news.status_of({"-X", "POST", news.base + "/close"}) == "202");
    CHECK(client.until_end() == 0);
    CHECK(client.body() ==
          stream(epoch, 0, 1) + block(epoch, 2, "more") + "event: bye\ndata: \n\n");
    CHECK(news.wait() == 0);

    server again({"--port", std::to_string(news.port)});
    CHECK(again.port == news.port);
    reader returned(again, epoch + ".2");
    again.publish(1);
    CHECK(returned.until_data("0001"));
    CHECK(returned.events().front().type == "gap"); // of another run, and is told so
}

TEST_CASE("server: what is not finished at the deadline is cut, and does not look whole") {
    server news({"--drain", "700"});
    reader client(news);
    const std::string epoch = epoch_of(client.body());
    news.publish(1);
    CHECK(client.until_data("0001"));
    news.signal(SIGTERM);
    CHECK(client.until_end() != 0);
    CHECK(client.body() == stream(epoch, 0, 1));
    CHECK(news.wait() == 0);
}
