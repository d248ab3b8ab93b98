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
using ssekit::detail::source_state;

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

struct noting {
    int* count;
    void operator()(const event_view&) const { ++*count; }
};

/// What a source has of it, and how often it has noted an event.
struct fixture {
    source_state state = {};
    bool progress = false;
    bool is_over = false;
    int noted = 0;

    template <class Sink>
    auto between(Sink& sink) {
        return open_sink{sink, state, progress, is_over, noting{&noted}};
    }
};

} // namespace

TEST_CASE("source sink: it has the members that the sink has") {
    using all = open_sink<every, noting>;
    static_assert(has_on_id<all> && has_on_retry<all> && has_on_comment<all> &&
                  has_on_data_chunk<all>);
    const auto call = [](const event_view&) {};
    using plain = open_sink<decltype(call), noting>;
    static_assert(!has_on_id<plain> && !has_on_retry<plain> && !has_on_comment<plain> &&
                  !has_on_data_chunk<plain>);
}

TEST_CASE("source sink: while it is open everything is handed on, and what is wanted is heard") {
    fixture f;
    f.state.open({}, ssekit::never);
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
    fixture f;
    every sink;
    auto between = f.between(sink);
    CHECK_FALSE(between.on_event(event));
    CHECK_FALSE(between.on_error(errc::data_too_long, 0));
    between.on_id("1");
    between.on_retry(1ms);
    between.on_comment("");
    between.on_data_chunk("a");
    CHECK(sink.calls == 0);
    f.state.open({}, ssekit::never);
    const auto close = [&](const event_view&) { f.state.finish(ssekit::source_end::closed); };
    CHECK_FALSE(f.between(close).on_event(event));
}

TEST_CASE("source sink: an event is noted before it is handed on, and the last one is that") {
    fixture f;
    f.state.open({}, ssekit::never);
    int noted = -1;
    const auto call = [&](const event_view&) { noted = f.noted; };
    auto between = f.between(call);
    CHECK(between.on_event(event));
    CHECK(noted == 1);
    f.is_over = true;
    CHECK_FALSE(between.on_event(event));
    CHECK(f.noted == 2);
    every sink;
    f.between(sink).on_data_chunk("");
    CHECK_FALSE(f.progress);
    f.between(sink).on_data_chunk("a");
    CHECK(f.progress);
}
