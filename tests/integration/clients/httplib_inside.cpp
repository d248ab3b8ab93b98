// SPDX-License-Identifier: MIT
//
// What the contract of clients does not show of the one over cpp-httplib: it is stopped from
// another thread, its sink throws or takes its time, it waits for no head for ever, and what the
// library is given or does by itself goes no further than it should.
#if defined(SSEKIT_TEST_HTTPLIB) // says the build where cpp-httplib is linked

#include "examples/servers/self_signed.hpp"
#include "support/letter_decoder.hpp"
#include "support/process.hpp"
#include "support/scripted_server.hpp"

#include <ssekit/adapters/httplib_client.hpp>

#include <doctest/doctest.h>

#include <array>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <csignal>
#include <cstddef>
#include <cstdint>
#include <future>
#include <list>
#include <memory>
#include <mutex>
#include <stdexcept>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include <openssl/ssl.h>
#include <openssl/x509.h>

using namespace std::chrono_literals;
using ssekit::event_source;
using ssekit::event_source_options;
using ssekit::event_view;
using ssekit::source_end;
using support::scripted_connection;
using support::scripted_server;

namespace {

constexpr std::string_view stream_head = "HTTP/1.1 200 OK\r\n"
                                         "Content-Type: text/event-stream\r\n"
                                         "Connection: close\r\n\r\n";

scripted_connection connected(scripted_server& server, std::string_view last_event_id = {}) {
    scripted_connection out = server.accept();
    const support::seen_request request = out.read_request();
    CHECK(request.has("Last-Event-ID") == !last_event_id.empty());
    if (!last_event_id.empty()) CHECK(request.header("Last-Event-ID") == last_event_id);
    return out;
}

/// A source that runs on a thread of its own, and what its sink has been given.
class running {
  public:
    explicit running(const scripted_server& server, event_source_options options = {})
        : running(server.url(), std::move(options)) {}
    explicit running(const std::string& url, event_source_options options = {})
        : source_(url, quick(std::move(options))), client_(source_) {
        ended_ = std::async(std::launch::async, [this] {
            client_.run([this](const event_view& event) { take(event); });
            return source_.end();
        });
    }
    ~running() { client_.stop(); }

    void stop() { client_.stop(); }
    /// Once it has ended.
    [[nodiscard]] const event_source& source() const { return source_; }
    /// \returns why it has ended.
    source_end until_end() {
        REQUIRE(ended_.wait_for(support::patience) == std::future_status::ready);
        return ended_.get();
    }
    bool until_seen(const std::string& data) {
        std::unique_lock locked(lock_);
        return changed_.wait_for(locked, support::patience,
                                 [&] { return !seen_.empty() && seen_.back() == data; });
    }

  private:
    static event_source_options quick(event_source_options options) {
        std::signal(SIGPIPE, SIG_IGN);
        options.reconnection_time = 1ms;
        return options;
    }
    void take(const event_view& event) {
        std::unique_lock locked(lock_);
        seen_.emplace_back(*event.data);
        changed_.notify_all();
        locked.unlock();
        if (event.data == "slow") std::this_thread::sleep_for(2500ms);
    }

    event_source source_;
    ssekit::httplib_source client_;
    std::mutex lock_;
    std::condition_variable changed_;
    std::vector<std::string> seen_;
    std::future<source_end> ended_; // waits for the thread when it dies
};

/// A port that is listened at, where no connection comes about.
class full_port {
  public:
    full_port() : listener_(support::detail::bind_local(0)) {
        listen(listener_.get(), 0);
        for (int i = 0; i < 4; ++i) { // its queue has room for less
            support::descriptor& made =
                waiting_.emplace_back(::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0));
            sockaddr_in address{};
            address.sin_family = AF_INET;
            address.sin_port = htons(port());
            address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
            connect(made.get(), reinterpret_cast<sockaddr*>(&address), sizeof address);
        }
    }
    [[nodiscard]] std::uint16_t port() const { return support::detail::port_of(listener_); }
    [[nodiscard]] std::string url() const { return support::detail::local_url(port(), "/"); }

  private:
    support::descriptor listener_;
    std::list<support::descriptor> waiting_;
};

/// Answers each request over TLS with the same bytes and ends the connection.
class tls_server {
  public:
    explicit tls_server(std::string answer) : answer_(std::move(answer)) {
        const auto take_any = [](int, X509_STORE_CTX*) { return 1; };
        SSL_CTX_set_verify(context(), SSL_VERIFY_PEER, take_any); // asks for one
        listen(listener_.get(), 16);
        thread_ = std::thread([this] { run(); });
    }
    ~tls_server() {
        ending_ = true;
        thread_.join();
    }
    [[nodiscard]] std::string url(const std::string& host = "127.0.0.1") const {
        return "https://" + host + ":" + std::to_string(support::detail::port_of(listener_)) +
               "/events";
    }
    [[nodiscard]] X509* certificate() const { return SSL_CTX_get0_certificate(context()); }
    [[nodiscard]] EVP_PKEY* key() const { return SSL_CTX_get0_privatekey(context()); }

    /// What has been asked for, and whether the client has shown a certificate.
    struct seen {
        std::string head;
        bool certificate;
    };
    std::vector<seen> requests() {
        const std::lock_guard locked(lock_);
        return requests_;
    }

  private:
    void run() {
        while (!ending_) {
            using std::chrono::milliseconds;
            if (!support::detail::is_ready(listener_.get(), POLLIN, milliseconds(10))) continue;
            const support::descriptor peer(accept(listener_.get(), nullptr, nullptr));
            const auto tls = news::own<&SSL_free>(SSL_new(context()));
            SSL_set_fd(tls.get(), peer.get());
            if (SSL_accept(tls.get()) != 1) continue;
            const bool has_certificate = SSL_get0_peer_certificate(tls.get()) != nullptr;
            std::string head;
            std::array<char, 4096> bytes;
            while (head.find("\r\n\r\n") == head.npos) {
                const int size = SSL_read(tls.get(), bytes.data(), static_cast<int>(bytes.size()));
                if (size <= 0) break;
                head.append(bytes.data(), static_cast<std::size_t>(size));
            }
            if (head.empty()) continue;
            const std::lock_guard locked(lock_);
            requests_.push_back({head, has_certificate});
            if (!answer_.empty()) {
                SSL_write(tls.get(), answer_.data(), static_cast<int>(answer_.size()));
            }
            SSL_shutdown(tls.get());
        }
    }

    // One for all: a client takes two certificates of one name for one another.
    static SSL_CTX* context() {
        static const auto made = news::server_context();
        return made.get();
    }

    std::string answer_;
    support::descriptor listener_ = support::detail::bind_local(0);
    std::mutex lock_;
    std::vector<seen> requests_;
    std::atomic<bool> ending_ = false;
    std::thread thread_;
};

void trust(httplib::Client& client, const tls_server& server) {
    SSL_CTX* const context = ssekit::detail::tls_context_of(client);
    if (context == nullptr) return;
    X509_STORE_add_cert(SSL_CTX_get_cert_store(context), server.certificate());
}

/// Comes back at once, but gives up at the second failure in a row.
event_source_options impatient(event_source_options options = {}) {
    std::signal(SIGPIPE, SIG_IGN);
    options.reconnection_time = options.min_delay = options.max_backoff = 1ms;
    options.max_failures = 1;
    return options;
}

/// Runs a source to its end.
struct outcome {
    explicit outcome(const std::string& url, event_source_options options,
                     ssekit::httplib_source::client_hook prepare = {}, std::size_t enough = 0)
        : source(url, std::move(options)) {
        ssekit::httplib_source client(source, std::move(prepare));
        client.run([&](const event_view& event) {
            events.emplace_back(*event.data);
            if (events.size() == enough) source.close();
        });
    }
    event_source source;
    std::vector<std::string> events = {};
};

/// One connection after the other gets the same answer, after which it is closed.
class canned_server : public scripted_server {
  public:
    explicit canned_server(std::string answer, int count = 1)
        : served_(std::async(std::launch::async, [this, answer = std::move(answer), count] {
              for (int i = 0; i < count; ++i) {
                  scripted_connection connection = accept();
                  requests.push_back(connection.read_request());
                  connection.send(answer);
              }
          })) {}
    ~canned_server() {
        if (served_.valid()) served_.wait();
    }
    void until_served() { served_.get(); }

    std::vector<support::seen_request> requests = {};

  private:
    std::future<void> served_;
};

} // namespace

TEST_CASE("httplib: another thread stops it at any time") {
    scripted_server server;
    SUBCASE("before it begins, and nothing is sent") {
        event_source source(server.url());
        ssekit::httplib_source client(source);
        client.stop();
        client.run([](const event_view&) {});
        CHECK(source.end() == source_end::closed);
        client.run([](const event_view&) {}); // it remains at that
        CHECK(!server.has_caller());
    }
    SUBCASE("at the very beginning") {
        for (int i = 0; i < 20; ++i) {
            scripted_server silent;
            running client(silent);
            std::this_thread::sleep_for(std::chrono::microseconds(i * 100));
            client.stop();
            CHECK(client.until_end() == source_end::closed);
        }
    }
    SUBCASE("while it connects, for which the library has locked itself") {
        const full_port full;
        running client(full.url(), {.connect_timeout = 0ms});
        std::this_thread::sleep_for(50ms);
        client.stop();
        CHECK(client.until_end() == source_end::closed);
    }
    SUBCASE("while TLS is agreed upon") {
        running client("https" + server.url().substr(4), {.connect_timeout = 0ms});
        scripted_connection connection = server.accept();
        std::this_thread::sleep_for(50ms);
        client.stop();
        CHECK(client.until_end() == source_end::closed);
        CHECK(connection.until_closed());
    }
    SUBCASE("while it waits for the head") {
        running client(server);
        scripted_connection connection = connected(server);
        client.stop();
        CHECK(client.until_end() == source_end::closed);
        CHECK(connection.until_closed());
    }
    SUBCASE("while it reads") {
        running client(server);
        scripted_connection connection = connected(server);
        connection.send(stream_head);
        connection.send("data: a\n\n");
        CHECK(client.until_seen("a"));
        client.stop();
        CHECK(client.until_end() == source_end::closed);
        CHECK(connection.until_closed());
    }
    SUBCASE("while the sink is at work, and what has come since is not given to it") {
        running client(server);
        scripted_connection connection = connected(server);
        connection.send(stream_head);
        connection.send("data: slow\n\n");
        CHECK(client.until_seen("slow"));
        connection.send("data: a\n\n");
        client.stop();
        CHECK(client.until_end() == source_end::closed);
        CHECK(client.until_seen("slow"));
    }
    SUBCASE("while it is away") {
        running client(server);
        scripted_connection connection = connected(server);
        connection.send(stream_head);
        connection.send("retry: 1000000\ndata: a\n\n");
        CHECK(client.until_seen("a"));
        connection.close();
        std::this_thread::sleep_for(20ms);
        client.stop();
        CHECK(client.until_end() == source_end::closed);
    }
}

TEST_CASE("httplib: what the sink throws leaves run, which can be called again") {
    scripted_server server;
    event_source source(server.url(), {.reconnection_time = 1ms});
    ssekit::httplib_source client(source);
    std::vector<std::string> seen;
    const auto sink = [&](const event_view& event) {
        seen.emplace_back(*event.data);
        if (seen.back() == "throw") throw std::runtime_error("as it was told");
        if (seen.back() == "close") source.close();
    };
    std::future<void> served = std::async(std::launch::async, [&] {
        scripted_connection first = connected(server);
        first.send(stream_head);
        first.send("id: 1\ndata: a\n\nid: 2\ndata: throw\n\nid: 3\ndata: b\n\n");
        CHECK(first.until_closed());
        scripted_connection second = connected(server, "2");
        second.send(stream_head);
        second.send("id: 3\ndata: b\n\ndata: close\n\ndata: c\n\n");
        CHECK(second.until_closed());
    });
    CHECK_THROWS_WITH(client.run(sink), "as it was told");
    CHECK(source.state() == ssekit::ready_state::connecting);
    CHECK(source.failures() == 1);
    client.run(sink);
    CHECK(source.end() == source_end::closed);
    CHECK(seen == std::vector<std::string>{"a", "throw", "b", "close"});
    served.get();
}

TEST_CASE("httplib: what the hook throws leaves run as well") {
    scripted_server server;
    event_source source(server.url(), {.reconnection_time = 1ms});
    ssekit::httplib_source client(
        source, [](httplib::Client&) { throw std::runtime_error("no certificates"); });
    CHECK_THROWS_WITH(client.run([](const event_view&) {}), "no certificates");
    CHECK(source.failures() == 1);
    CHECK(!server.has_caller());
}

TEST_CASE("httplib: the time of the sink is no silence of the server") {
    scripted_server server;
    running client(server, {.idle_timeout = 2s});
    scripted_connection connection = connected(server);
    connection.send(stream_head);
    connection.send("data: slow\n\n");
    CHECK(client.until_seen("slow"));
    std::this_thread::sleep_for(2900ms); // the sink has returned, and nothing has come since
    connection.send("data: a\n\n");
    CHECK(client.until_seen("a"));
    CHECK(!server.has_caller());
    CHECK(connection.until_closed()); // for now it is silent
}

TEST_CASE("httplib: a body that ended for its silence has not come to its end") {
    scripted_server server;
    running client(server, {.method = "POST", .idle_timeout = 200ms});
    scripted_connection connection = connected(server);
    connection.send(stream_head);
    CHECK(client.until_end() == source_end::not_repeated);
}

TEST_CASE("httplib: a head that does not come to its end is not waited for") {
    scripted_server server;
    running client(server, {.answer_timeout = 500ms});
    scripted_connection connection = connected(server);
    const auto began = std::chrono::steady_clock::now();
    connection.send("HTTP/1.1 200 OK\r\nX-Slow: ");
    while (!connection.until_closed(100ms)) {
        REQUIRE(std::chrono::steady_clock::now() - began < support::patience);
        connection.send("x");
    }
    CHECK(std::chrono::steady_clock::now() - began >= 300ms);
    CHECK(server.has_caller(support::patience));
}

TEST_CASE("httplib: after a stop it can be used again, with another source in the place") {
    scripted_server server;
    event_source source(server.url());
    ssekit::httplib_source client(source);
    std::vector<std::string> seen;
    for (int i = 0; i < 3; ++i) {
        source = event_source(server.url(), impatient());
        std::future<void> served = std::async(std::launch::async, [&] {
            scripted_connection connection = connected(server);
            connection.send(stream_head);
            connection.send("data: a\n\n");
            CHECK(connection.until_closed());
        });
        client.run([&](const event_view& event) {
            seen.emplace_back(*event.data);
            client.stop();
        });
        CHECK(source.end() == source_end::closed);
        served.get();
    }
    CHECK(seen == std::vector<std::string>{"a", "a", "a"});
}

// ---- what is sent where, and why it fails

TEST_CASE("httplib: a request that never left is sent again, whatever it is, and it says why") {
    const auto fails = [](const std::string& url, std::chrono::milliseconds timeout) {
        outcome got(url, impatient({.method = "POST", .connect_timeout = timeout}));
        CHECK(got.source.end() == source_end::too_many_failures); // so there were two attempts
        return std::string(got.source.failure());
    };
    scripted_server closed;
    closed.stop_listening();
    CHECK(fails(closed.url(), 0ms) == httplib::to_string(httplib::Error::Connection));
    CHECK(fails("http://nowhere.invalid/", 0ms).ends_with(": no address was found"));
    const full_port full;
    CHECK(fails(full.url(), 50ms) != "no answer in time");
    scripted_server silent; // the system accepts, and nobody reads
    CHECK(fails("https" + silent.url().substr(4), 50ms) != "no answer in time");
    tls_server untrusted("");
    CHECK(fails(untrusted.url(), 0ms)
              .starts_with(httplib::to_string(httplib::Error::SSLServerVerification)));
    CHECK(untrusted.requests().empty());
}

TEST_CASE("httplib: the time to connect is not that of the answer") {
    tls_server secure("HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\ndata: a\n\n");
    scripted_server server;
    for (const bool slow : {true, false}) {
        const event_source_options options{.method = "POST",
                                           .connect_timeout = slow ? 2s : 20s,
                                           .answer_timeout = slow ? 20000ms : 100ms};
        std::future<void> served = std::async(std::launch::async, [&] {
            scripted_connection connection = server.accept();
            CHECK(connection.read_request().line == "POST /events HTTP/1.1");
            if (slow) std::this_thread::sleep_for(3s);
            if (slow) connection.send(stream_head);
            CHECK((slow || connection.until_closed()));
        });
        outcome got(server.url(), impatient(options));
        served.get();
        CHECK(got.source.end() == (slow ? source_end::completed : source_end::not_repeated));
        CHECK(got.source.failure() == (slow ? "the response has ended" : "no answer in time"));
    }
    outcome got(secure.url(), impatient({.method = "POST"}),
                [&](httplib::Client& client) { trust(client, secure); });
    CHECK(got.events == std::vector<std::string>{"a"});
    CHECK(got.source.end() == source_end::completed);
}

TEST_CASE("httplib: a POST is sent once over TLS as well, whatever the library thinks of it") {
    tls_server server(""); // reads it and goes
    for (int i = 0; i < 3; ++i) {
        outcome got(server.url(), impatient({.method = "POST", .body = "question"}),
                    [&](httplib::Client& client) { trust(client, server); });
        CHECK(got.source.end() == source_end::not_repeated);
    }
    CHECK(server.requests().size() == 3);
}

TEST_CASE("httplib: what the client was given stays with the origin that it was given for") {
    const std::string stream = std::string(stream_head) + "data: a\n\n";
    canned_server there(stream);
    canned_server here("HTTP/1.1 307 Temporary Redirect\r\nContent-Length: 0\r\nLocation: " +
                       there.url("/a%20b") + "\r\n\r\n");
    const auto prepare = [](httplib::Client& client) {
        client.set_basic_auth("user", "secret");
        client.set_default_headers({{"X-Api-Key", "secret"}});
    };
    outcome got(here.url(), impatient(), prepare, 1);
    CHECK(got.events == std::vector<std::string>{"a"});
    here.until_served();
    there.until_served();
    CHECK(here.requests[0].header("Authorization") == "Basic dXNlcjpzZWNyZXQ=");
    CHECK(here.requests[0].header("X-Api-Key") == "secret");
    CHECK(there.requests[0].line == "GET /a%20b HTTP/1.1");
    CHECK(!there.requests[0].has("Authorization"));
    CHECK(!there.requests[0].has("X-Api-Key"));

    canned_server also_there(stream);
    canned_server with_token(
        "HTTP/1.1 302 Found\r\nContent-Length: 0\r\nLocation: " + also_there.url() + "\r\n\r\n");
    outcome token(
        with_token.url(), impatient(),
        [](httplib::Client& client) { client.set_bearer_token_auth("secret"); }, 1);
    CHECK(token.events == std::vector<std::string>{"a"});
    with_token.until_served();
    also_there.until_served();
    CHECK(with_token.requests[0].header("Authorization") == "Bearer secret");
    CHECK(!also_there.requests[0].has("Authorization"));
}

TEST_CASE("httplib: a certificate of the client is not presented where a redirect leads to") {
    tls_server there(std::string(stream_head) + "data: a\n\n");
    tls_server here("HTTP/1.1 307 Temporary Redirect\r\nContent-Length: 0\r\nLocation: " +
                    there.url() + "\r\n\r\n");
    const auto prepare = [&](httplib::Client& client) {
        trust(client, here);
        SSL_CTX* const context = ssekit::detail::tls_context_of(client);
        SSL_CTX_use_certificate(context, here.certificate());
        SSL_CTX_use_PrivateKey(context, here.key());
    };
    outcome got(here.url(), impatient(), prepare, 1);
    CHECK(got.events == std::vector<std::string>{"a"});
    REQUIRE(here.requests().size() == 1);
    REQUIRE(there.requests().size() == 1);
    CHECK(here.requests()[0].certificate);
    CHECK(!there.requests()[0].certificate);
}

// ---- answers

TEST_CASE("httplib: the body of an answer that is no stream is kept") {
    const std::string json = R"({"error":{"message":"no"}})";
    const std::string head = "HTTP/1.1 401 Unauthorized\r\nContent-Type: application/json\r\n";
    SUBCASE("whole") {
        canned_server server(head + "Content-Length: " + std::to_string(json.size()) + "\r\n\r\n" +
                             json);
        const outcome got(server.url(), impatient());
        CHECK(got.source.end() == source_end::bad_status);
        CHECK(got.source.answer_body() == json);
        CHECK(got.source.is_answer_whole());
    }
    SUBCASE("too long") {
        canned_server server(head + "\r\n" + std::string(1'000'000, 'x'));
        const outcome got(server.url(), impatient({.max_answer_body = 10}));
        CHECK(got.source.answer_body() == std::string(10, 'x'));
        CHECK(!got.source.is_answer_whole());
    }
    SUBCASE("late") {
        scripted_server server;
        running client(server, {.body_timeout = 500ms});
        scripted_connection connection = connected(server);
        connection.send(head + "Content-Length: 100\r\n\r\n" + json);
        CHECK(client.until_end() == source_end::bad_status);
        CHECK(client.source().answer_body() == json);
        CHECK(client.source().failure() == "no whole answer in time");
    }
}

TEST_CASE("httplib: an event without its blank line is delivered where that was asked for") {
    for (const bool wanted : {false, true}) {
        canned_server server(std::string(stream_head) + "data: last\n");
        const outcome got(server.url(),
                          impatient({.method = "POST", .deliver_unfinished = wanted}));
        CHECK(got.source.end() == source_end::completed);
        CHECK(got.events.size() == (wanted ? 1 : 0));
    }
}

TEST_CASE("httplib: a coding that was asked for is taken off") {
    support::letter_decoder decoder;
    std::string coded = "data: one\n\n";
    for (char& c : coded) c = static_cast<char>(c + 1);
    const auto end_of = [&](const std::string& lines, ssekit::content_decoder* chosen) {
        canned_server server("HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n" + lines +
                             "Connection: close\r\n\r\n" + coded);
        const outcome got(server.url(), impatient({.method = "POST", .decoder = chosen}));
        server.until_served();
        CHECK(server.requests[0].header("Accept-Encoding") ==
              (chosen == nullptr ? "identity" : "x-next"));
        if (got.source.end() == source_end::completed) {
            CHECK(got.events == std::vector<std::string>{"one"});
        }
        return got.source.end();
    };
    const std::string next = "Content-Encoding: x-next\r\n";
    CHECK(end_of(next, &decoder) == source_end::completed);
    CHECK(end_of(next, nullptr) == source_end::bad_media_type);
    CHECK(end_of("Content-Encoding: gzip\r\n", &decoder) == source_end::bad_media_type);
    CHECK(end_of("Content-Encoding: identity\r\n" + next, &decoder) == source_end::bad_media_type);
    CHECK(end_of("Transfer-Encoding: x-next\r\n", &decoder) == source_end::bad_media_type);
}

TEST_CASE("httplib: what comes without an end is not kept without a bound") {
    const std::string chunked = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n"
                                "Transfer-Encoding: chunked\r\n\r\n";
    const std::string line = "X-A: " + std::string(1000, 'a') + "\r\n";
    struct flood {
        std::string begin;
        std::string goes_on;
    };
    const flood floods[] = {{"HTTP/1.1 200 OK\r\n", line},
                            {"HTTP/1.1 200 OK\r\nX-A: ", std::string(1000, 'a')},
                            {chunked + "1;", std::string(1000, 'e')},
                            {chunked + "3\r\n:\n\n\r\n0\r\n", line},
                            {chunked + "3\r\n:\n\n\r\n0\r\nX-A: ", std::string(1000, 'a')}};
    for (const flood& each : floods) {
        CAPTURE(each.begin);
        scripted_server server;
        running client(server, {.method = "POST"});
        scripted_connection connection = server.accept();
        CHECK(connection.read_request().line == "POST /events HTTP/1.1");
        connection.send(each.begin);
        std::string piece;
        while (piece.size() < 64'000) piece += each.goes_on;
        std::size_t sent = 0;
        constexpr std::size_t most = 100'000'000;
        while (sent < most && !connection.until_closed(1ms)) {
            connection.send(piece);
            sent += piece.size();
        }
        CHECK(sent < most);
        CHECK(client.until_end() != source_end::open);
    }
}

// ---- time

TEST_CASE("httplib: the time of hooks is no silence of the server") {
    scripted_server server;
    const auto sleep = [] { std::this_thread::sleep_for(1300ms); };
    auto slow_request = [&](event_source&) noexcept { return sleep(), true; };
    auto slow_answer = [&](const ssekit::answer_head&) noexcept {
        return sleep(), ssekit::answer_decision();
    };
    auto slow_change = [&](event_source&) noexcept { sleep(); };
    event_source_options options;
    options.connect_timeout = options.answer_timeout = options.idle_timeout =
        options.event_timeout = 1s;
    options.before_request = slow_request;
    options.on_answer = slow_answer;
    options.on_change = slow_change;
    event_source source(server.url(), impatient(options));
    ssekit::httplib_source client(source, [&](httplib::Client&) { sleep(); });
    std::future<void> served = std::async(std::launch::async, [&] {
        scripted_connection connection = connected(server);
        connection.send(stream_head);
        std::this_thread::sleep_for(2700ms); // of which the client's hooks take 2600
        for (const std::string_view data : {"data: a\n\n", ":\n", "data: b\n\n"}) {
            connection.send(data);
            std::this_thread::sleep_for(200ms);
        }
        CHECK(connection.until_closed());
    });
    std::vector<std::string> seen;
    client.run([&](const event_view& event) {
        seen.emplace_back(*event.data);
        if (seen.size() == 2) return source.close();
        sleep();
    });
    served.get();
    CHECK(seen == std::vector<std::string>{"a", "b"});
    CHECK(source.failures() == 0);
    CHECK(!server.has_caller());
}

#endif
