// SPDX-License-Identifier: MIT
//
// What the contract of clients does not show of those over libcurl: what a handle's owner has set on
// it and where that is sent, which requests were never sent, and that a transport is stopped from
// another thread, whatever libcurl is waiting for.
#if defined(SSEKIT_TEST_CURL) // says the build where libcurl is linked

#include "support/name_service.hpp"
#include "support/process.hpp"
#include "support/scripted_server.hpp"

#include <ssekit/adapters/curl.hpp>
#include <ssekit/event_stream.hpp>

#include <doctest/doctest.h>

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <csignal>
#include <cstdlib>
#include <fstream>
#include <functional>
#include <future>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include <unistd.h>

using namespace std::chrono_literals;
using ssekit::event_source;
using ssekit::event_source_options;
using ssekit::event_view;
using ssekit::source_end;
using support::scripted_connection;
using support::scripted_server;
using support::seen_request;

namespace {

constexpr std::string_view stream_head = "HTTP/1.1 200 OK\r\n"
                                         "Content-Type: text/event-stream\r\n"
                                         "Connection: close\r\n\r\n";

void stream(scripted_connection& connection, const std::string& data) {
    connection.send(stream_head);
    connection.send("data: " + data + "\n\n");
}

std::string redirect(const std::string& place) {
    return "HTTP/1.1 307 Temporary Redirect\r\nContent-Length: 0\r\nLocation: " + place +
           "\r\n\r\n";
}

event_source_options quick(event_source_options options = {}) {
    options.reconnection_time = 1ms;
    options.min_delay = 1ms;
    options.max_backoff = 1ms;
    return options;
}

/// A source that is read on a thread of its own, and what has come of it.
class running {
  public:
    using setter = std::function<void(CURL*)>;

    explicit running(const std::string& url, event_source_options options = {},
                     const setter& set = {})
        : running(std::make_shared<ssekit::curl_transport>(), url, std::move(options)) {
        if (set) set(transport_->handle());
        start();
    }
    /// Another one on the same transport.
    running(const running& before, const std::string& url) : running(before.transport_, url, {}) {
        curl_easy_setopt(transport_->handle(), CURLOPT_PROXY, "");
        start();
    }
    ~running() { stop(); }

    void stop() { transport_->stop(); }
    source_end until_end() {
        REQUIRE(ended_.wait_for(support::patience) == std::future_status::ready);
        return ended_.get();
    }
    bool until_seen(const std::string& data) {
        std::unique_lock locked(lock_);
        return changed_.wait_for(locked, support::patience,
                                 [&] { return !seen_.empty() && seen_.back() == data; });
    }
    /// Preconditions: it has ended.
    [[nodiscard]] const event_source& source() const { return source_; }

  private:
    running(std::shared_ptr<ssekit::curl_transport> transport, const std::string& url,
            event_source_options options)
        : transport_(std::move(transport)), source_(url, quick(std::move(options))) {
        std::signal(SIGPIPE, SIG_IGN);
    }
    void start() {
        ended_ = std::async(std::launch::async, [this] {
            for (const event_view& event : ssekit::event_stream(source_, *transport_)) {
                const std::unique_lock locked(lock_);
                seen_.emplace_back(*event.data);
                changed_.notify_all();
            }
            return source_.end();
        });
    }

    std::shared_ptr<ssekit::curl_transport> transport_;
    event_source source_;
    std::mutex lock_;
    std::condition_variable changed_;
    std::vector<std::string> seen_;
    std::future<source_end> ended_; // waits for the thread when it dies
};

/// A file in a folder of its own, that dies with it.
class file {
  public:
    file(const std::string& name, std::string_view text) {
        REQUIRE(mkdtemp(folder_.data()) != nullptr);
        path_ = folder_ + "/" + name;
        std::ofstream(path_) << text;
    }
    ~file() {
        unlink(path_.c_str());
        rmdir(folder_.c_str());
    }
    [[nodiscard]] const std::string& path() const { return path_; }
    [[nodiscard]] const std::string& folder() const { return folder_; }

  private:
    std::string folder_ = "/tmp/ssekit-XXXXXX";
    std::string path_;
};

} // namespace

// ---- what its owner has set on the handle

TEST_CASE("curl: credentials of the handle stay at home, and are there for the next attempt") {
    const file netrc("netrc", "default login user password secret\n");
    const file cookies("cookies", "Set-Cookie: a=b\n"); // of no domain: it would match each
    struct credential {
        const char* name;
        const char* header;
        std::function<void(CURL*)> set;
    };
    const std::vector<credential> all = {
        {"user and password", "Authorization",
         [](CURL* easy) { curl_easy_setopt(easy, CURLOPT_USERPWD, "user:secret"); }},
        {"user", "Authorization",
         [](CURL* easy) {
             curl_easy_setopt(easy, CURLOPT_USERNAME, "user");
             curl_easy_setopt(easy, CURLOPT_PASSWORD, "secret");
         }},
        {"token", "Authorization",
         [](CURL* easy) {
             curl_easy_setopt(easy, CURLOPT_HTTPAUTH, CURLAUTH_BEARER);
             curl_easy_setopt(easy, CURLOPT_XOAUTH2_BEARER, "secret");
         }},
        {"signature", "Authorization",
         [](CURL* easy) {
             curl_easy_setopt(easy, CURLOPT_AWS_SIGV4, "aws:amz:here:any");
             curl_easy_setopt(easy, CURLOPT_USERPWD, "user:secret");
         }},
        {"netrc", "Authorization",
         [&](CURL* easy) {
             curl_easy_setopt(easy, CURLOPT_NETRC, CURL_NETRC_OPTIONAL);
             curl_easy_setopt(easy, CURLOPT_NETRC_FILE, netrc.path().c_str());
         }},
        {"cookie", "Cookie", [](CURL* easy) { curl_easy_setopt(easy, CURLOPT_COOKIE, "a=b"); }},
        {"cookie of the engine", "Cookie",
         [](CURL* easy) { curl_easy_setopt(easy, CURLOPT_COOKIELIST, "Set-Cookie: a=b"); }},
        {"cookie of a file", "Cookie",
         [&](CURL* easy) { curl_easy_setopt(easy, CURLOPT_COOKIEFILE, cookies.path().c_str()); }},
    };
    for (const credential& each : all) {
        CAPTURE(each.name);
        scripted_server home;
        scripted_server abroad;
        running client(home.url(), {}, [&](CURL* easy) {
            each.set(easy);
            curl_easy_setopt(easy, CURLOPT_USERAGENT, "mine/1");
        });
        for (const std::string data : {"a", "b"}) {
            scripted_connection first = home.accept();
            const seen_request at_home = first.read_request();
            CHECK(at_home.has(each.header));
            first.send(redirect(abroad.url()));
            scripted_connection second = abroad.accept();
            const seen_request there = second.read_request();
            CHECK(!there.has("Authorization"));
            CHECK(!there.has("Cookie"));
            CHECK(there.header("User-Agent") == "mine/1");
            stream(second, data);
            CHECK(client.until_seen(data));
        }
        client.stop();
        CHECK(client.until_end() == source_end::closed);
    }
}

TEST_CASE("curl: what leads to the same origin takes the credentials of the handle along") {
    scripted_server home;
    running client(home.url(), {},
                   [](CURL* easy) { curl_easy_setopt(easy, CURLOPT_USERPWD, "user:secret"); });
    scripted_connection first = home.accept();
    CHECK(first.read_request().has("Authorization"));
    first.send(redirect("/there"));
    first.close();
    scripted_connection second = home.accept();
    const seen_request there = second.read_request();
    CHECK(there.line == "GET /there HTTP/1.1");
    CHECK(there.has("Authorization"));
}

TEST_CASE("curl: a client certificate stays at home") {
    // One that cannot be loaded fails wherever it would be shown.
    const file nothing("certificate.pem", "");
    const auto show = [&](CURL* easy) {
        curl_easy_setopt(easy, CURLOPT_SSLCERT, nothing.path().c_str());
        curl_easy_setopt(easy, CURLOPT_SSLKEY, nothing.path().c_str());
    };
    scripted_server home;
    scripted_server abroad;
    const std::string there = "https" + abroad.url().substr(4);
    running client(home.url(), {.max_failures = 1}, show);
    for (int attempt = 0; attempt < 2; ++attempt) {
        scripted_connection first = home.accept();
        static_cast<void>(first.read_request());
        first.send(redirect(there));
        scripted_connection second = abroad.accept();
        CHECK(second.first_byte() == '\x16'); // a handshake begins
    }
    CHECK(client.until_end() == source_end::too_many_failures);
    running shown(there, {.max_failures = 1}, show);
    CHECK(shown.until_end() == source_end::too_many_failures);
    CHECK(shown.source().failure().find("(58)") != std::string_view::npos);
}

TEST_CASE("curl: nobody asks ~/.netrc, and a user in the URL is sent once") {
    const file netrc(".netrc", "default login user password secret\n");
    const char* const before = std::getenv("HOME");
    const std::string home = before == nullptr ? "" : before;
    setenv("HOME", netrc.folder().c_str(), 1);
    for (const std::string user : {"", "me:pw@"}) {
        scripted_server server;
        running client("http://" + user + "127.0.0.1:" + std::to_string(server.port()) + "/");
        scripted_connection connection = server.accept();
        const seen_request request = connection.read_request();
        if (user.empty()) CHECK(!request.has("Authorization"));
        if (!user.empty()) CHECK(request.header("Authorization") == "Basic bWU6cHc=");
    }
    setenv("HOME", home.c_str(), 1);
}

TEST_CASE("curl: how long an address is remembered can be said on the handle") {
    scripted_server server;
    const unsigned before = support::names().times_counted;
    running client("http://counted.test:" + std::to_string(server.port()) + "/", {},
                   [](CURL* easy) { curl_easy_setopt(easy, CURLOPT_DNS_CACHE_TIMEOUT, 0L); });
    for (const std::string data : {"a", "b"}) {
        scripted_connection connection = server.accept();
        static_cast<void>(connection.read_request());
        stream(connection, data);
        CHECK(client.until_seen(data));
    }
    CHECK(support::names().times_counted >= before + 2);
}

// ---- requests

TEST_CASE("curl: a POST that was never sent is sent again") {
    const event_source_options post = {.method = "POST", .body = "{}", .max_failures = 2};
    SUBCASE("refused") {
        scripted_server server;
        server.stop_listening();
        running client(server.url(), post);
        CHECK(client.until_end() == source_end::too_many_failures);
        CHECK(client.source().failure().starts_with("curl: (7) "));
    }
    SUBCASE("to a name that is unknown") {
        running client("http://unknown.test/", post);
        CHECK(client.until_end() == source_end::too_many_failures);
        CHECK(client.source().failure().starts_with("curl: (6) "));
    }
    SUBCASE("TLS that fails") {
        scripted_server server;
        running client("https" + server.url().substr(4), post);
        for (int i = 0; i < 3; ++i) {
            scripted_connection connection = server.accept();
            CHECK(connection.first_byte() == '\x16');
            connection.send("no TLS at all\r\n\r\n");
        }
        CHECK(client.until_end() == source_end::too_many_failures);
        CHECK(client.source().failure().starts_with("curl: (35) "));
    }
    SUBCASE("a proxy that refuses") {
        scripted_server proxy;
        running client("https://counted.test/", post, [&](CURL* easy) {
            curl_easy_setopt(easy, CURLOPT_PROXY, proxy.url("").c_str());
        });
        for (int i = 0; i < 3; ++i) {
            scripted_connection connection = proxy.accept();
            CHECK(connection.read_request().line == "CONNECT counted.test:443 HTTP/1.1");
            connection.send("HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n");
        }
        CHECK(client.until_end() == source_end::too_many_failures);
        CHECK(client.source().failure().find("403") != std::string_view::npos);
    }
    SUBCASE("but not one that may have been") {
        scripted_server server;
        running client(server.url(), post);
        scripted_connection connection = server.accept();
        CHECK(connection.read_request().body == "{}");
        connection.close();
        CHECK(client.until_end() == source_end::not_repeated);
        CHECK(!server.has_caller());
    }
}

TEST_CASE("curl: versions that do not tell when a request begins are judged by their codes") {
    using ssekit::detail::is_before_request;
    for (const CURLcode code : {CURLE_COULDNT_CONNECT, CURLE_COULDNT_RESOLVE_HOST,
                                CURLE_SSL_CONNECT_ERROR, CURLE_PEER_FAILED_VERIFICATION}) {
        CHECK(is_before_request(code));
    }
    for (const CURLcode code :
         {CURLE_OK, CURLE_UNSUPPORTED_PROTOCOL, CURLE_GOT_NOTHING, CURLE_SEND_ERROR,
          CURLE_RECV_ERROR, CURLE_OPERATION_TIMEDOUT, CURLE_PARTIAL_FILE, CURLE_HTTP2,
          CURLE_WRITE_ERROR, CURLE_WEIRD_SERVER_REPLY}) {
        CHECK(!is_before_request(code));
    }
}

TEST_CASE("curl: a POST is sent once over a transport that has kept a connection") {
    scripted_server server;
    ssekit::curl_transport transport;
    std::vector<scripted_connection> accepted;
    for (const bool is_answered : {true, false}) {
        event_source source(server.url(), {.method = "POST", .body = "pay"});
        std::future<std::string> sent = std::async(std::launch::async, [&] {
            // On the one that was kept libcurl would send it again, should that end.
            accepted.push_back(server.accept());
            const std::string body = accepted.back().read_request().body;
            if (is_answered) {
                accepted.back().send("HTTP/1.1 402 Pay\r\nContent-Length: 2\r\n\r\n{}");
            } else {
                accepted.back().close();
            }
            return body;
        });
        ssekit::event_stream stream(source, transport);
        CHECK(stream.next() == nullptr);
        CHECK(sent.get() == "pay");
        CHECK(source.end() == (is_answered ? source_end::bad_status : source_end::not_repeated));
        CHECK(source.answer_body() == (is_answered ? "{}" : ""));
        CHECK(!server.has_caller());
    }
}

TEST_CASE("curl: the body that is being sent may be replaced meanwhile") {
    scripted_server server;
    event_source source(server.url(), {.method = "POST", .body = std::string(100'000, 'a')});
    ssekit::curl_transport transport;
    REQUIRE(source.poll(transport.now()) == ssekit::source_action::connect);
    transport.begin(source);
    source.set_body(std::string(200'000, 'b'));
    std::future<std::string> sent = std::async(std::launch::async, [&] {
        scripted_connection connection = server.accept();
        return connection.read_request().body;
    });
    const auto deadline = transport.now() + support::patience;
    while (sent.wait_for(0ms) != std::future_status::ready && transport.now() < deadline) {
        transport.wait(source, transport.now() + 10ms);
    }
    CHECK(sent.get() == std::string(100'000, 'a'));
}

// ---- answers

TEST_CASE("curl: a decoder that the source has is left alone, for libcurl decodes") {
    struct no_decoder final : ssekit::content_decoder {
        int asked = 0;
        [[nodiscard]] std::string_view accepts() const noexcept override { return "gzip"; }
        [[nodiscard]] bool begin(std::string_view) noexcept override { return ++asked > 9; }
        [[nodiscard]] std::string_view decode(std::string_view&) noexcept override { return {}; }
        [[nodiscard]] bool failed() const noexcept override { return true; }
        [[nodiscard]] bool is_complete() const noexcept override { return true; }
    };
    // data: a, by gzip
    constexpr unsigned char gzip[] = {0x1f, 0x8b, 0x08, 0x00, 0x00, 0x00, 0x00, 0x00, 0x02, 0x03,
                                      0x4b, 0x49, 0x2c, 0x49, 0xb4, 0x52, 0x48, 0xe4, 0xe2, 0x02,
                                      0x00, 0x7e, 0xe3, 0xc4, 0x38, 0x09, 0x00, 0x00, 0x00};
    no_decoder decoder;
    scripted_server server;
    running client(server.url(), {.decoder = &decoder});
    scripted_connection connection = server.accept();
    CHECK(connection.read_request().header("Accept-Encoding") == "gzip");
    connection.send("HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n"
                    "Content-Encoding: gzip\r\nConnection: close\r\n\r\n");
    connection.send({reinterpret_cast<const char*>(gzip), sizeof gzip});
    CHECK(client.until_seen("a"));
    CHECK(decoder.asked == 0);
}

TEST_CASE("curl: a stream in a multi handle tells which handle it uses, and what was unfinished") {
    struct collector {
        std::vector<std::string> seen;
        void operator()(const event_view& event) { seen.emplace_back(*event.data); }
    };
    scripted_server home;
    scripted_server abroad;
    const std::unique_ptr<CURLM, decltype(&curl_multi_cleanup)> multi(curl_multi_init(),
                                                                      &curl_multi_cleanup);
    event_source source(
        home.url(),
        {.is_last = [](const event_view& event) noexcept { return event.data == "last"; },
         .deliver_unfinished = true});
    collector sink;
    ssekit::curl_stream stream(multi.get(), source, sink);
    CHECK(stream.uses(stream.handle()));
    std::future<void> served = std::async(std::launch::async, [&] {
        scripted_connection first = home.accept();
        static_cast<void>(first.read_request());
        first.send(redirect(abroad.url()));
        scripted_connection second = abroad.accept();
        static_cast<void>(second.read_request());
        second.send(stream_head);
        second.send("data: a\n\ndata: last");
    });
    const auto deadline = std::chrono::steady_clock::now() + support::patience;
    for (stream.turn(); source.state() != ssekit::ready_state::closed; stream.turn()) {
        REQUIRE(std::chrono::steady_clock::now() < deadline);
        curl_multi_poll(multi.get(), nullptr, 0, 10, nullptr);
        int count = 0;
        curl_multi_perform(multi.get(), &count);
        while (const CURLMsg* const message = curl_multi_info_read(multi.get(), &count)) {
            CHECK(stream.uses(message->easy_handle));
            stream.done(*message);
        }
    }
    served.get();
    CHECK(!stream.uses(stream.handle())); // abroad it was another
    CHECK(sink.seen == std::vector<std::string>{"a", "last"});
    CHECK(source.end() == source_end::completed);
}

// ---- stop

namespace {

/// Stops a client that is in some phase, several times if it has to: the machine may be busy.
/// \param reach begins a client, and returns when it is in that phase.
template <class Reach>
void check_stop(const Reach& reach) {
    auto quickest = std::chrono::nanoseconds::max();
    for (int i = 0; i < 10 && quickest >= 100ms; ++i) {
        const std::unique_ptr<running> client = reach();
        const auto asked = std::chrono::steady_clock::now();
        client->stop();
        CHECK(client->until_end() == source_end::closed);
        quickest =
            std::min<std::chrono::nanoseconds>(quickest, std::chrono::steady_clock::now() - asked);

        scripted_server server; // the transport is there for others
        running after(*client, server.url());
        scripted_connection connection = server.accept();
        static_cast<void>(connection.read_request());
        stream(connection, "after");
        CHECK(after.until_seen("after"));
        after.stop();
        CHECK(after.until_end() == source_end::closed);
    }
    CHECK(quickest < 100ms);
}

} // namespace

TEST_CASE("curl: another thread stops it in any phase, at once") {
    scripted_server server;
    std::vector<scripted_connection> held;
    SUBCASE("a name server that is silent") {
        check_stop([&] {
            support::names().set_held(true);
            auto client = std::make_unique<running>("http://slow.test/");
            CHECK(support::names().until_asked());
            return client;
        });
        support::names().set_held(false);
    }
    SUBCASE("a handshake of TLS") {
        check_stop([&] {
            // Without the system's certificates: it takes long to read them.
            auto client = std::make_unique<running>(
                "https" + server.url().substr(4), event_source_options(),
                [](CURL* easy) { curl_easy_setopt(easy, CURLOPT_SSL_VERIFYPEER, 0L); });
            held.push_back(server.accept());
            CHECK(held.back().first_byte() == '\x16');
            return client;
        });
    }
    SUBCASE("a proxy that has not connected") {
        check_stop([&] {
            auto client = std::make_unique<running>(
                "https://counted.test/", event_source_options(),
                [&](CURL* easy) { curl_easy_setopt(easy, CURLOPT_PROXY, server.url("").c_str()); });
            held.push_back(server.accept());
            CHECK(held.back().read_request().line.starts_with("CONNECT "));
            return client;
        });
    }
    SUBCASE("the head") {
        check_stop([&] {
            auto client = std::make_unique<running>(server.url());
            held.push_back(server.accept());
            static_cast<void>(held.back().read_request());
            held.back().send("HTTP/1.1 200 OK\r\nX-Slow: ");
            return client;
        });
    }
    SUBCASE("the body of an answer that is no stream") {
        check_stop([&] {
            auto client = std::make_unique<running>(server.url());
            held.push_back(server.accept());
            static_cast<void>(held.back().read_request());
            held.back().send("HTTP/1.1 404 Not Found\r\nContent-Length: 10\r\n\r\na");
            return client;
        });
    }
    SUBCASE("a stream") {
        check_stop([&] {
            auto client = std::make_unique<running>(server.url());
            held.push_back(server.accept());
            static_cast<void>(held.back().read_request());
            stream(held.back(), "a");
            CHECK(client->until_seen("a"));
            return client;
        });
    }
    SUBCASE("the time until the next attempt") {
        check_stop([&] {
            auto client = std::make_unique<running>(server.url());
            scripted_connection connection = server.accept();
            static_cast<void>(connection.read_request());
            connection.send(stream_head);
            connection.send("retry: 1000000\ndata: a\n\n");
            CHECK(client->until_seen("a"));
            connection.close();
            return client;
        });
    }
    SUBCASE("before it begins") {
        ssekit::curl_transport transport;
        transport.stop();
        event_source source(server.url());
        ssekit::event_stream stream(source, transport);
        CHECK(stream.next() == nullptr);
        CHECK(source.end() == source_end::closed);
    }
}

TEST_CASE("curl: the time to connect ends with the connection, whatever the answer takes") {
    scripted_server server;
    SUBCASE("a handshake of TLS is part of it") {
        running client("https" + server.url().substr(4),
                       {.max_failures = 1, .connect_timeout = 200ms, .answer_timeout = 0ms});
        CHECK(client.until_end() == source_end::too_many_failures);
        CHECK(client.source().failure() == "no connection in time");
    }
    SUBCASE("and so is a proxy") {
        running client(
            "https://counted.test/",
            {.max_failures = 1, .connect_timeout = 200ms, .answer_timeout = 0ms},
            [&](CURL* easy) { curl_easy_setopt(easy, CURLOPT_PROXY, server.url("").c_str()); });
        CHECK(client.until_end() == source_end::too_many_failures);
        CHECK(client.source().failure() == "no connection in time");
    }
}

#endif
