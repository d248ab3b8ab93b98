// SPDX-License-Identifier: MIT
#include <ssekit/frame.hpp>

#include "support/allocations.hpp"

#include <doctest/doctest.h>

#include <array>
#include <charconv>
#include <chrono>
#include <cstddef>
#include <string>
#include <string_view>
#include <thread>
#include <type_traits>
#include <utility>
#include <vector>

using namespace std::chrono_literals;
using namespace std::string_view_literals;
using ssekit::data_writer;
using ssekit::errc;
using ssekit::event_view;
using ssekit::frame;
using ssekit::frame_builder;
using ssekit::utf8_policy;

namespace {

std::string as_chunk(std::string_view bytes) {
    char digits[16];
    const auto end = std::to_chars(digits, digits + sizeof digits, bytes.size(), 16).ptr;
    return std::string(digits, end) + "\r\n" + std::string(bytes) + "\r\n";
}

std::string encoded(const event_view& event, utf8_policy utf8 = utf8_policy::pass_through) {
    std::string out;
    CHECK(ssekit::append_to(out, event, utf8) == errc::ok);
    return out;
}

frame made(const event_view& event) {
    return frame::make(event).frame;
}

} // namespace

TEST_CASE("a frame is one pointer wide") {
    static_assert(sizeof(frame) == sizeof(void*));
    static_assert(std::is_nothrow_copy_constructible_v<frame>);
    static_assert(std::is_nothrow_move_constructible_v<frame>);
    static_assert(std::is_nothrow_copy_assignable_v<frame>);
    static_assert(std::is_nothrow_move_assignable_v<frame>);
}

TEST_CASE("a frame holds what encode_to writes") {
    for (const event_view& event : {
             event_view{.data = "hello"},
             event_view{.data = ""},
             event_view{.id = "7"},
             event_view{.id = ""},
             event_view{.retry = 0ms},
             event_view{.id = "7", .type = "tick", .data = "a\nb\r\nc\rd", .retry = 1500ms},
             event_view{.data = "a\0b"sv},
             event_view{.data = "\xff"},
         }) {
        const auto [result, code] = frame::make(event);
        REQUIRE(code == errc::ok);
        REQUIRE(result);
        CHECK(result.wire() == encoded(event));
        CHECK(result.chunked() == as_chunk(encoded(event)));
    }
    CHECK(made({.id = "7", .data = "hello"}).wire() == "id: 7\ndata: hello\n\n");
    CHECK(made({.id = "7", .data = "hello"}).chunked() == "13\r\nid: 7\ndata: hello\n\n\r\n");
}

TEST_CASE("the chunked form is the same bytes as one chunk at every size") {
    std::string data;
    const auto check = [&] {
        CAPTURE(data.size());
        const frame event = made({.data = data});
        const std::string_view wire = event.wire();
        REQUIRE(wire.size() == data.size() + sizeof "data: \n\n" - 1);
        REQUIRE(event.chunked() == as_chunk(wire));
        REQUIRE(event.in(ssekit::framing::raw) == wire);
        REQUIRE(event.in(ssekit::framing::chunked) == event.chunked());
        REQUIRE(event.chunked().data() + event.chunked().find('\n') + 1 == wire.data());
    };
    for (; data.size() < 4200; data += 'x') check();
    for (const std::size_t power : {std::size_t{1} << 16, std::size_t{1} << 20}) {
        for (const std::size_t size : {power - 1, power, power + 1}) {
            data.assign(size - (sizeof "data: \n\n" - 1), 'x');
            check();
        }
    }
}

TEST_CASE("a comment frame holds comment lines in both forms") {
    CHECK(frame::comment("").wire() == ssekit::heartbeat_comment);
    CHECK(frame::comment("").chunked() == "3\r\n:\n\n\r\n");
    CHECK(frame::comment("hi").wire() == ": hi\n\n");
    CHECK(frame::comment("a\nb\r\nc\rd").wire() == ": a\n: b\n: c\n: d\n\n");
    CHECK(frame::comment("a\ndata: b").chunked() == as_chunk(": a\n: data: b\n\n"));
}

TEST_CASE("a verbatim frame is the same in either framing") {
    for (const std::string_view bytes : {"0\r\n\r\n"sv, "anything"sv, "\0\xff"sv}) {
        const frame event = frame::verbatim(bytes);
        CHECK(event.wire() == bytes);
        CHECK(event.chunked() == bytes);
    }
    CHECK(frame::verbatim("").wire().empty());
    CHECK(frame::verbatim("").chunked().empty());
}

TEST_CASE("a policy for UTF-8 holds for frames too") {
    const event_view broken{.id = "\x80", .type = "\xc3", .data = "a\xff"};
    CHECK(made(broken).wire() == encoded(broken));
    const auto replaced = frame::make(broken, utf8_policy::replace).frame;
    CHECK(replaced.wire() == encoded(broken, utf8_policy::replace));
    CHECK(frame::make(broken, utf8_policy::report).ec == errc::malformed_utf8);
    CHECK_FALSE(frame::make(broken, utf8_policy::report).frame);
}

TEST_CASE("an event that can not be encoded makes no frame and costs no allocation") {
    const support::allocation_watch watch;
    const auto refused = [](const event_view& event) {
        const auto [result, code] = frame::make(event);
        CHECK_FALSE(result);
        return code;
    };
    CHECK(refused({}) == errc::nothing_to_send);
    CHECK(refused({.type = "alone"}) == errc::nothing_to_send);
    CHECK(refused({.id = "1\r", .data = "x"}) == errc::invalid_id);
    CHECK(refused({.id = "1\n", .data = "x"}) == errc::invalid_id);
    CHECK(refused({.id = "\0"sv, .data = "x"}) == errc::invalid_id);
    CHECK(refused({.type = "a\nb", .data = "x"}) == errc::invalid_type);
    CHECK(refused({.type = "a\rb", .data = "x"}) == errc::invalid_type);
    CHECK(refused({.data = "x", .retry = -1ms}) == errc::invalid_retry);
    if (support::counts_allocations) CHECK(watch.allocations() == 0);
}

TEST_CASE("a frame is one allocation however many share it") {
    const support::allocation_watch watch;
    {
        frame event = made({.id = "1", .data = "shared"});
        std::array<frame, 100> copies;
        copies.fill(event);
        CHECK(event.owners() == 101);
        for (const frame& copy : copies) CHECK(copy.wire().data() == event.wire().data());
        event = {};
        CHECK(event.owners() == 0);
        CHECK(copies[0].owners() == 100);
        if (support::counts_allocations) {
            CHECK(watch.allocations() == 1);
            CHECK(watch.frees() == 0);
        }
        CHECK(copies[99].wire() == "id: 1\ndata: shared\n\n");
    }
    if (support::counts_allocations) CHECK(watch.frees() == 1);
}

TEST_CASE("frames are copied and moved and assigned as pointers are") {
    frame a = made({.data = "a"});
    frame b = made({.data = "b"});
    const char* const bytes = a.wire().data();

    frame copy = a;
    CHECK(copy.owners() == 2);
    frame moved = std::move(copy);
    CHECK_FALSE(copy); // NOLINT(bugprone-use-after-move)
    CHECK(moved.owners() == 2);
    CHECK(moved.wire().data() == bytes);

    frame& self = a;
    a = self;
    CHECK(a.owners() == 2);
    CHECK(a.wire().data() == bytes);
    a = std::move(self);
    CHECK(a.owners() == 2);
    CHECK(a.wire().data() == bytes);

    moved = b;
    CHECK(a.owners() == 1);
    CHECK(b.owners() == 2);
    CHECK(moved.wire() == b.wire());
    b = std::move(a);
    CHECK_FALSE(a); // NOLINT(bugprone-use-after-move)
    CHECK(moved.owners() == 1);
    CHECK(b.wire() == "data: a\n\n");

    const frame nothing;
    b = nothing;
    CHECK_FALSE(b);
    CHECK(nothing.owners() == 0);
    CHECK(frame(nothing).owners() == 0);
}

TEST_CASE("threads may copy and drop one frame at the same time") {
    const frame event = made({.data = "for all"});
    std::vector<std::thread> threads;
    for (int i = 0; i < 4; ++i) {
        threads.emplace_back([own = event] {
            std::vector<frame> copies;
            for (int n = 0; n < 500; ++n) copies.push_back(own);
        });
    }
    for (std::thread& thread : threads) thread.join();
    threads.clear();
    CHECK(event.owners() == 1);
    CHECK(event.wire() == "data: for all\n\n");
}

TEST_CASE("without memory there is no frame") {
    if (!support::counts_allocations) return;
    const support::failing_allocations none(0);
    CHECK(frame::make({.data = "x"}).ec == errc::out_of_memory);
    CHECK_FALSE(frame::make({.data = "x"}).frame);
    CHECK_FALSE(frame::comment("x"));
    CHECK_FALSE(frame::verbatim("x"));
}

TEST_CASE("a frame that was built equals one that was made") {
    const std::string_view data = "one\ntwo\r\nthree\rfour";
    const event_view head{.id = "9", .type = "step", .retry = 20ms};
    event_view whole = head;
    whole.data = data;
    for (std::size_t cut = 0; cut <= data.size(); ++cut) {
        frame_builder block;
        data_writer writer(block, head);
        writer.write(data.substr(0, cut)).write(data.substr(cut));
        writer.finish();
        const auto [built, code] = block.build();
        CHECK(code == errc::ok);
        CHECK(built.wire() == made(whole).wire());
        CHECK(built.chunked() == made(whole).chunked());
        CHECK(built.owners() == 1);
    }
}

TEST_CASE("a builder is as new after each build") {
    frame_builder block;
    for (const std::string_view data : {"first"sv, "second"sv, "third"sv}) {
        CHECK(block.build().ec == errc::nothing_to_send);
        CHECK_FALSE(block.build().frame);
        data_writer writer(block);
        writer.write(data);
        writer.finish();
        CHECK(block.build().frame.wire() == encoded({.data = data}));
    }
}

TEST_CASE("a builder that was given no byte has nothing to send") {
    frame_builder block;
    block.append("", 0);
    block.append(nullptr, 0);
    CHECK(block.build().ec == errc::nothing_to_send);

    data_writer writer(block, {.type = "not\nvalid"});
    CHECK(writer.error() == errc::invalid_type);
    writer.write("data");
    writer.finish();
    CHECK(block.build().ec == errc::nothing_to_send);
}

TEST_CASE("building does not copy the bytes") {
    frame_builder block;
    const support::allocation_watch watch;
    block.append("data: x\n\n", 9);
    const frame built = block.build().frame;
    CHECK(built.chunked() == "9\r\ndata: x\n\n\r\n");
    if (support::counts_allocations) {
        CHECK(watch.allocations() == 1);
        CHECK(watch.frees() == 0);
    }
}

TEST_CASE("a builder grows to any size") {
    std::string all;
    for (std::size_t pieces = 1; pieces < 2000; pieces = pieces * 3 / 2 + 1) {
        all.clear();
        frame_builder block;
        for (std::size_t i = 0; i < pieces; ++i) {
            const std::string piece(i % 7, static_cast<char>('a' + i % 26));
            block.append(piece.data(), piece.size());
            all += piece;
        }
        const frame built = block.build().frame;
        REQUIRE(bool(built) == !all.empty());
        if (!built) continue;
        CHECK(built.wire() == all);
        CHECK(built.chunked() == as_chunk(all));
    }
}

TEST_CASE("a builder that runs out of memory says so and is as new") {
    if (!support::counts_allocations) return;
    const std::string text(500, 'x');
    for (std::size_t grace = 0, failures = 0;; ++grace) {
        frame_builder block;
        errc code = errc::ok;
        bool struck = false;
        {
            const support::failing_allocations limit(grace);
            for (const char c : text) block.append(&c, 1);
            code = block.build().ec;
            struck = limit.struck();
        }
        CHECK(code == (struck ? errc::out_of_memory : errc::ok));
        block.append("again", 5);
        const frame again = block.build().frame;
        REQUIRE(again);
        CHECK(again.wire() == "again");
        if (!struck) {
            CHECK(failures > 2);
            break;
        }
        ++failures;
    }
}
