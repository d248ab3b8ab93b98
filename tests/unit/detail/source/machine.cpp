// SPDX-License-Identifier: MIT
#include <ssekit/detail/source/machine.hpp>

#include <ssekit/event_source.hpp> // whose type hooks are called with

#include <doctest/doctest.h>

#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

using namespace std::chrono_literals;
using ssekit::answer_head;
using ssekit::event_source_options;
using ssekit::source_action;
using ssekit::source_end;
using ssekit::time_point;
using ssekit::detail::source_loss;
using ssekit::detail::source_phase;

namespace {

/// The moves of a machine, one by one.
struct bare : ssekit::event_source {
    explicit bare(event_source_options options) : event_source("http://a/", std::move(options)) {}

    using machine = ssekit::detail::source_machine<event_source>;
    using body_end = machine::body_end;
    using machine::be_late;
    using machine::conclude;
    using machine::finish;
    using machine::lose;

    time_point now{1h};

    void connect() {
        begin(now);
        REQUIRE(state_.next(now) == source_action::connect);
        REQUIRE(prepare(now));
        state_.connect(ssekit::never);
    }
    void head(int status, std::string_view type) {
        auto find = [type](std::string_view name) {
            return name == "Content-Type" ? std::optional(type) : std::nullopt;
        };
        take_head(answer_head(status, find), now);
    }
    [[nodiscard]] source_phase phase() const { return state_.phase(); }
};

} // namespace

TEST_CASE("source machine: a stream that is lost is waited for, one that is over is not") {
    bare get({});
    get.connect();
    get.head(200, "text/event-stream");
    CHECK(get.phase() == source_phase::open);
    get.lose(get.now, source_loss::in_order, "over");
    CHECK(get.phase() == source_phase::waiting);
    CHECK(get.failure() == "over");

    bare post({.method = "POST"});
    post.connect();
    post.head(200, "text/event-stream");
    post.lose(post.now, source_loss::in_order, "over");
    CHECK(post.end() == source_end::completed);
}

TEST_CASE("source machine: an answer that is no stream is concluded when its body is") {
    bare one({});
    one.connect();
    one.head(404, "text/html");
    CHECK(one.phase() == source_phase::answered);
    one.conclude(one.now, bare::body_end::whole, "");
    CHECK(one.end() == source_end::bad_status);

    bare late({});
    late.connect();
    late.head(200, "text/html");
    late.be_late(late.now);
    CHECK(late.end() == source_end::bad_media_type);
    CHECK(late.failure() == "no whole answer in time");
}

TEST_CASE("source machine: 204 and a redirect without a place need no body") {
    bare one({});
    one.connect();
    one.head(204, "");
    CHECK(one.end() == source_end::no_content);
    bare two({});
    two.connect();
    two.head(302, "");
    CHECK(two.end() == source_end::bad_redirect);
    two.finish(source_end::closed); // which it is already
    CHECK(two.end() == source_end::bad_redirect);
}
