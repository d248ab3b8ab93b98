// SPDX-License-Identifier: MIT
//
// What an event source reads: events whose blank line is missing, comments, what was dropped, and
// bodies in a coding.
#include "support/source_client.hpp"

#include <ssekit/content_decoder.hpp>
#include <ssekit/event_source.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <vector>

using namespace std::chrono_literals;
using ssekit::errc;
using ssekit::event_source;
using ssekit::event_source_options;
using ssekit::event_view;
using ssekit::ready_state;
using ssekit::source_action;
using ssekit::source_end;
using support::source_client;

namespace {

using strings = std::vector<std::string>;

/// A coding in which each byte stands for the one after it, `!` for twenty times what was before,
/// and `~` for a mistake. After a question mark there must be more. It gives out at most eight bytes
/// at a time.
class next_letter final : public ssekit::content_decoder {
  public:
    std::string_view accepts() const noexcept override { return "next"; }
    bool begin(std::string_view coding) noexcept override {
        ++begun;
        failed_ = false;
        waiting_.clear();
        last_ = 0;
        return coding == "next";
    }
    std::string_view decode(std::string_view& input) noexcept override {
        while (waiting_.empty() && !input.empty() && !failed_) {
            const char c = input.front();
            input.remove_prefix(1);
            if (c == '~')
                failed_ = true;
            else if (c == '!')
                waiting_.append(20, last_);
            else
                waiting_.push_back(last_ = static_cast<char>(c + 1));
        }
        out_ = waiting_.substr(0, 8);
        waiting_.erase(0, out_.size());
        return out_;
    }
    bool failed() const noexcept override { return failed_; }
    bool is_complete() const noexcept override { return last_ != '?'; }

    int begun = 0;

  private:
    std::string waiting_ = {};
    std::string out_ = {};
    char last_ = 0;
    bool failed_ = false;
};

std::string coded(std::string_view plain) {
    std::string out;
    for (const char c : plain) out.push_back(static_cast<char>(c - 1));
    return out;
}

const support::headers coded_stream = {{"Content-Type", "text/event-stream"},
                                       {"Content-Encoding", "next"}};

strings pull(source_client& c, std::string_view bytes) {
    strings out;
    for (;;) {
        const event_view* const event = c.source.next(bytes, c.now);
        if (event != nullptr)
            out.emplace_back(*event->data);
        else if (c.source.error() == errc::ok)
            return out;
    }
}

} // namespace

TEST_CASE("bodies: an event without its blank line is delivered at an end in order, if asked for") {
    for (const std::string_view tail : {"data: b", "data: b\n", "data: b\r", "data: b\r\n"}) {
        for (const bool pulls : {false, true}) {
            CAPTURE(tail);
            source_client c({.deliver_unfinished = true});
            c.open();
            const std::string all = std::string("data: a\n\nid: 2\n").append(tail);
            if (pulls)
                CHECK(pull(c, all) == strings{"a"});
            else
                c.bytes(all);
            c.source.receive_end(c.now);
            CHECK(c.source.next_deadline() == ssekit::time_point());
            CHECK(c.source.state() == ready_state::open);
            if (pulls)
                CHECK(pull(c, "") == strings{"b"});
            else
                c.bytes("");
            if (!pulls) CHECK(c.events == strings{"a", "b"});
            c.source.receive_end(c.now); // once more means nothing
            CHECK(pull(c, "data: x\n\n").empty());
            CHECK(c.wait() >= 1s);
            c.wait_and_connect();
            CHECK_FALSE(c.source.was_cut());
            CHECK(c.sent("Last-Event-ID") == "2");
        }
    }
}

TEST_CASE("bodies: without being asked for, and after a failure, it is dropped") {
    for (const bool asked : {false, true}) {
        source_client c({.deliver_unfinished = asked});
        c.open();
        c.bytes("data: b");
        asked ? c.source.receive_failure(c.now) : c.source.receive_end(c.now);
        c.bytes("");
        CHECK(c.events.empty());
        CHECK(c.source.was_cut());
        c.wait_and_connect();
    }
    source_client nobody({.deliver_unfinished = true}); // who does not ask for it does not get it
    nobody.open();
    nobody.bytes("data: b");
    nobody.source.receive_end(nobody.now);
    CHECK(nobody.wait() >= 1s);
    CHECK(nobody.source.was_cut());
    source_client whole({.deliver_unfinished = true});
    whole.open();
    whole.bytes("data: b\n\n");
    whole.source.receive_end(whole.now);
    CHECK(whole.source.state() == ready_state::connecting);
}

TEST_CASE("bodies: the unfinished event may be the last of its protocol") {
    source_client c(
        {.method = "POST",
         .is_last = [](const event_view& event) noexcept { return event.data == "end"; },
         .deliver_unfinished = true});
    c.open();
    c.bytes("data: a\n\ndata: end");
    c.source.receive_end(c.now);
    c.bytes("");
    CHECK(c.events == strings{"a", "end"});
    c.stopped(source_end::completed);
}

TEST_CASE("bodies: comments are seen by a reader that pulls") {
    static strings seen;
    seen.clear();
    source_client c(
        {.on_comment = {[](void*, std::string_view text) noexcept { seen.emplace_back(text); },
                        nullptr},
         .parser = {.limits = {.comment = 5}}});
    c.open();
    CHECK(pull(c, ":\n: a\ndata: x\n:b") == strings{});
    CHECK(pull(c, "c\n\n:123456\n:last\n\ndata: y\n\n") == strings{"x", "y"});
    CHECK(seen == strings{"", " a", "bc", "last"});
    CHECK(c.source.dropped() == 0); // a comment is no event
}

TEST_CASE("bodies: what was dropped is counted, and a feed of such events is alive") {
    for (const bool pulls : {false, true}) {
        source_client c({.max_failures = 1, .parser = {.limits = {.data = 3, .id = 2}}});
        for (int i = 0; i < 5; ++i) {
            if (i == 0)
                c.open();
            else {
                c.wait_and_connect();
                REQUIRE(c.head(200));
            }
            const std::string_view bytes = "data: four\n\nid: 123\ndata: a\n\n";
            if (pulls)
                pull(c, bytes);
            else
                c.bytes(bytes);
            c.source.receive_end(c.now);
        }
        CHECK(c.source.dropped() == 10);
        CHECK(c.source.last_drop() == errc::id_too_long);
        CHECK(c.source.state() == ready_state::connecting);
    }
    source_client first({.parser = {.limits = {.data = 3}}});
    first.open();
    first.bytes("data: four\n\ndata: a\n\n");
    CHECK(first.source.error() == errc::data_too_long);
    CHECK(first.source.error_offset() == 9);
    first.bytes("data: b\n\n");
    CHECK(first.source.error() == errc::ok);
}

TEST_CASE("bodies: a coding is asked for and taken off, in any pieces, to either kind of reader") {
    const std::string plain = "id: 1\ndata: abc\n\n:\ndata: d\n\ndata: cut";
    const std::string body = coded(plain);
    for (std::size_t size = 1; size <= body.size(); ++size) {
        for (const bool pulls : {false, true}) {
            CAPTURE(size);
            next_letter decoder;
            source_client c({.decoder = &decoder});
            REQUIRE(c.poll() == source_action::connect);
            CHECK(c.sent("Accept-Encoding") == "next");
            REQUIRE(c.head(200, coded_stream));
            strings events;
            for (std::size_t at = 0; at < body.size(); at += size) {
                const std::string_view piece = std::string_view(body).substr(at, size);
                if (pulls) {
                    for (std::string& each : pull(c, piece)) events.push_back(std::move(each));
                } else {
                    c.bytes(piece);
                }
            }
            CHECK((pulls ? events : c.events) == strings{"abc", "d"});
            CHECK(c.source.last_event_id() == "1");
            c.source.receive_end(c.now);
            CHECK(c.source.was_cut());
        }
    }
}

TEST_CASE("bodies: one coding may be several bodies, and a plain one is read as it is") {
    next_letter decoder;
    source_client c({.headers = {{"Accept-Encoding", "mine"}}, .decoder = &decoder});
    REQUIRE(c.poll() == source_action::connect);
    CHECK(c.sent("Accept-Encoding") == "mine");
    REQUIRE(c.head(200));
    c.bytes("data: a\n\n");
    c.source.receive_end(c.now);
    for (const std::string_view name : {"identity", "IDENTITY"}) {
        c.wait_and_connect();
        REQUIRE(c.head(200, {{"Content-Type", "text/event-stream"}, {"Content-Encoding", name}}));
        c.bytes("data: b\n\n");
        c.source.receive_end(c.now);
    }
    CHECK(decoder.begun == 0);
    c.wait_and_connect();
    REQUIRE(c.head(200, coded_stream));
    c.bytes(coded("data: c\n\nda"));
    c.source.receive_failure(c.now);
    c.wait_and_connect();
    REQUIRE(c.head(200, coded_stream));
    c.bytes(coded("data: d\n\n"));
    CHECK(c.events == strings{"a", "b", "b", "c", "d"});
    CHECK(decoder.begun == 2);
}

TEST_CASE("bodies: a broken coding is a broken connection, an unknown one no stream") {
    for (const bool pulls : {false, true}) {
        next_letter decoder;
        source_client c({.decoder = &decoder});
        REQUIRE(c.poll() == source_action::connect);
        REQUIRE(c.head(200, coded_stream));
        const std::string bytes = coded("data: a\n\n") + "~" + coded("data: b\n\n");
        if (pulls)
            c.events = pull(c, bytes);
        else
            c.bytes(bytes);
        CHECK(c.events == strings{"a"});
        CHECK(c.source.failure() == "the content coding is broken");
        CHECK(c.poll() == source_action::disconnect);
        c.wait_and_connect();
        CHECK(c.receive_head(200, {{"Content-Type", "text/event-stream"},
                                   {"Content-Encoding", "other"}}) == false);
        CHECK(c.poll() == source_action::disconnect);
        c.stopped(source_end::bad_media_type);
        CHECK(c.source.failure() == "a content coding that was not asked for");
    }
}

TEST_CASE("bodies: one whose coding has no end is cut off, however its connection ends") {
    next_letter decoder;
    const event_source_options post{.method = "POST", .decoder = &decoder};
    source_client cut(post);
    REQUIRE(cut.poll() == source_action::connect);
    REQUIRE(cut.head(200, coded_stream));
    cut.bytes(coded("data: a\n\n?"));
    cut.source.receive_end(cut.now);
    cut.stopped(source_end::not_repeated);
    CHECK(cut.source.failure() == "the content coding has no end");
    source_client whole(post);
    REQUIRE(whole.poll() == source_action::connect);
    REQUIRE(whole.head(200, coded_stream));
    whole.bytes(coded("data: a\n\n"));
    whole.source.receive_end(whole.now);
    whole.stopped(source_end::completed);
    source_client answer(post);
    REQUIRE(answer.poll() == source_action::connect);
    CHECK(answer.receive_head(400, {{"Content-Encoding", "next"}}));
    answer.bytes(coded("{}?"));
    answer.source.receive_end(answer.now);
    CHECK_FALSE(answer.source.is_answer_whole());
    answer.stopped(source_end::bad_status);
}

TEST_CASE(
    "bodies: an answer that is no stream may be coded too, and its bound is that of its text") {
    next_letter decoder;
    source_client c({.max_answer_body = 30, .decoder = &decoder});
    REQUIRE(c.poll() == source_action::connect);
    CHECK(c.receive_head(400, {{"Content-Encoding", "next"}}));
    c.bytes(coded("{}"));
    c.source.receive_end(c.now);
    CHECK(c.source.answer_body() == "{}");
    c.stopped(source_end::bad_status);

    source_client bomb({.max_answer_body = 30, .decoder = &decoder});
    REQUIRE(bomb.poll() == source_action::connect);
    CHECK(bomb.receive_head(400, {{"Content-Encoding", "next"}}));
    bomb.bytes("a!!!!!!!!!!!!!!!");
    CHECK(bomb.source.answer_body().size() == 30);
    CHECK_FALSE(bomb.source.is_answer_whole());
    CHECK(bomb.poll() == source_action::disconnect);
    bomb.stopped(source_end::bad_status);
}

TEST_CASE("bodies: a sink that stops in the middle gets the rest with the next bytes") {
    next_letter decoder;
    source_client c({.decoder = &decoder});
    REQUIRE(c.poll() == source_action::connect);
    REQUIRE(c.head(200, coded_stream));
    strings seen;
    const auto one = [&](const event_view& event) {
        seen.emplace_back(*event.data);
        return false;
    };
    std::string_view rest;
    const std::string bytes = coded("data: a\n\ndata: b\n\n");
    rest = bytes;
    rest.remove_prefix(c.source.receive(rest, one, c.now));
    CHECK(seen == strings{"a"});
    c.source.receive(rest, one, c.now);
    CHECK(seen == strings{"a", "b"});
}

TEST_CASE("bodies: a source that was closed by a comment stays so, whatever the coding says then") {
    struct leaving {
        event_source* source;
        void on_comment(std::string_view) { source->close(); }
        void on_event(const event_view&) { CHECK(false); }
    };
    next_letter decoder;
    source_client c({.decoder = &decoder});
    REQUIRE(c.poll() == source_action::connect);
    REQUIRE(c.head(200, coded_stream));
    c.source.receive(coded(":\ndata: a\n\n") + "~", leaving{&c.source}, c.now);
    CHECK(c.poll() == source_action::disconnect);
    c.stopped(source_end::closed);
}
