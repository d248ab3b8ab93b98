// SPDX-License-Identifier: MIT
//
// What HTTP/2 adds to the contract: many streams on one connection, each with a window of its own.
// The client here writes and reads frames itself, so that it can do what others would not.
#include "support/http_client.hpp"
#include "support/process.hpp"

#include <doctest/doctest.h>

#include <charconv>
#include <chrono>
#include <csignal>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <map>
#include <string>
#include <string_view>
#include <system_error>

namespace {

bool is_tested() {
    const char* const name = std::getenv("SSEKIT_SERVER");
    return name != nullptr && std::string_view(name) == "nghttp2";
}

class server : public support::process {
  public:
    explicit server(const std::string& keep = "1024")
        : process({support::example("server_nghttp2"), "--port", "0", "--keep", keep}) {
        REQUIRE(until([&] { return out().ends_with("\n"); }));
        const char* const digits = out().data() + out().rfind(' ') + 1;
        REQUIRE(std::from_chars(digits, out().data() + out().size(), port).ec == std::errc());
    }

    std::uint16_t port = 0;
};

/// A connection. Streams have odd numbers.
class client {
  public:
    struct stream {
        bool ok = false; // status 200
        std::string body = {};
        bool ended = false;
        int reset = -1; // the error code
    };

    explicit client(const server& to) : tcp_(to.port) {
        tcp_.send("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");
        send(settings, 0, 0);
        widen(0, 1 << 30);
    }

    std::map<std::uint32_t, stream> streams = {};
    bool going_away = false;

    void get(std::uint32_t number, std::string_view path, std::string_view more = {}) {
        request(number, '\x82', path, more);
    }
    void post(std::uint32_t number, std::string_view path) { request(number, '\x83', path); }
    void widen(std::uint32_t number, std::uint32_t bytes) {
        send(window_update, 0, number, big_endian(bytes, 4));
    }
    void reset(std::uint32_t number) { send(rst_stream, 0, number, big_endian(8, 4)); } // CANCEL

    template <class Condition>
    bool until(Condition&& done) {
        return tcp_.until([&] {
            read();
            return done();
        });
    }
    bool until_closed() {
        return until([&] { return tcp_.closed(); });
    }

    /// Takes in what has come.
    void look() {
        tcp_.until([] { return false; }, std::chrono::milliseconds(1));
        read();
    }
    /// Whether a request is answered.
    bool answers(std::uint32_t number) {
        get(number, "/metrics");
        return until([&] { return streams[number].ended; });
    }

    /// The answer to a request that is no stream, or a stream's body at its end.
    std::string whole(std::uint32_t number) {
        CHECK(until([&] { return streams[number].ended; }));
        return streams[number].body;
    }

  private:
    // Types of frames, and their flags.
    static constexpr char data = 0;
    static constexpr char headers = 1;
    static constexpr char rst_stream = 3;
    static constexpr char settings = 4;
    static constexpr char goaway = 7;
    static constexpr char window_update = 8;
    static constexpr char ack_or_end_stream = 1;
    static constexpr char end_headers = 4;

    static std::string big_endian(std::uint32_t value, int bytes) {
        std::string out;
        while (bytes-- > 0) out += static_cast<char>(value >> (8 * bytes));
        return out;
    }
    static std::uint32_t number_at(std::string_view text, std::size_t from, std::size_t bytes) {
        std::uint32_t out = 0;
        for (const char byte : text.substr(from, bytes)) {
            out = out << 8 | static_cast<unsigned char>(byte);
        }
        return out;
    }

    void send(char type, char flags, std::uint32_t number, const std::string& payload = {}) {
        tcp_.send(big_endian(static_cast<std::uint32_t>(payload.size()), 3) + type + flags +
                  big_endian(number, 4) + payload);
    }

    void request(std::uint32_t number, char method, std::string_view path,
                 std::string_view more = {}) {
        // By the static table: method, :scheme http; then :path and :authority as literals.
        std::string fields = {method, '\x86', '\x04', static_cast<char>(path.size())};
        fields.append(path).append("\x01\x09localhost").append(more);
        send(headers, ack_or_end_stream | end_headers, number, fields);
    }

    void read() {
        for (;;) {
            const std::string_view all = tcp_.received;
            const std::size_t size = number_at(all, 0, 3);
            if (all.size() < 9 + size) return;
            take(all[3], all[4], number_at(all, 5, 4), all.substr(9, size));
            tcp_.received.erase(0, 9 + size);
        }
    }

    void take(char type, char flags, std::uint32_t number, std::string_view payload) {
        const bool flag = (flags & ack_or_end_stream) != 0;
        if (type == settings && !flag) send(settings, ack_or_end_stream, 0);
        if (type == goaway) going_away = true;
        if (type == headers) streams[number].ok = payload.starts_with('\x88'); // :status 200
        if (type == data) streams[number].body += payload;
        if (type == data || type == headers) streams[number].ended = flag;
        if (type == rst_stream) streams[number].reset = static_cast<int>(number_at(payload, 0, 4));
    }

    support::tcp_client tcp_;
};

/// A literal of HPACK, shorter than 127 bytes.
std::string with_size(const std::string& text) {
    return std::string(1, static_cast<char>(text.size())) + text;
}

std::size_t count(std::string_view text, std::string_view part) {
    std::size_t found = 0;
    for (std::size_t at = text.find(part); at != text.npos; at = text.find(part, at + 1)) ++found;
    return found;
}

/// Asks by the streams behind `number`.
bool has_subscribers(client& asking, std::uint32_t& number, int count) {
    const std::string line = "\nssekit_subscribers " + std::to_string(count) + "\n";
    for (int tries = 0; tries < 1000; ++tries) {
        number += 2;
        asking.get(number, "/metrics");
        if (asking.whole(number).find(line) != std::string::npos) return true;
    }
    return false;
}

} // namespace

TEST_CASE("http2: twenty streams share a connection, and all get the same") {
    if (!is_tested()) return;
    server news;
    client all(news);
    for (std::uint32_t i = 0; i < 20; ++i) all.get(2 * i + 1, "/events");
    for (std::uint32_t i = 0; i < 20; ++i) {
        REQUIRE(all.until([&] { return all.streams[2 * i + 1].body.ends_with("\n\n"); }));
        CHECK(all.streams[2 * i + 1].ok);
    }
    const std::string before = all.streams[1].body;
    const std::string epoch = before.substr(0, before.find(".0\n"));
    std::string expected = before;
    for (std::uint32_t i = 1; i <= 50; ++i) {
        const std::string digits = std::to_string(i);
        all.post(99 + 2 * i, "/publish?data=" + digits);
        expected += epoch + "." + digits + "\ndata: " + digits + "\n\n";
    }
    for (std::uint32_t i = 0; i < 20; ++i) {
        CHECK(all.until([&] { return all.streams[2 * i + 1].body.size() >= expected.size(); }));
        CHECK(all.streams[2 * i + 1].body == expected);
    }

    news.signal(SIGTERM);
    for (std::uint32_t i = 0; i < 20; ++i) {
        CHECK(all.whole(2 * i + 1) == expected + "event: bye\ndata: \n\n");
    }
    CHECK(all.until_closed());
    CHECK(all.going_away);
    CHECK(news.wait() == 0);
}

TEST_CASE("http2: a stream whose window is closed costs its neighbour nothing") {
    if (!is_tested()) return;
    server news("16");
    client both(news);
    both.get(1, "/events");
    both.get(3, "/events");
    both.widen(3, 1 << 30);
    const std::string padding(100, 'x');
    for (std::uint32_t i = 1; i <= 1000; ++i) {
        both.post(2 * i + 3, "/publish?data=" + padding);
        REQUIRE(both.until([&] { return count(both.streams[3].body, padding) == i; }));
    }
    const client::stream& closed = both.streams[1];
    CHECK(closed.body.size() == 65535); // what a window is until it is widened
    CHECK(!closed.ended);
    // For a second the log keeps all of them, because they are a burst.
    const std::string epoch = closed.body.substr(4, closed.body.find('.') - 4);
    const std::string last = "\x0dlast-event-id" + with_size(epoch + ".900");
    const std::string_view gap = "event: gap\n";
    for (std::uint32_t asks = 2005;; asks += 4) {
        both.post(asks, "/publish?data=later");
        both.get(asks + 2, "/events", std::string(1, '\0') + last);
        REQUIRE(both.until([&] { return both.streams[asks + 2].body.find("\n\n") != gap.npos; }));
        both.reset(asks + 2);
        if (both.streams[asks + 2].body.find(gap) != gap.npos) break;
    }
    both.widen(1, 1 << 30);
    // It has lagged: it is reset, and not within an event.
    constexpr int internal_error = 2;
    CHECK(both.until([&] { return closed.reset == internal_error; }));
    CHECK(!closed.ended);
    const std::string& got = closed.body;
    CHECK(got.ends_with("\n\n"));
    CHECK(got.size() < both.streams[3].body.size());
    CHECK(both.streams[3].body.starts_with(got));
}

TEST_CASE("http2: a stream that is reset is gone, and its neighbours go on") {
    if (!is_tested()) return;
    server news;
    client all(news);
    for (const std::uint32_t number : {1U, 3U, 5U}) all.get(number, "/events");
    std::uint32_t last = 5;
    CHECK(has_subscribers(all, last, 3));
    all.reset(3);
    CHECK(has_subscribers(all, last, 2));
    all.post(last + 2, "/publish?data=on");
    for (const std::uint32_t number : {1U, 5U}) {
        CHECK(all.until([&] { return all.streams[number].body.ends_with("data: on\n\n"); }));
    }
    CHECK(all.streams[3].body.find("data: on") == std::string::npos);
}

TEST_CASE("http2: one connection has so many streams and no more") {
    if (!is_tested()) return;
    server news;
    client all(news);
    for (std::uint32_t i = 0; i < 120; ++i) all.get(2 * i + 1, "/events");
    constexpr int refused_stream = 7;
    CHECK(all.until([&] { return all.streams[239].reset == refused_stream; }));
    int refused = 0;
    for (const auto& [number, stream] : all.streams) refused += stream.reset == refused_stream;
    CHECK(refused == 20);
    all.reset(1);
    all.get(301, "/metrics");
    CHECK(all.whole(301).find("\nssekit_subscribers 99\n") != std::string::npos);
}

TEST_CASE("http2: a head that is too long is reset, and who sends several is told to go") {
    if (!is_tested()) return;
    constexpr int enhance_your_calm = 11;
    server news;
    client one(news);
    std::string fields;
    for (int i = 0; i < 3000; ++i) fields.append("\x00\x01x\x01y", 5); // x: y
    one.get(1, "/events", fields);
    CHECK(one.until([&] { return one.streams[1].reset == enhance_your_calm; }));
    one.get(3, "/events", fields.substr(0, 500));
    CHECK(one.until([&] { return one.streams[3].ok; }));
    CHECK(!one.going_away);
    for (const std::uint32_t number : {5U, 7U, 9U}) one.get(number, "/events", fields);
    CHECK(one.until_closed());
    CHECK(one.going_away);
    client other(news);
    CHECK(other.answers(1));
}

TEST_CASE("http2: streams may be reset at the rate that is named, and beyond it the client goes") {
    if (!is_tested()) return;
    server news;
    client hasty(news);
    std::uint32_t number = 1;
    for (int i = 0; i < 1000; ++i, number += 2) {
        hasty.get(number, "/events");
        hasty.reset(number);
    }
    CHECK(hasty.answers(number));
    CHECK(!hasty.going_away);
    for (int i = 0; i < 20'000 && !hasty.going_away; ++i) {
        number += 2;
        hasty.get(number, "/events");
        hasty.reset(number);
        hasty.look();
    }
    CHECK(hasty.until_closed());
    CHECK(hasty.going_away);
    client other(news);
    CHECK(other.answers(1));
}
