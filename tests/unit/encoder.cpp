// SPDX-License-Identifier: MIT
#include "support/allocations.hpp"
#include "support/dice.hpp"
#include "support/owned_event.hpp"
#include "support/recorder.hpp"
#include "support/reference_utf8.hpp"

#include <ssekit/encoder.hpp>
#include <ssekit/parser.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <limits>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

using namespace support;
using namespace std::chrono_literals;
using namespace std::string_view_literals;
using ssekit::errc;
using ssekit::event_view;
using ssekit::utf8_policy;

namespace {

// Everything that has ever broken an encoder: line ends, NUL, colons, leading spaces, field names,
// the byte order mark, whole and broken UTF-8.
std::string random_text(dice& random, bool with_line_ends) {
    constexpr std::string_view parts[] = {"x",
                                          " ",
                                          ":",
                                          "data",
                                          "data: ",
                                          "id: ",
                                          "event: a",
                                          "retry",
                                          "\t",
                                          "\xE2\x80\xA8",
                                          "\xC2\x85",
                                          "\xEF\xBB\xBF",
                                          "\xF0\x9F\x91\x8D",
                                          "\xFF",
                                          "\xE2",
                                          "\xED\xA0\x80",
                                          "message",
                                          "a longer piece of text",
                                          "\x7F"};
    constexpr std::string_view line_ends[] = {"\n", "\r", "\r\n", "\n\n", "\r\r", "\n\r", "\0"sv};
    std::string text;
    for (std::size_t n = random.below(8); n > 0; --n) {
        text += with_line_ends && random.one_in(2) ? random.pick(line_ends) : random.pick(parts);
    }
    return text;
}

owned_event random_event(dice& random) {
    owned_event event;
    if (random.one_in(2)) event.id = random_text(random, random.one_in(20));
    if (random.one_in(2)) event.type = random_text(random, random.one_in(20));
    if (!random.one_in(5)) event.data = random_text(random, true);
    if (random.one_in(3)) {
        constexpr std::int64_t times[] = {0,
                                          1,
                                          9,
                                          10,
                                          1500,
                                          -1,
                                          std::numeric_limits<std::int64_t>::max(),
                                          std::numeric_limits<std::int64_t>::min()};
        event.retry = std::chrono::milliseconds(random.pick(times));
    }
    return event;
}

std::string encode(const event_view& event, utf8_policy utf8 = utf8_policy::pass_through) {
    std::string wire;
    CHECK(ssekit::append_to(wire, event, utf8) == errc::ok);
    return wire;
}

void check_arrives(const std::string& wire, const owned_event& event, utf8_policy utf8) {
    recording expected = received(event);
    expected.offset = wire.size();
    CHECK(run_feed({wire}, {.utf8 = utf8}) == expected);
    CHECK(run_feed(in_pieces_of(1, wire), {.utf8 = utf8}) == expected);
}

owned_event decoded(owned_event event) {
    if (event.id) event.id = reference_decode_utf8(*event.id).text;
    event.type = reference_decode_utf8(event.type).text;
    if (event.data) event.data = reference_decode_utf8(*event.data).text;
    return event;
}

bool has_malformed(const owned_event& event) {
    const auto malformed = [](std::string_view text) {
        return reference_decode_utf8(text).first_malformed.has_value();
    };
    return malformed(event.type) || malformed(event.id.value_or("")) ||
           malformed(event.data.value_or(""));
}

} // namespace

TEST_CASE("what is encoded comes back with line ends turned into LF or is refused") {
    std::size_t accepted = 0;
    for (std::uint32_t seed = 0; seed < 5000; ++seed) {
        CAPTURE(seed);
        dice random(seed);
        const owned_event event = random_event(random);
        const errc valid = ssekit::validate(event.view());
        std::string wire = "before";
        const errc code = ssekit::append_to(wire, event.view());
        if (valid != errc::ok || !(event.data || event.id || event.retry)) {
            CHECK(code == (valid != errc::ok ? valid : errc::nothing_to_send));
            CHECK(wire == "before");
            continue;
        }
        CHECK(code == errc::ok);
        ++accepted;
        check_arrives(wire.substr(6), event, utf8_policy::pass_through);
    }
    CHECK(accepted > 3000);
}

TEST_CASE("replacing while encoding gives what a client would have made of the bytes") {
    for (std::uint32_t seed = 0; seed < 3000; ++seed) {
        CAPTURE(seed);
        dice random(seed);
        const owned_event event = random_event(random);
        if (ssekit::encoded_size(event.view()) == 0) continue;
        const std::string wire = encode(event.view(), utf8_policy::replace);
        CHECK(wire == encode(decoded(event).view()));
        CHECK(ssekit::detail::is_utf8(wire));
        check_arrives(wire, decoded(event), utf8_policy::report);
        check_arrives(encode(event.view()), decoded(event), utf8_policy::replace);
    }
}

TEST_CASE("reporting refuses malformed UTF-8 in any field and nothing else") {
    for (std::uint32_t seed = 0; seed < 3000; ++seed) {
        CAPTURE(seed);
        dice random(seed);
        const owned_event event = random_event(random);
        if (ssekit::encoded_size(event.view()) == 0) continue;
        std::string wire;
        const errc code = ssekit::append_to(wire, event.view(), utf8_policy::report);
        CHECK(code == (has_malformed(event) ? errc::malformed_utf8 : errc::ok));
        CHECK(wire == (has_malformed(event) ? "" : encode(event.view())));
    }
}

TEST_CASE("encode_to needs encoded_size bytes and writes nothing into fewer") {
    for (std::uint32_t seed = 0; seed < 300; ++seed) {
        for (const utf8_policy utf8 : {utf8_policy::pass_through, utf8_policy::replace}) {
            dice random(seed);
            const owned_event event = random_event(random);
            const std::size_t size = ssekit::encoded_size(event.view(), utf8);
            for (std::size_t room = 0; room < size; ++room) {
                std::string buffer(room + 8, '#');
                const auto result =
                    ssekit::encode_to(buffer.data(), buffer.data() + room, event.view(), utf8);
                CHECK(result.ec == errc::buffer_too_small);
                CHECK(result.ptr == buffer.data());
                CHECK(buffer == std::string(room + 8, '#'));
            }
            if (size == 0) continue;
            std::string buffer(size + 8, '#');
            const auto result =
                ssekit::encode_to(buffer.data(), buffer.data() + size, event.view(), utf8);
            CHECK(result.ec == errc::ok);
            CHECK(result.ptr == buffer.data() + size);
            CHECK(buffer == encode(event.view(), utf8) + "########");
        }
    }
}

TEST_CASE("a data writer gives the bytes of encode_to however the data is cut") {
    for (std::uint32_t seed = 0; seed < 1000; ++seed) {
        CAPTURE(seed);
        dice random(seed);
        owned_event event = random_event(random);
        if (!event.data || ssekit::encoded_size(event.view()) == 0) continue;
        const std::string wire = encode(event.view());
        for (const bool data_in_head : {false, true}) {
            const std::size_t cut = data_in_head ? random.below(event.data->size() + 1) : 0;
            event_view head = event.view();
            head.data.reset();
            if (data_in_head) head.data = std::string_view(*event.data).substr(0, cut);
            std::string out;
            ssekit::data_writer writer(out, head);
            for (const auto piece : randomly_cut(std::string_view(*event.data).substr(cut), seed)) {
                switch (random.below(3)) {
                case 0: writer.write(piece); break;
                case 1: std::copy(piece.begin(), piece.end(), writer.out()); break;
                default: std::copy(piece.begin(), piece.end(), std::back_inserter(writer));
                }
            }
            writer.finish();
            CHECK(out == wire);
        }
    }
}

TEST_CASE("a data writer always dispatches so its type is written and its data may be empty") {
    std::string out;
    ssekit::data_writer writer(out, {.type = "tick"});
    writer.finish();
    CHECK(out == "event: tick\ndata: \n\n");

    std::string bare;
    ssekit::data_writer<std::string>(bare).write("a").write("\r").write("\nb").finish();
    CHECK(bare == "data: a\ndata: b\n\n");
}

TEST_CASE("the iterator of a data writer is an output iterator for char") {
    using iterator = ssekit::data_writer<std::string>::iterator;
    static_assert(std::output_iterator<iterator, char>);
    static_assert(std::is_default_constructible_v<iterator>);
    static_assert(ssekit::byte_sink<std::string>);
    static_assert(ssekit::byte_sink<ssekit::detail::counting_out>);
    static_assert(!ssekit::byte_sink<std::vector<char>>);
    static_assert(!ssekit::byte_sink<int>);
}

TEST_CASE("the type may come before the id and nothing else changes") {
    const event_view event = {.id = "7", .type = "t", .data = "a\nb", .retry = 5ms};
    std::string out;
    REQUIRE(ssekit::append_to(out, event, ssekit::field_order::type_first) == errc::ok);
    CHECK(out == "event: t\nid: 7\nretry: 5\ndata: a\ndata: b\n\n");
    CHECK(out.size() == ssekit::encoded_size(event));
    std::string same(out.size(), '\0');
    CHECK(encode_to(same.data(), same.data() + same.size(), event, ssekit::field_order::type_first)
              .ec == errc::ok);
    CHECK(same == out);
    std::string written;
    ssekit::data_writer(written, event, ssekit::field_order::type_first).finish();
    CHECK(written == out);
    out.clear();
    REQUIRE(ssekit::append_to(out, {.id = "7\xff", .data = ""},
                              {utf8_policy::replace, ssekit::field_order::type_first}) == errc::ok);
    CHECK(out == "id: 7\xEF\xBF\xBD\ndata: \n\n");
}

TEST_CASE("lines with a prefix are lines of their own") {
    std::string out;
    ssekit::data_writer data(out, {.type = "t"});
    data.write_lines("a ", "1").write_lines("b ", "2\r\n3\r4\n").write_lines("c ", "").finish();
    CHECK(out == "event: t\ndata: a 1\ndata: b 2\ndata: b 3\ndata: b 4\ndata: b \ndata: c \n\n");
    out.clear();
    ssekit::data_writer mixed(out);
    mixed.write("x\r").write_lines("y ", "z\r").write("\nw").write_lines("", "v").finish();
    CHECK(out == "data: x\ndata: \ndata: y z\ndata: y \ndata: w\ndata: v\n\n");
    out.clear();
    ssekit::data_writer(out, {.id = "1\n"}).write_lines("a ", "1").finish();
    CHECK(out.empty());
}

// What Datastar's clients take: the name of the argument at the start of each line, and the type
// before the id.
TEST_CASE("the events of Datastar come out byte by byte") {
    const auto event = [](const event_view& head, auto&& write) {
        std::string out;
        ssekit::data_writer data(out, head, ssekit::field_order::type_first);
        write(data);
        data.finish();
        return out;
    };
    CHECK(event({.type = "datastar-patch-elements"},
                [](auto& data) {
                    data.write_lines("elements ", "<div id=\"a\">\n  one\n</div>");
                }) == "event: datastar-patch-elements\ndata: elements <div id=\"a\">\n"
                      "data: elements   one\ndata: elements </div>\n\n");
    CHECK(event({.id = "event1", .type = "datastar-patch-elements", .retry = 2s},
                [](auto& data) {
                    data.write_lines("selector ", "#list").write_lines("mode ", "append");
                    data.write_lines("useViewTransition ", "true")
                        .write_lines("elements ", "<li>x</li>");
                }) ==
          "event: datastar-patch-elements\nid: event1\nretry: 2000\ndata: selector #list\n"
          "data: mode append\ndata: useViewTransition true\ndata: elements <li>x</li>\n\n");
    CHECK(event({.type = "datastar-patch-elements"}, [](auto& data) {
              data.write_lines("selector ", "#gone").write_lines("mode ", "remove");
          }) == "event: datastar-patch-elements\ndata: selector #gone\ndata: mode remove\n\n");
    CHECK(event({.id = "9", .type = "datastar-patch-signals"},
                [](auto& data) {
                    data.write_lines("onlyIfMissing ", "true");
                    data.write_lines("signals ", "{\"one\":1,\n\"two\":2}");
                }) == "event: datastar-patch-signals\nid: 9\ndata: onlyIfMissing true\n"
                      "data: signals {\"one\":1,\ndata: signals \"two\":2}\n\n");
}

TEST_CASE("a comment may end with its line") {
    char room[8];
    const auto [end, code] =
        ssekit::encode_comment_to(room, room + 8, "a\nb", ssekit::comment_form::line);
    CHECK(code == errc::ok);
    CHECK(std::string_view(room, static_cast<std::size_t>(end - room)) == ": a\n: b\n");
    CHECK(ssekit::encoded_comment_size("a\nb", ssekit::comment_form::line) == 8);
    CHECK(ssekit::encode_comment_to(room, room + 7, "a\nb", ssekit::comment_form::line).ec ==
          errc::buffer_too_small);
}

TEST_CASE("comments are ignored by every client whatever they say") {
    for (std::uint32_t seed = 0; seed < 2000; ++seed) {
        CAPTURE(seed);
        dice random(seed);
        const std::string text = random_text(random, true);
        std::string wire(ssekit::encoded_comment_size(text), '#');
        const auto result = ssekit::encode_comment_to(wire.data(), wire.data() + wire.size(), text);
        CHECK(result.ec == errc::ok);
        CHECK(result.ptr == wire.data() + wire.size());
        CHECK(wire.ends_with("\n\n"));
        const recording seen = run_feed({wire});
        std::string joined;
        for (const std::string& comment : seen.comments) {
            joined += joined.empty() && &comment == seen.comments.data() ? "" : "\n";
            joined += comment.empty() ? "" : comment.substr(1); // the space that we have put there
        }
        CHECK(joined == with_lf(text));
        CHECK(seen.order == std::string(seen.comments.size(), 'c'));
        for (std::size_t room = 0; room < wire.size(); ++room) {
            std::string buffer(room + 4, '#');
            const auto refused =
                ssekit::encode_comment_to(buffer.data(), buffer.data() + room, text);
            CHECK(refused.ec == errc::buffer_too_small);
            CHECK(refused.ptr == buffer.data());
            CHECK(buffer == std::string(room + 4, '#'));
        }
    }
}

TEST_CASE("the heartbeat is the empty comment and changes nothing for a client") {
    std::array<char, 3> wire{};
    CHECK(ssekit::encode_comment_to(wire.data(), wire.data() + wire.size(), "").ec == errc::ok);
    CHECK(std::string_view(wire.data(), wire.size()) == ssekit::heartbeat_comment);

    std::string stream = encode({.id = "1", .type = "t", .data = "x"});
    stream += ssekit::heartbeat_comment;
    stream += encode({.data = "y"});
    const recording seen = run_feed({stream});
    REQUIRE(seen.events.size() == 2);
    CHECK(seen.events[1] == seen_event{"message", "y", "1"});
}

TEST_CASE("an event longer than the blocks of the scan comes back") {
    for (const std::size_t size : {63U, 64U, 65U, 255U, 256U, 257U, 5000U, 100000U}) {
        for (const std::string_view end : {"", "\n", "\r", "\r\n"}) {
            owned_event event{.id = "7", .type = "long", .data = std::string(size, 'x')};
            event.data->append(end).append(size, 'y');
            check_arrives(encode(event.view()), event, utf8_policy::replace);
        }
    }
}

TEST_CASE("encoding allocates nothing") {
    const event_view event{.id = "1", .type = "t", .data = "a\nb\xFF", .retry = 5ms};
    std::array<char, 200> buffer{};
    for (const utf8_policy utf8 : {utf8_policy::pass_through, utf8_policy::replace}) {
        const allocation_watch watch;
        const auto result =
            ssekit::encode_to(buffer.data(), buffer.data() + buffer.size(), event, utf8);
        const std::size_t size = ssekit::encoded_size(event, utf8);
        const std::size_t allocations = watch.allocations();
        CHECK(result.ptr == buffer.data() + size);
        if (counts_allocations) CHECK(allocations == 0);
    }
}

TEST_CASE("encoding works while compiling") {
    constexpr auto wire = [] {
        std::array<char, 64> buffer{};
        const event_view event{.id = "1", .type = "t", .data = "a\r\nb", .retry = 20ms};
        const auto result = ssekit::encode_to(buffer.data(), buffer.data() + 64, event);
        buffer[static_cast<std::size_t>(result.ptr - buffer.data())] = '|';
        return buffer;
    };
    constexpr std::array<char, 64> bytes = wire();
    static_assert(std::string_view(bytes.data(), 64)
                      .starts_with("id: 1\nevent: t\nretry: 20\n"
                                   "data: a\ndata: b\n\n|"));
    static_assert(ssekit::encoded_size({.data = "x"}) == 9);
    static_assert(ssekit::encoded_size({.data = "\xFF"}, utf8_policy::replace) == 11);
    static_assert(ssekit::encoded_comment_size("") == 3);
    static_assert([] {
        ssekit::detail::counting_out out;
        ssekit::data_writer(out, {.type = "t"}).write("a\n").finish();
        return out.size;
    }() == std::string_view("event: t\ndata: a\ndata: \n\n").size());
    static_assert(noexcept(ssekit::encode_to(nullptr, nullptr, {})));
    static_assert(noexcept(ssekit::encoded_size({})));
}

TEST_CASE("the worst event of each size is refused by one byte of room less than it takes") {
    const auto check = [](const event_view& event, utf8_policy utf8) {
        const std::size_t size = ssekit::encoded_size(event, utf8);
        std::string buffer(size + 8, '#');
        for (const std::size_t room : {size - 1, size - size / 8, size - size / 4}) {
            const auto refused =
                ssekit::encode_to(buffer.data(), buffer.data() + room, event, utf8);
            REQUIRE(refused.ec == errc::buffer_too_small);
            REQUIRE(refused.ptr == buffer.data());
            REQUIRE(buffer == std::string(size + 8, '#'));
        }
        const auto fits = ssekit::encode_to(buffer.data(), buffer.data() + size, event, utf8);
        REQUIRE(fits.ec == errc::ok);
        REQUIRE(fits.ptr == buffer.data() + size);
        REQUIRE(std::string_view(buffer).substr(size) == "########");
        // With room for anything it is not counted first, and is the same.
        std::string roomy(7 * size + 200, '#');
        REQUIRE(ssekit::encode_to(roomy.data(), roomy.data() + roomy.size(), event, utf8).ptr ==
                roomy.data() + size);
        REQUIRE(std::string_view(roomy).substr(0, size) ==
                std::string_view(buffer).substr(0, size));
    };
    for (std::size_t n = 1; n < 400; n += n < 20 ? 1 : 37) {
        CAPTURE(n);
        const std::string lines(n, '\n');
        const std::string broken(n, '\xff');
        check({.data = lines}, utf8_policy::pass_through);
        check({.data = lines}, utf8_policy::replace);
        check({.data = broken}, utf8_policy::replace);
        check({.id = broken, .data = ""}, utf8_policy::replace);
        check({.type = broken, .data = ""}, utf8_policy::replace);
        check({.id = broken,
               .type = broken,
               .data = lines,
               .retry = std::chrono::milliseconds((std::numeric_limits<std::int64_t>::max)())},
              utf8_policy::replace);
    }
}

TEST_CASE("a text that is too long for sizes is refused before a byte is read or written") {
    const char byte = 'x';
    const std::size_t most = static_cast<std::size_t>(-1);
    std::string buffer(256, '#');
    for (const std::size_t size : {most, most / 2, most / 3 + 2, most / 7 + 2, most / 16 + 1}) {
        CAPTURE(size);
        const std::string_view huge(&byte, size);
        for (const event_view& event : {event_view{.data = huge}, event_view{.id = huge},
                                        event_view{.type = huge, .data = ""}}) {
            const auto refused =
                ssekit::encode_to(buffer.data(), buffer.data() + buffer.size(), event);
            CHECK(refused.ec == errc::data_too_long);
            CHECK(refused.ptr == buffer.data());
            CHECK(ssekit::encoded_size(event) == 0);
            std::string out = "as before";
            CHECK(ssekit::append_to(out, event) == errc::data_too_long);
            CHECK(out == "as before");
        }
        const auto refused =
            ssekit::encode_comment_to(buffer.data(), buffer.data() + buffer.size(), huge);
        CHECK(refused.ec == errc::comment_too_long);
        CHECK(refused.ptr == buffer.data());
        CHECK(ssekit::encoded_comment_size(huge) == 0);
    }
    CHECK(buffer == std::string(256, '#'));
}

namespace {

/// A container that says it is nearly as large as a size can count.
struct nearly_full {
    bool resized = false;
    [[nodiscard]] std::size_t size() const { return static_cast<std::size_t>(-1) - 8; }
    [[nodiscard]] char* data() { return nullptr; }
    void resize(std::size_t) { resized = true; }
};

} // namespace

TEST_CASE("appending never makes a container smaller because its size has wrapped") {
    nearly_full out;
    CHECK(ssekit::append_to(out, {.data = "x"}) == errc::data_too_long); // 9 bytes
    CHECK_FALSE(out.resized);
}

TEST_CASE("what is appended may lie in the container itself") {
    for (const std::size_t size : {0U, 1U, 7U, 15U, 16U, 100U, 5000U}) {
        CAPTURE(size);
        std::string text(size, 'a');
        for (std::size_t i = 3; i < size; i += 7) text[i] = 'b';
        text.shrink_to_fit();
        const std::string before = text;

        std::string out = text;
        out.shrink_to_fit();
        CHECK(ssekit::append_to(out, {.data = out}) == errc::ok);
        CHECK(out == before + encode({.data = before}));

        std::vector<char> bytes(before.begin(), before.end());
        const std::string_view all(bytes.data(), bytes.size());
        const std::size_t half = size / 2;
        CHECK(ssekit::append_to(
                  bytes, {.id = all.substr(0, half), .type = all.substr(half), .data = all}) ==
              errc::ok);
        CHECK(std::string(bytes.begin(), bytes.end()) ==
              before +
                  encode(
                      {.id = before.substr(0, half), .type = before.substr(half), .data = before}));
    }
}

TEST_CASE("a sink that wants to know is told of each event and of what is wrong with it") {
    struct {
        std::string bytes = {};
        std::vector<errc> heads = {};
        void append(const char* text, std::size_t size) { bytes.append(text, size); }
        void begin_block(errc head) { heads.push_back(head); }
    } out;
    ssekit::data_writer(out, {.type = "t"}).finish();
    ssekit::data_writer(out, {.id = "1\r"}).finish();
    CHECK(out.heads == std::vector{errc::ok, errc::invalid_id});
    CHECK(out.bytes == "event: t\ndata: \n\n");
}
