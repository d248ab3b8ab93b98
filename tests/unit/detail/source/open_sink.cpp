// SPDX-License-Identifier: MIT
#include <ssekit/detail/source/open_sink.hpp>

#include <doctest/doctest.h>

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

using namespace std::chrono_literals;
using ssekit::errc;
using ssekit::event_view;
using ssekit::detail::has_on_comment;
using ssekit::detail::has_on_data_chunk;
using ssekit::detail::has_on_id;
using ssekit::detail::has_on_retry;
using ssekit::detail::open_sink;

namespace {

struct every {
    int calls = 0;
    void on_event(const event_view&) { ++calls; }
    bool on_error(errc, std::uint64_t) { return ++calls, false; }
    void on_id(std::string_view) { ++calls; }
    void on_retry(std::chrono::milliseconds) { ++calls; }
    void on_comment(std::string_view) { ++calls; }
    void on_data_chunk(std::string_view) { ++calls; }
};

const event_view event{.data = "a"};

/// A source, so far as a sink over it is concerned.
struct fixture {
    bool open = true;
    bool over = false;
    int events = 0;
    int errors = 0;
    int pieces = 0;

    struct watcher {
        fixture& of;
        bool is_open() const { return of.open; }
        bool is_over() const { return of.over; }
        void note_event(const event_view&) const { ++of.events; }
        void note_error(errc, std::uint64_t) const { ++of.errors; }
        void note_piece() const { ++of.pieces; }
    };
    template <class Sink>
    auto between(Sink& sink) {
        return open_sink{sink, watcher{*this}};
    }
};

} // namespace

TEST_CASE("source sink: it has the members that the sink has") {
    using all = open_sink<every, fixture::watcher>;
    static_assert(has_on_id<all> && has_on_retry<all> && has_on_comment<all> &&
                  has_on_data_chunk<all>);
    const auto call = [](const event_view&) {};
    using plain = open_sink<decltype(call), fixture::watcher>;
    static_assert(!has_on_id<plain> && !has_on_retry<plain> && !has_on_comment<plain> &&
                  !has_on_data_chunk<plain>);
}

TEST_CASE("source sink: while it is open everything is handed on, and what is wanted is heard") {
    fixture f;
    every sink;
    auto between = f.between(sink);
    CHECK(between.on_event(event));
    CHECK_FALSE(between.on_error(errc::data_too_long, 0));
    between.on_id("1");
    between.on_retry(1ms);
    between.on_comment("");
    between.on_data_chunk("a");
    CHECK(sink.calls == 6);
    int events = 0;
    const auto call = [&](const event_view&) { return ++events < 2; };
    auto plain = f.between(call);
    CHECK(plain.on_event(event));
    CHECK_FALSE(plain.on_event(event));
    CHECK(plain.on_error(errc::data_too_long, 0)); // which nobody wants to hear of
}

TEST_CASE("source sink: once it is not open nothing is handed on, and it is time to stop") {
    fixture f{.open = false};
    every sink;
    auto between = f.between(sink);
    CHECK_FALSE(between.on_event(event));
    CHECK_FALSE(between.on_error(errc::data_too_long, 0));
    between.on_id("1");
    between.on_retry(1ms);
    between.on_comment("");
    between.on_data_chunk("a");
    CHECK(sink.calls == 0);
    f.open = true;
    const auto close = [&](const event_view&) { f.open = false; };
    CHECK_FALSE(f.between(close).on_event(event));
}

TEST_CASE("source sink: what comes is noted before it is handed on, and the last event is that") {
    fixture f;
    int noted = -1;
    const auto call = [&](const event_view&) { noted = f.events; };
    auto between = f.between(call);
    CHECK(between.on_event(event));
    CHECK(noted == 1);
    CHECK_FALSE(between.has_stopped);
    f.over = true;
    CHECK_FALSE(between.on_event(event));
    CHECK(between.has_stopped);
    CHECK(f.events == 2);
    every sink;
    f.over = false;
    auto pieces = f.between(sink);
    pieces.on_data_chunk("");
    CHECK(f.pieces == 0);
    pieces.on_data_chunk("a");
    CHECK(f.pieces == 1);
    CHECK_FALSE(pieces.on_error(errc::data_too_long, 0)); // for that sink returns false
    CHECK(pieces.has_stopped);
    CHECK(f.errors == 1);
}
