// SPDX-License-Identifier: MIT
#include <ssekit/frame.hpp>

#include "support/allocations.hpp"

#include <doctest/doctest.h>

#include <array>
#include <charconv>
#include <chrono>
#include <cstddef>
#include <new>
#include <optional>
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
    CHECK(frame::comment("", ssekit::comment_form::line).wire() == ssekit::heartbeat_line);
    CHECK(frame::comment("", ssekit::comment_form::line).chunked() == "2\r\n:\n\r\n");
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

TEST_CASE("an event that cannot be encoded makes no frame and costs no allocation") {
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

TEST_CASE("a size that would wrap is an error before memory is asked for or a byte is read") {
    const support::allocation_watch watch;
    const char byte = 'x';
    const std::size_t most = static_cast<std::size_t>(-1);
    for (const std::size_t size : {most, most / 2, most / 3 + 2, most / 7 + 2, most / 16 + 1}) {
        CAPTURE(size);
        const std::string_view huge(&byte, size);
        CHECK(frame::make({.data = huge}).ec == errc::data_too_long);
        CHECK(frame::make({.id = huge}).ec == errc::data_too_long);
        CHECK(frame::make({.type = huge, .data = ""}).ec == errc::data_too_long);
        CHECK_FALSE(frame::comment(huge));
        if (size > 0xffffffff - 32) CHECK_FALSE(frame::verbatim(huge));
        CHECK(frame::make({.data = "x"}, utf8_policy::pass_through, {.topic = huge}).ec ==
              errc::label_too_long);
    }
    if (support::counts_allocations) CHECK(watch.allocations() == 0);
}

TEST_CASE("a label is kept up to 64 KiB less one byte in each of its parts") {
    const std::string longest(0xffff, 'l');
    const std::string longer(0x10000, 'l');
    const frame event =
        frame::make({.data = "x"}, utf8_policy::pass_through, {longest, longest}).frame;
    REQUIRE(event);
    CHECK(event.label().topic == longest);
    CHECK(event.label().key == longest);
    CHECK(frame::make({.data = "x"}, utf8_policy::pass_through, {longer, ""}).ec ==
          errc::label_too_long);
    CHECK(frame::make({.data = "x"}, utf8_policy::pass_through, {"", longer}).ec ==
          errc::label_too_long);
    CHECK(event.numbered("1", {longer, ""}).ec == errc::label_too_long);
    frame_builder block;
    block.append("data: x\n\n", 9);
    CHECK(block.build({longer, ""}).ec == errc::label_too_long);
    block.append("data: x\n\n", 9);
    const frame built = block.build({"topic", "key"}).frame;
    REQUIRE(built);
    CHECK(built.label().topic == "topic");
    CHECK(built.label().key == "key");
    CHECK(built.chunked() == "9\r\ndata: x\n\n\r\n");
}

namespace {

/// A resource that counts, can fail, and knows what it has given out.
class counting_memory final : public ssekit::memory_resource {
  public:
    void* allocate(std::size_t size, std::size_t alignment) noexcept override {
        if (left == 0) return nullptr;
        --left;
        ++allocations;
        live += size;
        largest_alignment = alignment > largest_alignment ? alignment : largest_alignment;
        return ::operator new(size, std::nothrow);
    }
    void deallocate(void* memory, std::size_t size, std::size_t) noexcept override {
        live -= size;
        ::operator delete(memory);
    }

    std::size_t left = 1000;
    std::size_t allocations = 0;
    std::size_t live = 0;
    std::size_t largest_alignment = 0;
};

} // namespace

TEST_CASE("a frame is given back to the memory that it came from, with the size it was asked for") {
    counting_memory memory;
    {
        const frame event = frame::make({.id = "7", .data = "hello"}, utf8_policy::pass_through,
                                        {"topic", "key"}, &memory)
                                .frame;
        REQUIRE(event);
        CHECK(event.chunked() == "13\r\nid: 7\ndata: hello\n\n\r\n");
        CHECK(event.label().topic == "topic");
        CHECK(event.label().key == "key");
        const frame comment = frame::comment("c", ssekit::comment_form::block, &memory);
        CHECK(comment.wire() == ": c\n\n");
        const frame bytes = frame::verbatim("0\r\n\r\n", &memory);
        CHECK(bytes.chunked() == "0\r\n\r\n");
        CHECK(memory.allocations == 3);
        const frame copy = event;
        {
            frame_builder block(&memory);
            for (int i = 0; i < 500; ++i) block.append("data: x\n", 8);
            block.append("\n", 1);
            frame_builder moved = std::move(block);
            const frame built = moved.build({"t", "k"}).frame;
            REQUIRE(built);
            CHECK(built.wire().size() == 4001);
            CHECK(built.label().key == "k");
            block = std::move(moved);
            block.append("left open", 9);
        }
    }
    CHECK(memory.live == 0);
    CHECK(memory.largest_alignment == 4);

    const support::allocation_watch watch;
    memory.left = 0;
    CHECK(frame::make({.data = "x"}, utf8_policy::pass_through, {}, &memory).ec ==
          errc::out_of_memory);
    CHECK_FALSE(frame::comment("x", ssekit::comment_form::block, &memory));
    CHECK_FALSE(frame::verbatim("x", &memory));
    frame_builder block(&memory);
    block.append("data: x\n\n", 9);
    CHECK(block.build().ec == errc::out_of_memory);
    if (support::counts_allocations) CHECK(watch.allocations() == 0);
}

TEST_CASE("a frame that gets its id later is what the event with that id would have made") {
    counting_memory memory;
    for (const event_view& event : {
             event_view{.data = "hello"},
             event_view{.data = ""},
             event_view{.retry = 5ms},
             event_view{.type = "tick", .data = "a\nb\r\nc", .retry = 1500ms},
         }) {
        event_view whole = event;
        for (const std::string_view id : {""sv, "7"sv, "1.123456789012345678901234567890"sv}) {
            whole.id = id;
            const frame base =
                frame::make(event, utf8_policy::pass_through, {"here", "before"}).frame;
            const auto [copy, code] = base.numbered(id, {"there", "key"}, &memory);
            REQUIRE(code == errc::ok);
            CHECK(copy.wire() == made(whole).wire());
            CHECK(copy.chunked() == made(whole).chunked());
            CHECK(copy.id() == id);
            CHECK(copy.type() == made(whole).type());
            CHECK(copy.label().topic == "there");
            CHECK(copy.label().key == "key");
            CHECK(base.label().key == "before");
            CHECK(copy.numbered("8").ec == errc::id_is_assigned);
            CHECK(copy.numbered(std::nullopt).frame.wire() == copy.wire());

            frame_builder block;
            event_view head = event;
            if (!head.data) continue;
            data_writer(block, head).finish();
            CHECK(block.build().frame.numbered(id).frame.chunked() == made(whole).chunked());
        }
    }
    CHECK(memory.live == 0);
    CHECK(memory.allocations == 12);
    memory.left = 0;
    CHECK(made({.data = "x"}).numbered("1", {}, &memory).ec == errc::out_of_memory);
}

TEST_CASE("a frame whose id is its publisher's keeps it, and gets a label") {
    const frame event = made({.id = "mine", .data = "x"});
    const auto [copy, code] = event.numbered(std::nullopt, {"topic", "key"});
    CHECK(code == errc::ok);
    CHECK(copy.wire() == event.wire());
    CHECK(copy.label().topic == "topic");
    CHECK(made({.id = "alone"}).numbered(std::nullopt).ec == errc::nothing_to_send);
}

TEST_CASE("what is not one event cannot be numbered") {
    const auto built = [](std::string_view bytes) {
        frame_builder block;
        block.append(bytes.data(), bytes.size());
        return block.build().frame;
    };
    CHECK(frame().numbered("1").ec == errc::nothing_to_send);
    CHECK(frame::comment("c").numbered("1").ec == errc::nothing_to_send);
    CHECK(frame::verbatim("data: x\n\n").numbered("1").ec == errc::nothing_to_send);
    CHECK(made({.id = "1", .data = "x"}).numbered("1").ec == errc::id_is_assigned);
    CHECK(made({.id = ""}).numbered("1").ec == errc::id_is_assigned);
    CHECK(made({.data = "x"}).numbered("1\ndata: y").ec == errc::invalid_id);
    CHECK(built("data: x\n\ndata: y\n\n").numbered("1").ec == errc::not_one_event);
    CHECK(built(": c\n\ndata: y\n\n").numbered("1").ec == errc::not_one_event);
    CHECK(built("\r\ndata: y\n\n").numbered("1").ec == errc::not_one_event);
    CHECK(built("data: x\n\n\n").numbered("1").ec == errc::ok);
    CHECK(built("event: x\nid\ndata: y\n\n").numbered("1").ec == errc::id_is_assigned);
    CHECK(built("event: x\nid: 5\ndata: y\n\n").numbered("1").ec == errc::id_is_assigned);
    CHECK(built("event: x\nid: 5\ndata: y\n\n").numbered(std::nullopt).ec == errc::ok);
    CHECK(built("event: x\n: data\n\n").numbered("1").ec == errc::nothing_to_send);
    CHECK(built("event: x\r\ndata: idle\r\n\r\n").numbered("1").frame.wire() ==
          "id: 1\nevent: x\r\ndata: idle\r\n\r\n");
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

    CHECK(block.build().ec == errc::nothing_to_send); // and is as new
}

TEST_CASE("a builder says what was wrong with the head of an event") {
    frame_builder block;
    for (const auto& [head, code] : {
             std::pair{event_view{.type = "not\nvalid"}, errc::invalid_type},
             std::pair{event_view{.id = "7\n"}, errc::invalid_id},
             std::pair{event_view{.retry = -1ms}, errc::invalid_retry},
         }) {
        data_writer writer(block, head);
        CHECK(writer.error() == code);
        writer.write("data");
        writer.finish();
        CHECK(block.build().ec == code);
        CHECK(block.build().ec == errc::nothing_to_send);

        data_writer right(block);
        right.finish();
        data_writer wrong(block, head);
        wrong.finish();
        CHECK(block.build().ec == code); // also when something else was written
    }
}

TEST_CASE("an event that was not finished makes no frame, for the next would become a part of it") {
    for (const std::string_view data : {""sv, "x"sv, "x\n"sv, "x\n\n"sv, "\r\n\r\n"sv}) {
        CAPTURE(data);
        frame_builder block;
        data_writer(block, {.type = "t"}).write(data);
        const auto [built, code] = block.build();
        CHECK_FALSE(built);
        CHECK(code == errc::unfinished);

        data_writer writer(block); // the builder is as new
        writer.write(data);
        writer.finish();
        CHECK(block.build().ec == errc::ok);

        data_writer first(block);
        first.write(data);
        data_writer second(block);
        second.finish();
        CHECK(block.build().ec == errc::unfinished); // though the bytes end with a blank line
    }
    frame_builder block;
    for (const std::string_view bytes :
         {"data: x"sv, "data: x\n"sv, "data: x\r\n"sv, "\r\ndata: x\r"sv}) {
        CAPTURE(bytes);
        block.append(bytes.data(), bytes.size());
        CHECK(block.build().ec == errc::unfinished);
    }
    for (const std::string_view bytes :
         {"data: x\n\n"sv, "data: x\r\r"sv, "data: x\r\n\r\n"sv, "data: x\n\r"sv, "\n"sv}) {
        CAPTURE(bytes);
        block.append(bytes.data(), bytes.size());
        CHECK(block.build().frame.wire() == bytes);
    }
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
        block.append("\n\n", 2);
        all += "\n\n";
        const frame built = block.build().frame;
        REQUIRE(built);
        CHECK(built.wire() == all);
        CHECK(built.chunked() == as_chunk(all));
    }
}

TEST_CASE("a builder that runs out of memory says so and is as new") {
    if (!support::counts_allocations) return;
    const std::string text = std::string(500, 'x') + "\n\n";
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
        block.append("again\n\n", 7);
        const frame again = block.build().frame;
        REQUIRE(again);
        CHECK(again.wire() == "again\n\n");
        if (!struck) {
            CHECK(failures > 2);
            break;
        }
        ++failures;
    }
}
