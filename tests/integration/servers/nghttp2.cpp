// SPDX-License-Identifier: MIT
//
// A source of DATA frames between two sessions in memory; the client widens its window when a case
// wants it to.
#if defined(SSEKIT_TEST_NGHTTP2) // says the build where nghttp2 is linked

#include <ssekit/adapters/nghttp2.hpp>
#include <ssekit/epoch.hpp>
#include <ssekit/hub.hpp>

#include "support/text_generator.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include <nghttp2/nghttp2.h>

using ssekit::nghttp2_field;
using ssekit::nghttp2_source;
using std::chrono::steady_clock;
using support::numbers;
using support::text_generator;
using namespace std::chrono_literals;

namespace {

constexpr std::int32_t number = 1; // of the stream

/// A client that has asked and a server that has not answered yet.
class sessions {
  public:
    /// \param window of the stream, in bytes
    explicit sessions(std::uint32_t window = 65'535) {
        nghttp2_session_callbacks* callbacks = nullptr;
        REQUIRE(nghttp2_session_callbacks_new(&callbacks) == 0);
        REQUIRE(nghttp2_session_server_new(&server, callbacks, this) == 0);
        nghttp2_session_callbacks_set_on_data_chunk_recv_callback(
            callbacks, [](nghttp2_session*, std::uint8_t, std::int32_t, const std::uint8_t* bytes,
                          std::size_t size, void* self) {
                of(self).body.append(reinterpret_cast<const char*>(bytes), size);
                return 0;
            });
        nghttp2_session_callbacks_set_on_header_callback(
            callbacks, [](nghttp2_session*, const nghttp2_frame*, const std::uint8_t* name,
                          std::size_t name_size, const std::uint8_t* value, std::size_t value_size,
                          std::uint8_t, void* self) {
                of(self).head.append(reinterpret_cast<const char*>(name), name_size) += ": ";
                of(self).head.append(reinterpret_cast<const char*>(value), value_size) += "\n";
                return 0;
            });
        nghttp2_session_callbacks_set_on_stream_close_callback(
            callbacks, [](nghttp2_session*, std::int32_t, std::uint32_t code, void* self) {
                of(self).closed = code;
                return 0;
            });
        nghttp2_option* options = nullptr;
        REQUIRE(nghttp2_option_new(&options) == 0);
        nghttp2_option_set_no_auto_window_update(options, 1);
        REQUIRE(nghttp2_session_client_new2(&client, callbacks, this, options) == 0);
        nghttp2_option_del(options);
        nghttp2_session_callbacks_del(callbacks);

        const nghttp2_settings_entry small{NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, window};
        nghttp2_submit_settings(client, NGHTTP2_FLAG_NONE, &small, 1);
        nghttp2_submit_settings(server, NGHTTP2_FLAG_NONE, nullptr, 0);
        const std::array<nghttp2_nv, 4> fields{
            nghttp2_field({":method", "GET"}), nghttp2_field({":scheme", "http"}),
            nghttp2_field({":path", "/events"}), nghttp2_field({":authority", "localhost"})};
        REQUIRE(nghttp2_submit_request(client, nullptr, fields.data(), fields.size(), nullptr,
                                       nullptr) == number);
        exchange();
    }
    sessions(const sessions&) = delete;
    sessions& operator=(const sessions&) = delete;
    ~sessions() {
        nghttp2_session_del(client);
        nghttp2_session_del(server);
    }

    template <class Source>
    void answer(Source& source) {
        const auto fields = ssekit::nghttp2_stream_fields();
        const nghttp2_data_provider provider = source.provider();
        REQUIRE(nghttp2_submit_response(server, number, fields.data(), fields.size(), &provider) ==
                0);
        exchange();
    }

    /// Moves frames until there are none.
    void exchange() {
        while (move(server, client) + move(client, server) != 0) {
        }
    }
    void widen(std::int32_t bytes) {
        nghttp2_submit_window_update(client, NGHTTP2_FLAG_NONE, number, bytes);
        nghttp2_submit_window_update(client, NGHTTP2_FLAG_NONE, 0, bytes);
        exchange();
    }

    nghttp2_session* server = nullptr;
    nghttp2_session* client = nullptr;
    std::string head = {};
    std::string body = {};
    std::optional<std::uint32_t> closed = {}; // with this error code

  private:
    static sessions& of(void* self) { return *static_cast<sessions*>(self); }

    static std::size_t move(nghttp2_session* from, nghttp2_session* to) {
        const std::uint8_t* bytes = nullptr;
        const ssize_t size = nghttp2_session_mem_send(from, &bytes);
        REQUIRE(size >= 0);
        REQUIRE(nghttp2_session_mem_recv(to, bytes, static_cast<std::size_t>(size)) == size);
        return static_cast<std::size_t>(size);
    }
};

/// The line of an event's id.
std::string line(const ssekit::hub& hub, std::uint64_t offset) {
    return "id: " + std::string(hub.id_of(offset)) + "\n";
}

} // namespace

TEST_CASE("nghttp2: the head of a stream") {
    sessions both;
    nghttp2_source<text_generator> source;
    both.answer(source);
    CHECK(both.head ==
          ":status: 200\ncontent-type: text/event-stream\n"
          "cache-control: no-store, no-transform\nx-accel-buffering: no\nincremental: ?1\n");
    CHECK(both.closed == NGHTTP2_NO_ERROR);
}

TEST_CASE("nghttp2: a source is asked for what the window lets through, and no byte is lost") {
    const std::string text = numbers(5'000);
    for (const std::uint32_t window : {1U, 999U, 65'535U}) {
        for (const std::size_t size :
             {std::size_t{1}, std::size_t{1'000}, std::size_t{1'000'000}}) {
            sessions both(window);
            nghttp2_source<text_generator> source;
            source.generator = {text, size};
            both.answer(source);
            CHECK(both.body.size() == std::min<std::size_t>(window, text.size()));
            CHECK(source.generator.rest.size() == text.size() - both.body.size());
            for (int i = 0; i < 100; ++i) both.widen(1'000);
            CHECK(both.body == text);
            CHECK(both.closed == NGHTTP2_NO_ERROR);
        }
    }
}

TEST_CASE("nghttp2: where there is nothing, the session waits until it is resumed") {
    ssekit::hub hub(ssekit::new_epoch(), steady_clock::now());
    sessions both;
    nghttp2_source<ssekit::subscription> source;
    source.generator = hub.subscribe({.topics = "news", .user = &source}).subscription;
    both.answer(source);
    CHECK(both.body == line(hub, 0) + "\n");
    CHECK(source.resume(both.server, number) == 0); // too often does no harm
    CHECK(nghttp2_session_want_write(both.server) == 0);
    REQUIRE(hub.publish("news", {.data = "on"}).ec == ssekit::errc::ok);
    CHECK(hub.next_ready() == &source);
    CHECK(source.resume(both.server, number) == 0);
    CHECK(source.resume(both.server, number) == 0);
    both.exchange();
    CHECK(both.body == line(hub, 0) + "\n" + line(hub, 1) + "data: on\n\n");
    CHECK(hub.close() == ssekit::errc::ok);
    CHECK(source.resume(both.server, number) == 0);
    both.exchange();
    CHECK(both.closed == NGHTTP2_NO_ERROR);
}

TEST_CASE("nghttp2: a client that keeps its window closed for too long is reset") {
    ssekit::time_point now{};
    ssekit::hub hub(ssekit::new_epoch(), now, {.write_deadline = 10s});
    sessions both(static_cast<std::uint32_t>(line(hub, 0).size() + 1));
    nghttp2_source<ssekit::subscription> source;
    source.generator = hub.subscribe({.topics = "news", .user = &source}).subscription;
    both.answer(source);
    CHECK(both.body == line(hub, 0) + "\n"); // which closes the window
    REQUIRE(hub.publish("news", {.data = "on"}).ec == ssekit::errc::ok);
    CHECK(hub.next_ready() == &source);
    CHECK(source.resume(both.server, number) == 0);
    both.exchange();
    CHECK(!both.closed);
    hub.tick(now += 11s);
    CHECK(hub.next_ready() == &source);
    CHECK(source.resume(both.server, number) == 0);
    both.exchange();
    CHECK(both.closed == NGHTTP2_INTERNAL_ERROR);
    CHECK(both.body == line(hub, 0) + "\n");
}

TEST_CASE("nghttp2: what is cut in the middle of an event is reset, and never looks whole") {
    ssekit::hub hub(ssekit::new_epoch(), steady_clock::now());
    sessions both;
    nghttp2_source<ssekit::subscription> source;
    source.generator = hub.subscribe({.topics = "news", .user = &source}).subscription;
    both.answer(source);
    REQUIRE(hub.publish("news", {.data = std::string(100'000, 'x')}).ec == ssekit::errc::ok);
    CHECK(source.resume(both.server, number) == 0);
    both.exchange();
    CHECK(both.body.size() == 65'535);
    hub.cut();
    both.widen(100'000); // asks before it is resumed
    CHECK(both.closed == NGHTTP2_INTERNAL_ERROR);
    CHECK(both.body.size() == 65'535);
}

TEST_CASE("nghttp2: a generator that has broken off is reset once what is whole has left") {
    struct broken : text_generator {
        [[nodiscard]] bool is_abrupt() const noexcept { return is_done(); }
    };
    for (const std::uint32_t window : {5U, 65'535U}) {
        sessions both(window);
        nghttp2_source<broken> source;
        source.generator.rest = "whole";
        both.answer(source);
        CHECK(both.body == "whole");
        if (window == 5) { // nothing is asked for while it is closed
            CHECK(source.resume(both.server, number) == 0);
            both.exchange();
        }
        CHECK(both.closed == NGHTTP2_INTERNAL_ERROR);
    }
}

TEST_CASE("nghttp2: an idle stream that is cut, or whose hub has gone, is reset") {
    for (const bool destroyed : {false, true}) {
        sessions both;
        std::optional<ssekit::hub> hub(std::in_place, ssekit::new_epoch(), steady_clock::now());
        nghttp2_source<ssekit::subscription> source;
        source.generator = hub->subscribe({.topics = "news", .user = &source}).subscription;
        both.answer(source);
        CHECK(!both.closed);
        if (destroyed) {
            hub.reset();
        } else {
            hub->cut();
        }
        CHECK(source.resume(both.server, number) == 0);
        both.exchange();
        CHECK(both.closed == NGHTTP2_INTERNAL_ERROR);
    }
}

#endif
