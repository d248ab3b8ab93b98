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

} // namespace

TEST_CASE("source sink: it has the members that the sink has") {
    using all = open_sink<every>;
    static_assert(has_on_id<all> && has_on_retry<all> && has_on_comment<all> &&
                  has_on_data_chunk<all>);
    const auto call = [](const event_view&) {};
    using plain = open_sink<decltype(call)>;
    static_assert(!has_on_id<plain> && !has_on_retry<plain> && !has_on_comment<plain> &&
                  !has_on_data_chunk<plain>);
}

TEST_CASE("source sink: while it is open everything is handed on, and what is wanted is heard") {
    source_state state;
    state.open({}, ssekit::never);
    bool progress = false;
    every sink;
    open_sink between{sink, state, progress};
    CHECK(between.on_event(event));
    CHECK_FALSE(between.on_error(errc::data_too_long, 0));
    between.on_id("1");
    between.on_retry(1ms);
    between.on_comment("");
    between.on_data_chunk("a");
    CHECK(sink.calls == 6);
    int events = 0;
    const auto call = [&](const event_view&) { return ++events < 2; };
    open_sink plain{call, state, progress};
    CHECK(plain.on_event(event));
    CHECK_FALSE(plain.on_event(event));
    CHECK(plain.on_error(errc::data_too_long, 0)); // which nobody wants to hear of
}

TEST_CASE("source sink: once it is not open nothing is handed on, and it is time to stop") {
    source_state state;
    bool progress = false;
    every sink;
    open_sink between{sink, state, progress};
    CHECK_FALSE(between.on_event(event));
    CHECK_FALSE(between.on_error(errc::data_too_long, 0));
    between.on_id("1");
    between.on_retry(1ms);
    between.on_comment("");
    between.on_data_chunk("a");
    CHECK(sink.calls == 0);
    state.open({}, ssekit::never);
    const auto close = [&](const event_view&) { state.finish(ssekit::source_end::closed); };
    CHECK_FALSE(open_sink{close, state, progress}.on_event(event));
}

TEST_CASE("source sink: text is progress, an event without it is not") {
    source_state state;
    state.open({}, ssekit::never);
    bool progress = false;
    every sink;
    open_sink between{sink, state, progress};
    between.on_event({.id = "1", .data = ""});
    between.on_data_chunk("");
    between.on_id("1");
    between.on_comment("a");
    between.on_error(errc::data_too_long, 0);
    CHECK_FALSE(progress);
    between.on_event(event);
    CHECK(progress);
    between.on_event({.data = ""});
    CHECK(progress);
    progress = false;
    between.on_data_chunk("a");
    CHECK(progress);
}
