// SPDX-License-Identifier: MIT
#include "support/http_client.hpp"
#include "support/json.hpp"
#include "support/process.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <charconv>
#include <csignal>
#include <cstdint>
#include <iterator>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace {

using support::ask;
using support::read_response;
using support::response;
using support::seen_event;
using support::stream_client;
using support::tcp_client;

struct refused_request {
    std::string bytes;
    int status;
};

/// The demo on a port of its own.
class live_server : public support::process {
  public:
    explicit live_server(std::vector<std::string> options = {})
        : process(command(std::move(options))) {
        constexpr std::string_view before = "open http://127.0.0.1:";
        REQUIRE(until([&] { return out().ends_with("/\n"); }));
        REQUIRE(out().starts_with(before));
        const char* const digits = out().data() + before.size();
        REQUIRE(std::from_chars(digits, out().data() + out().size(), port).ec == std::errc{});
    }

    std::uint16_t port = 0;

  private:
    static std::vector<std::string> command(std::vector<std::string> options) {
        options.insert(options.begin(), {support::example("live"), "--port", "0"});
        return options;
    }
};

support::json::value json_of(const std::string& text) {
    support::json::parse_result result = support::json::parse(text);
    REQUIRE_MESSAGE(result.document, result.error << ": " << text);
    return std::move(*result.document);
}

/// The events of that type.
std::vector<seen_event> of_type(const std::vector<seen_event>& events, std::string_view type) {
    std::vector<seen_event> found;
    std::ranges::copy_if(events, std::back_inserter(found),
                         [&](const seen_event& event) { return event.type == type; });
    return found;
}

/// Whether the stream has brought each measurement exactly once and in order.
bool is_unbroken(const stream_client& stream) {
    const std::vector<seen_event> metrics = of_type(stream.events, "metric");
    for (std::size_t i = 1; i < metrics.size(); ++i) {
        const auto seq = [&](std::size_t at) {
            return json_of(metrics[at].data).at("seq").integer();
        };
        if (seq(i) != seq(i - 1) + 1) return false;
    }
    return stream.well_formed() && !metrics.empty();
}

std::vector<seen_event> behind(const std::vector<seen_event>& events, const std::string& id) {
    const auto at = std::ranges::find(events, id, &seen_event::last_event_id);
    return at == events.end() ? events : std::vector<seen_event>(at + 1, events.end());
}

/// Each of 1 KiB.
void post_notices(const live_server& server, int count) {
    tcp_client sender(server.port);
    const std::string notice = "POST /notices HTTP/1.1\r\nHost: x\r\nContent-Length: 1024\r\n\r\n" +
                               std::string(1024, 'x');
    for (int i = 0; i < count; ++i) {
        sender.send(notice);
        REQUIRE(read_response(sender).status == 202);
    }
}

bool goes_on(stream_client& stream) {
    return stream.until_count(stream.events.size() + 2) && is_unbroken(stream);
}

} // namespace

TEST_CASE("live: the page is served") {
    live_server server;
    const response page = ask(server.port, "GET /");
    CHECK(page.status == 200);
    CHECK(page.header("Content-Type") == "text/html; charset=utf-8");
    CHECK(page.body.starts_with("<!doctype html>"));
    CHECK(page.body.find("new EventSource(") != std::string::npos);
    CHECK(page.body.ends_with("</script>\n"));

    const response head = ask(server.port, "HEAD /");
    CHECK(head.status == 200);
    CHECK(head.header("Content-Length") == page.header("Content-Length"));
    CHECK(ask(server.port, "GET /?query").status == 200);
}

TEST_CASE("live: a connection serves many requests, however their bytes come") {
    live_server server;
    tcp_client client(server.port);
    const std::string_view page = "GET / HTTP/1.1\r\nHost: x\r\n\r\n";
    const std::string_view notice =
        "POST /notices HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nhello";
    std::string all;
    for (int i = 0; i < 3; ++i) (all += page) += notice;
    all += "\r\nHEAD / HTTP/1.1\r\nHost: x\r\n\r\n";

    SUBCASE("at once") {
        client.send(all);
    }
    SUBCASE("one by one") {
        for (const char c : all) client.send({&c, 1});
    }
    SUBCASE("and then the client has nothing more to say") {
        client.send(all);
        client.end_output();
    }
    for (int i = 0; i < 3; ++i) {
        CHECK(read_response(client).body.starts_with("<!doctype html>"));
        CHECK(read_response(client).status == 202);
    }
    CHECK(read_response(client, false).status == 200);
    CHECK(client.received == "");
}

TEST_CASE("live: a stream begins at once") {
    live_server server;
    stream_client stream(server.port);
    CHECK(stream.head.status == 200);
    CHECK(stream.head.header("Content-Type") == "text/event-stream");
    CHECK(stream.head.header("Cache-Control") == "no-store, no-transform");
    CHECK(stream.head.header("X-Accel-Buffering") == "no");
    CHECK(stream.head.header("Transfer-Encoding") == "chunked");
    CHECK(stream.until([&] { return !stream.body.empty(); }));
    CHECK(stream.body.starts_with("id: "));
    CHECK(stream.until_count(5));
    CHECK(is_unbroken(stream));
    CHECK(stream.retry() == std::chrono::seconds(1));

    const response head = ask(server.port, "HEAD /events");
    CHECK(head.status == 200);
    CHECK(head.header("Content-Type") == "text/event-stream");
}

TEST_CASE("live: an HTTP/1.0 client gets a stream without chunks") {
    live_server server;
    stream_client stream(server.port, "/events", "", "HTTP/1.0");
    CHECK(stream.head.status == 200);
    CHECK(stream.head.header("Transfer-Encoding") == "");
    CHECK(stream.until_count(3));
    CHECK(is_unbroken(stream));
    server.signal(SIGTERM);
    CHECK(stream.until_closed());
    CHECK(stream.events.back().type == "bye");
    CHECK(server.wait() == 0);
}

TEST_CASE("live: Last-Event-ID brings exactly what was missed, then the live events") {
    live_server server;
    stream_client whole(server.port);
    REQUIRE(whole.until_count(2));
    const std::string id = [&] {
        stream_client left(server.port);
        REQUIRE(left.until_count(2));
        return left.last_event_id();
    }();
    CHECK(ask(server.port, "POST /jobs").status == 202);
    CHECK(ask(server.port, "POST /notices?type=alarm", "missed").status == 202);
    REQUIRE(whole.until_type("alarm"));
    REQUIRE(whole.until_count(whole.events.size() + 4));

    stream_client back(server.port, "/events", id);
    stream_client by_query(server.port, "/events?lastEventId=" + id);
    CHECK(ask(server.port, "POST /notices?type=warning", "live").status == 202);
    for (stream_client* stream : {&whole, &back, &by_query}) {
        REQUIRE(stream->until([&] {
            const seen_event* const last = stream->find("warning");
            return last != nullptr && last->data == "live";
        }));
    }
    const auto up_to_the_last = [&](const stream_client& stream) {
        std::vector<seen_event> events = behind(stream.events, id);
        const auto last = std::ranges::find(events, "live", &seen_event::data);
        events.erase(last + 1, events.end());
        return events;
    };
    const std::vector<seen_event> expected = up_to_the_last(whole);
    CHECK(of_type(expected, "alarm").size() == 1);
    CHECK(of_type(expected, "gap").empty());
    CHECK(up_to_the_last(back) == expected);
    CHECK(up_to_the_last(by_query) == expected);
    CHECK(back.body.starts_with("id: " + id + "\n"));
}

TEST_CASE("live: an id that cannot be resumed from is a gap and no error") {
    live_server server;
    const std::string foreign = [] {
        live_server other;
        stream_client stream(other.port);
        stream.until_count(1);
        return stream.last_event_id();
    }();
    struct attempt {
        std::string id;
        std::string reason;
    };
    const std::vector<attempt> attempts = {
        {"abc", "malformed"},
        {"-1", "malformed"},
        {std::string(4000, '9'), "malformed"},
        {foreign, "unknown"},
        {foreign.substr(0, foreign.find('.')) + ".99999999999999999999", "malformed"},
    };
    for (const attempt& tried : attempts) {
        CAPTURE(tried.id.substr(0, 50));
        stream_client stream(server.port, "/events", tried.id);
        CHECK(stream.head.status == 200);
        REQUIRE(stream.until_count(2));
        CHECK(stream.events[0].type == "gap");
        CHECK(json_of(stream.events[0].data).at("reason").string() == tried.reason);
        CHECK(is_unbroken(stream));
    }
}

TEST_CASE("live: a new page may ask for what is kept") {
    live_server server;
    stream_client first(server.port);
    REQUIRE(first.until_count(4));
    stream_client page(server.port, "/events?history");
    REQUIRE(page.until_count(first.events.size()));
    CHECK(json_of(page.events[0].data).at("seq").integer() == 1);
    CHECK(is_unbroken(page));
}

TEST_CASE("live: topics filter a stream") {
    live_server server;
    stream_client all(server.port);
    stream_client some(server.port, "/events?topics=job%2Cnotice");
    CHECK(ask(server.port, "POST /notices", "one").status == 202);
    REQUIRE(all.until_type("info"));
    REQUIRE(all.until_count(all.events.size() + 3));
    CHECK(ask(server.port, "POST /notices", "two").status == 202);
    REQUIRE(some.until_count(2));
    CHECK(some.events[0].data == "one");
    CHECK(some.events[1].data == "two");
    CHECK(ask(server.port, "GET /events?topics=metric,secret").status == 400);
    CHECK(ask(server.port, "GET /events?topics=").status == 400);
    CHECK(ask(server.port, "GET /events?topics=%zz").status == 400);
}

TEST_CASE("live: a job reports its progress and its end") {
    live_server server;
    stream_client stream(server.port, "/events?topics=job");
    const response started = ask(server.port, "POST /jobs");
    CHECK(started.status == 202);
    CHECK(json_of(started.body).at("job").integer() == 1);
    REQUIRE(stream.until_type("complete"));

    const std::vector<seen_event> steps = of_type(stream.events, "progress");
    std::int64_t before = -1;
    for (const seen_event& step : steps) {
        CHECK(json_of(step.data).at("job").integer() == 1);
        const std::int64_t percent = json_of(step.data).at("percent").integer();
        CHECK(percent > before);
        before = percent;
    }
    CHECK(json_of(steps.front().data).at("percent").integer() == 0);
    CHECK(before == 100);
    CHECK(stream.events.back().type == "complete");
    CHECK(json_of(stream.events.back().data).at("job").integer() == 1);

    int refused = 0;
    for (int i = 0; i < 9; ++i) refused += ask(server.port, "POST /jobs").status == 429 ? 1 : 0;
    CHECK(refused >= 1);
}

TEST_CASE("live: a job has a stream of its own, which ends with it, and 204 says so") {
    live_server server;
    CHECK(ask(server.port, "GET /events?topics=job/1").status == 400); // it makes no topics
    CHECK(ask(server.port, "POST /jobs").status == 202);
    stream_client all(server.port, "/events?topics=job,job/1&history");
    stream_client job(server.port, "/events?topics=job/1&history");
    CHECK(job.until([&] { return job.ended(); }));
    CHECK(job.until_closed());
    CHECK(job.well_formed());
    CHECK(json_of(job.events.front().data).at("percent").integer() == 0);
    CHECK(job.events.back().type == "complete");
    REQUIRE(all.until_type("complete"));
    CHECK(all.events == job.events);
    CHECK(!all.ended()); // there will be other jobs

    tcp_client back(server.port);
    back.send("GET /events?topics=job/1 HTTP/1.1\r\nHost: x\r\nLast-Event-ID: " +
              job.last_event_id() + "\r\n\r\n");
    const response told = read_response(back);
    CHECK(told.status == 204);
    CHECK(told.header("Content-Length") == "");

    // Whoever has not seen the end still gets it.
    stream_client late(server.port, "/events?topics=job/1", job.events[0].last_event_id);
    CHECK(late.until([&] { return late.ended(); }));
    CHECK(late.events == behind(job.events, job.events[0].last_event_id));
}

TEST_CASE("live: whatever a notice holds, it stays the data of one event") {
    live_server server;
    stream_client one(server.port, "/events?topics=notice");
    stream_client two(server.port, "/events?topics=notice");
    const std::string evil = "first\n\nevent: alarm\ndata: forged\r\nid: 1\rretry: 1\n\n: end\n";
    CHECK(ask(server.port, "POST /notices?type=warning", evil).status == 202);
    CHECK(ask(server.port, "POST /notices?type=warning", "next").status == 202);
    for (stream_client* stream : {&one, &two}) {
        REQUIRE(stream->until_count(2));
        CHECK(stream->events[0].type == "warning");
        CHECK(stream->events[0].data ==
              "first\n\nevent: alarm\ndata: forged\nid: 1\nretry: 1\n\n: end\n");
        CHECK(stream->events[1].data == "next");
        CHECK(stream->retry() == std::chrono::seconds(1));
    }
    CHECK(ask(server.port, "POST /notices?type=error", "x").status == 400);
    CHECK(ask(server.port, "POST /notices").status == 400);
}

TEST_CASE("live: clients are told when to come back") {
    live_server server({"--retry", "2345"});
    stream_client stream(server.port);
    REQUIRE(stream.until_count(1));
    CHECK(stream.retry() == std::chrono::milliseconds(2345));
    server.signal(SIGTERM);
    CHECK(stream.until([&] { return stream.ended(); }));
    CHECK(stream.retry() >= std::chrono::milliseconds(2345));
    CHECK(stream.retry() <= std::chrono::milliseconds(3 * 2345));
}

TEST_CASE("live: pages of the origins that it knows may read the stream, others may not") {
    live_server server({"--origin", "https://a.example", "--origin", "http://b.example:81"});
    live_server open({"--origin", "*"});
    std::uint16_t port = server.port;
    const auto ask_from = [&](std::string_view origin, std::string_view request,
                              std::string_view more = {}) {
        tcp_client client(port);
        client.send(std::string(request).append(" HTTP/1.1\r\nHost: x\r\nOrigin: ") +
                    std::string(origin).append("\r\n").append(more) + "\r\n");
        return support::read_head(client);
    };
    for (const char* origin : {"https://a.example", "http://b.example:81"}) {
        for (const char* request : {"GET /events", "HEAD /events", "GET /events?topics=none"}) {
            const response known = ask_from(origin, request);
            CHECK(known.header("Access-Control-Allow-Origin") == origin);
            CHECK(known.header("Access-Control-Allow-Credentials") == "true");
            CHECK(known.header("Vary") == "Origin");
            CHECK(known.header("Access-Control-Allow-Methods") == "");
        }
    }
    const response preflight =
        ask_from("https://a.example", "OPTIONS /events", "Access-Control-Request-Method: GET\r\n");
    CHECK(preflight.status == 204);
    CHECK(preflight.header("Access-Control-Allow-Origin") == "https://a.example");
    CHECK(preflight.header("Access-Control-Allow-Methods") == "GET, HEAD, OPTIONS");
    CHECK(preflight.header("Access-Control-Allow-Headers").find("Authorization") !=
          std::string::npos);
    CHECK(preflight.header("Allow") == "GET, HEAD, OPTIONS");
    CHECK(preflight.header("Content-Length") == "");

    for (const char* origin : {"http://a.example", "https://a.example.org", "null", "*"}) {
        for (const char* request : {"GET /events", "OPTIONS /events"}) {
            const response stranger = ask_from(origin, request);
            CHECK(stranger.header("Access-Control-Allow-Origin") == "");
            CHECK(stranger.header("Access-Control-Allow-Credentials") == "");
            CHECK(stranger.header("Vary") == "Origin");
        }
    }
    CHECK(ask_from("https://a.example", "GET /").header("Access-Control-Allow-Origin") == "");
    CHECK(ask(server.port, "OPTIONS /events").status == 204);

    port = open.port;
    const response anybody = ask_from("https://a.example", "GET /events");
    CHECK(anybody.header("Access-Control-Allow-Origin") == "*");
    CHECK(anybody.header("Access-Control-Allow-Credentials") == "");
}

TEST_CASE("live: a client that is cut off resumes, the others notice nothing") {
    live_server server;
    stream_client other(server.port, "/events?client=other");
    std::vector<seen_event> seen;
    {
        stream_client stream(server.port, "/events?client=me");
        REQUIRE(stream.until_count(3));
        CHECK(ask(server.port, "POST /break?client=me").status == 202);
        CHECK(stream.until_closed());
        CHECK(!stream.ended());
        seen = stream.events;
    }
    stream_client back(server.port, "/events?client=me", seen.back().last_event_id);
    REQUIRE(back.until_count(4));
    seen.insert(seen.end(), back.events.begin(), back.events.end());
    REQUIRE(other.until([&] {
        return !other.events.empty() && other.last_event_id() == seen.back().last_event_id;
    }));
    CHECK(behind(other.events, seen.front().last_event_id) ==
          behind(seen, seen.front().last_event_id));
    CHECK(is_unbroken(other));
    CHECK(ask(server.port, "POST /break?client=nobody").status == 404);
    CHECK(ask(server.port, "POST /break").status == 404);
}

TEST_CASE("live: what is wrong with a request is answered and disturbs nobody") {
    live_server server;
    stream_client stream(server.port);
    const std::string host = "Host: x\r\n";
    const std::string line = "GET / HTTP/1.1\r\n";
    const std::string post = "POST /notices HTTP/1.1\r\n" + host;
    const std::vector<refused_request> requests = {
        {"nonsense\r\n\r\n", 400},
        {"GET /\r\n\r\n", 400},
        {"GET / / HTTP/1.1\r\n" + host + "\r\n", 400},
        {"G=T / HTTP/1.1\r\n" + host + "\r\n", 400},
        {"GET ftp://x/ HTTP/1.1\r\n" + host + "\r\n", 400},
        {"GET /\x7F HTTP/1.1\r\n" + host + "\r\n", 400},
        {"GET / HTTP/3.0\r\n" + host + "\r\n", 505},
        {"GET / HTTPS/1.1\r\n" + host + "\r\n", 400},
        {line + "\r\n", 400},
        {line + host + host + "\r\n", 400},
        {line + host + "a b: c\r\n\r\n", 400},
        {line + host + "a : c\r\n\r\n", 400},
        {line + host + " folded: c\r\n\r\n", 400},
        {line + host + "colonless\r\n\r\n", 400},
        {line + host + std::string("a: \0b\r\n\r\n", 9), 400},
        {line + host + "a: b\rc\r\n\r\n", 400},
        {"GET / HTTP/1.1\nHost: x\n\n", 400},
        {post + "Content-Length: x\r\n\r\n", 400},
        {post + "Content-Length: -1\r\n\r\n", 400},
        {post + "Content-Length:\r\n\r\n", 400},
        {post + "Content-Length: 1\r\nContent-Length: 2\r\n\r\nxx", 400},
        {post + "Content-Length: 99999999999999999999999\r\n\r\n", 400},
        {post + "Content-Length: 1025\r\n\r\n", 413},
        {post + "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 411},
        {line + host + "a: " + std::string(9000, 'x'), 431},
        {line + host + "a: " + std::string(8190, 'x') + "\r\n\r\n", 431},
        {std::string(1000000, 'x'), 431},
        {std::string("\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n", 15), 400}, // TLS
    };
    for (const refused_request& request : requests) {
        CAPTURE(support::in_quotes(request.bytes));
        tcp_client client(server.port);
        client.send(request.bytes);
        CHECK(read_response(client).status == request.status);
        CHECK(client.until_closed());
    }
    CHECK(goes_on(stream));

    tcp_client odd(server.port);
    odd.send("\r\n\nGET / HTTP/1.1\r\nhOST:\r\nConnection: x, CLOSE\r\nempty: \t \r\n\r\n");
    CHECK(read_response(odd).status == 200);
    CHECK(odd.until_closed());

    CHECK(ask(server.port, "GET /nothing").status == 404);
    struct wrong_method {
        const char* request;
        const char* allowed;
    };
    const std::vector<wrong_method> methods = {
        {"DELETE /", "GET, HEAD"},
        {"OPTIONS /", "GET, HEAD"},
        {"POST /events", "GET, HEAD, OPTIONS"},
        {"GET /jobs", "POST"},
        {"GET /notices", "POST"},
        {"GET /break", "POST"},
        {"GE /", "GET, HEAD"},
        {"get /", "GET, HEAD"},
    };
    for (const wrong_method& wrong : methods) {
        const response refused = ask(server.port, wrong.request);
        CHECK(refused.status == 405);
        CHECK(refused.header("Allow") == wrong.allowed);
    }
    tcp_client json(server.port);
    json.send("GET /events HTTP/1.1\r\nHost: x\r\nAccept: application/json\r\n\r\n");
    CHECK(read_response(json).status == 406);
    CHECK(ask(server.port, "GET /events?client=" + std::string(33, 'x')).status == 400);
    CHECK(goes_on(stream));
}

TEST_CASE("live: a request that does not come to its end is cut off") {
    live_server server({"--timeout", "1"});
    stream_client stream(server.port);
    const std::vector<refused_request> requests = {
        {"", 408},
        {"GET / HTTP/1.1\r\nHost", 408},
        {"POST /notices HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\nhalf", 408},
    };
    for (const refused_request& request : requests) {
        tcp_client client(server.port);
        client.send(request.bytes);
        CHECK(read_response(client).status == request.status);
        CHECK(client.until_closed());
    }
    tcp_client idle(server.port);
    idle.send("HEAD / HTTP/1.1\r\nHost: x\r\n\r\n");
    CHECK(read_response(idle, false).status == 200);
    CHECK(idle.until_closed());
    CHECK(idle.received == "");

    tcp_client half(server.port);
    half.send("GET / HTTP/1.1\r\nHo");
    half.end_output();
    CHECK(half.until_closed());
    CHECK(goes_on(stream));
}

TEST_CASE("live: more streams than allowed are told to come later") {
    live_server server({"--clients", "1"});
    {
        stream_client first(server.port);
        CHECK(first.head.status == 200);
        const response refused = ask(server.port, "GET /events");
        CHECK(refused.status == 503);
        CHECK(refused.header("Retry-After") == "30");
        CHECK(ask(server.port, "GET /").status == 200);
        CHECK(goes_on(first));
    }
    // The server learns in its own time that the first has gone.
    int status = 503;
    const auto deadline = std::chrono::steady_clock::now() + support::patience;
    while (status == 503 && std::chrono::steady_clock::now() < deadline) {
        status = stream_client(server.port).head.status;
    }
    CHECK(status == 200);
}

TEST_CASE(
    "live: of connections that bring no request the oldest is told to come later, and none is "
    "in the way of those that do") {
    live_server server({"--clients", "1000"});
    stream_client stream(server.port);
    std::vector<tcp_client> crowd;
    crowd.reserve(400);
    for (int i = 0; i < 400; ++i) {
        crowd.emplace_back(server.port);
        crowd.back().send("GET /events HTTP/1.1\r\nHo");
    }
    const response refused = support::read_head(crowd.front());
    CHECK(refused.status == 503);
    CHECK(refused.header("Retry-After") == "5");
    CHECK(crowd[300].until_closed());
    CHECK(goes_on(stream));
    stream_client other(server.port);
    CHECK(other.head.status == 200);
    CHECK(goes_on(other));
    tcp_client& last = crowd.back(); // which is among the newest
    last.send("st: a\r\n\r\n");
    CHECK(support::read_head(last).status == 200);
    crowd.clear();
    CHECK(goes_on(stream));
    CHECK(ask(server.port, "GET /").status == 200);
}

TEST_CASE("live: a signal lets every client go in order") {
    live_server server;
    std::vector<stream_client> streams;
    streams.reserve(3);
    for (int i = 0; i < 3; ++i) streams.emplace_back(server.port);
    tcp_client idle(server.port);
    for (stream_client& stream : streams) REQUIRE(stream.until_count(1));
    int number = SIGTERM;
    SUBCASE("SIGTERM") {
        number = SIGTERM;
    }
    SUBCASE("SIGINT") {
        number = SIGINT;
    }
    server.signal(number);
    for (stream_client& stream : streams) {
        CHECK(stream.until([&] { return stream.ended(); }));
        CHECK(stream.until_closed());
        CHECK(stream.events.back().type == "bye");
        CHECK(stream.retry() >= std::chrono::seconds(1));
        CHECK(stream.retry() <= std::chrono::seconds(3));
    }
    streams.clear();
    CHECK(server.wait() == 0);
    CHECK(server.out().ends_with("\nclients let go: 3, cut off: 0\n"));
    CHECK(server.err() == "");
}

TEST_CASE("live: a client that never reads is cut off, at the end") {
    live_server server;
    tcp_client stuck(server.port, 4096);
    stuck.send("GET /events?topics=notice HTTP/1.1\r\nHost: x\r\n\r\n");
    stream_client stream(server.port, "/events?topics=metric");
    post_notices(server, 400);
    CHECK(goes_on(stream));
    server.signal(SIGTERM);
    CHECK(stream.until([&] { return stream.ended(); }));
    CHECK(server.wait() == 0);
    CHECK(server.out().ends_with("\nclients let go: 1, cut off: 1\n"));
}

TEST_CASE("live: a client that falls too far behind is told so when it comes back") {
    live_server server;
    stream_client slow(server.port, "/events?topics=notice", "", "HTTP/1.1", 4096);
    stream_client quick(server.port, "/events?topics=notice");
    post_notices(server, 600); // more than the sockets take
    REQUIRE(quick.until_count(600));
    const std::string taken = quick.last_event_id();
    // For a second the log keeps all of them, because they are a burst.
    for (bool gone = false; !gone; post_notices(server, 100)) {
        stream_client other(server.port, "/events?topics=notice", taken);
        REQUIRE(other.until_count(1));
        gone = other.events[0].type == "gap";
    }
    CHECK(slow.until_closed());
    CHECK(slow.well_formed());
    CHECK(!slow.ended()); // it is cut off, and what it has is not the whole
    CHECK(slow.events.size() < 600);
    stream_client back(server.port, "/events?topics=notice", slow.last_event_id());
    REQUIRE(back.until_count(2));
    CHECK(back.events[0].type == "gap");
    CHECK(json_of(back.events[0].data).at("reason").string() == "expired");
    CHECK(back.events[1].type == "info");
}

TEST_CASE("live: a second signal ends it at once") {
    live_server server;
    stream_client stream(server.port);
    REQUIRE(stream.until_count(1));
    server.signal(SIGTERM);
    REQUIRE(stream.until([&] { return stream.ended(); })); // but the client does not close
    server.signal(SIGTERM);
    CHECK(server.wait() == 0);
}

TEST_CASE("live: a port that is taken and a wrong command line are explained") {
    live_server server;
    const std::string live = support::example("live");
    const support::run_result taken = support::run({live, "--port", std::to_string(server.port)});
    CHECK(taken.status == 1);
    CHECK(taken.err.find("port " + std::to_string(server.port)) != std::string::npos);
    CHECK(taken.err.find("--port") != std::string::npos);

    const support::run_result where = support::run({live, "--bind", "not an address"});
    CHECK(where.status == 1);
    CHECK(where.err.find("not an address") != std::string::npos);

    const std::vector<std::vector<std::string>> wrong = {
        {"--port"},         {"--port", "65536"},       {"--port", "x"},
        {"--timeout", "0"}, {"--origin", "http://x/"}, {"--origin", "x"},
        {"--retry", "-1"},  {"--nonsense", "1"}};
    for (std::vector<std::string> arguments : wrong) {
        arguments.insert(arguments.begin(), live);
        const support::run_result result = support::run(arguments);
        CHECK(result.status == 64);
        CHECK(result.out == "");
        CHECK(result.err.find(arguments[1]) != std::string::npos);
    }
    const support::run_result help = support::run({live, "--help"});
    CHECK(help.status == 0);
    CHECK(help.out.find("--port N") != std::string::npos);
}
