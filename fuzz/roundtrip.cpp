// SPDX-License-Identifier: MIT
//
// For any fields and any policy:
// - an event is either refused, and then nothing is written, or a parser reads back exactly its
//   fields, with the line ends of the data turned into LF, and nothing else;
// - encode_to writes encoded_size bytes, whatever room there is after them, and nothing into less;
// - a data_writer gives the bytes of encode_to however its data is cut;
// - a comment is never more than comments.
// And for any stream: its events, encoded again, parse to the same events, and encode to the same
// bytes once more.
#include "check.hpp"

#include "support/owned_event.hpp"
#include "support/recorder.hpp"
#include "support/reference_utf8.hpp"
#include "support/splits.hpp"

#include <ssekit/encoder.hpp>
#include <ssekit/parser.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace {

using namespace support;
using ssekit::encode_options;
using ssekit::errc;
using ssekit::utf8_policy;

ssekit::parser_options reading(utf8_policy utf8) {
    constexpr std::size_t enough = std::size_t{1} << 24;
    return {.limits = {.data = enough, .id = enough, .type = enough, .comment = enough},
            .utf8 = utf8};
}

bool malformed(std::string_view text) {
    return reference_decode_utf8(text).first_malformed.has_value();
}

errc verdict(const owned_event& event, utf8_policy utf8) {
    const auto has = [](std::string_view text, std::string_view bytes) {
        return text.find_first_of(bytes) != text.npos;
    };
    if (event.id && has(*event.id, {"\r\n\0", 3})) return errc::invalid_id;
    if (event.retry && event.retry->count() < 0) return errc::invalid_retry;
    if (has(event.type, "\r\n")) return errc::invalid_type;
    if (!event.id && !event.data && !event.retry) return errc::nothing_to_send;
    const bool right = !malformed(event.type) && !malformed(event.id.value_or("")) &&
                       !malformed(event.data.value_or(""));
    return right || utf8 != utf8_policy::report ? errc::ok : errc::malformed_utf8;
}

void check_data_writer(const owned_event& event, ssekit::field_order order, const std::string& wire,
                       std::uint32_t seed) {
    ssekit::event_view head = event.view();
    head.data.reset();
    std::string out;
    ssekit::data_writer writer(out, head, order);
    for (const std::string_view piece : randomly_cut(*event.data, seed)) writer.write(piece);
    writer.finish();
    fuzz::check(out == wire, "a data_writer gives the bytes of encode_to");
}

void check_sizes(const ssekit::event_view& event, encode_options how, const std::string& wire,
                 std::size_t missing) {
    fuzz::check(ssekit::encoded_size(event, how) == wire.size(), "encoded_size is the size");
    std::string buffer(wire.size() + 1, '#');
    auto result = ssekit::encode_to(buffer.data(), buffer.data() + wire.size(), event, how);
    fuzz::check(result.ec == errc::ok && result.ptr == buffer.data() + wire.size() &&
                    buffer == wire + "#",
                "encode_to writes what append_to appends, and no more");
    const std::size_t room = wire.size() - 1 - missing % wire.size();
    std::vector<char> small(room, '#');
    result = ssekit::encode_to(small.data(), small.data() + room, event, how);
    fuzz::check(result.ec == errc::buffer_too_small && result.ptr == small.data() &&
                    small == std::vector<char>(room, '#'),
                "nothing is written into too small a buffer");
}

void check_event(const owned_event& event, encode_options how, std::uint32_t seed) {
    const utf8_policy utf8 = how.utf8;
    std::string wire = "#";
    const errc code = ssekit::append_to(wire, event.view(), how);
    fuzz::check(code == verdict(event, utf8), "what cannot be represented is refused");
    if (code != errc::ok) {
        fuzz::check(wire == "#", "nothing is written of a refused event");
        fuzz::check(ssekit::encoded_size(event.view(), how) == 0, "refused events have no size");
        return;
    }
    wire.erase(0, 1);
    owned_event sent = event;
    if (utf8 == utf8_policy::replace) {
        if (sent.id) sent.id = reference_decode_utf8(*sent.id).text;
        sent.type = reference_decode_utf8(sent.type).text;
        if (sent.data) sent.data = reference_decode_utf8(*sent.data).text;
    }
    recording expected = received(sent);
    expected.offset = wire.size();
    fuzz::check_same(run_feed({wire}, reading(utf8_policy::pass_through)), expected,
                     "a parser reads back what was encoded");
    check_sizes(event.view(), how, wire, seed);
    if (event.data && utf8 != utf8_policy::replace) check_data_writer(event, how.order, wire, seed);
}

void check_comment(std::string_view text) {
    std::string wire(ssekit::encoded_comment_size(text), '#');
    const auto result = ssekit::encode_comment_to(wire.data(), wire.data() + wire.size(), text);
    fuzz::check(result.ec == errc::ok && result.ptr == wire.data() + wire.size(),
                "encoded_comment_size is enough");
    const recording seen = run_feed({"data: open\n" + wire + "data: next\n\n"}, reading({}));
    fuzz::check(seen.events.size() == 2 && seen.events[0].data == "open" &&
                    seen.order == std::string(seen.comments.size(), 'c') + "ee",
                "a comment adds nothing to an event and is nothing but comments");
    std::string line(ssekit::encoded_comment_size(text, ssekit::comment_form::line), '#');
    const auto other = ssekit::encode_comment_to(line.data(), line.data() + line.size(), text,
                                                 ssekit::comment_form::line);
    fuzz::check(other.ec == errc::ok && line + "\n" == wire,
                "one that ends with its line lacks the blank line alone");
}

recording run_encoded(const recording& seen, std::string& wire) {
    for (const seen_event& event : seen.events) {
        owned_event again{.id = event.id, .type = event.type, .data = event.data};
        if (event.retry) again.retry = std::chrono::milliseconds(*event.retry);
        fuzz::check(ssekit::append_to(wire, again.view(), utf8_policy::report) == errc::ok,
                    "what was parsed can be encoded");
    }
    return run_feed({wire}, reading(utf8_policy::report));
}

void check_stream(std::string_view stream) {
    const recording first = run_feed({stream}, reading(utf8_policy::replace));
    std::string wire;
    const recording second = run_encoded(first, wire);
    std::string again;
    const recording third = run_encoded(second, again);
    fuzz::check(first.events.size() == second.events.size(), "no event is lost or added");
    for (std::size_t i = 0; i < first.events.size(); ++i) {
        seen_event expected = first.events[i];
        expected.last_event_id = second.events[i].last_event_id; // of blocks that were no events
        fuzz::check_same(second.events[i], expected, "parse, encode, parse gives the same events");
    }
    fuzz::check(wire == again, "encoding what was encoded gives the same bytes");
    fuzz::check_same(third, second, "and so on");
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    fuzz::choices choose(data, size);
    const auto utf8 = static_cast<utf8_policy>(choose.below(3));
    const auto seed = static_cast<std::uint32_t>(choose.below(256));
    owned_event event;
    if (choose.flag()) event.id = choose.take(choose.below(16));
    event.type = choose.take(choose.below(16));
    if (choose.flag()) {
        std::uint64_t bits = 0;
        for (std::size_t n = choose.below(9); n > 0; --n) bits = bits << 8 | choose.below(256);
        event.retry = std::chrono::milliseconds(static_cast<std::int64_t>(bits));
    }
    const bool has_data = choose.flag();
    const std::string_view rest = choose.rest();
    if (has_data) event.data = rest;

    check_event(event, {utf8, static_cast<ssekit::field_order>(seed % 2)}, seed);
    check_comment(rest);
    check_stream(rest);
    return 0;
}
