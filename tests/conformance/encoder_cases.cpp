// SPDX-License-Identifier: MIT
#include "support/cases.hpp"
#include "support/owned_event.hpp"

#include <ssekit/encoder.hpp>

#include <doctest/doctest.h>

#include <array>
#include <chrono>
#include <cstddef>
#include <string>
#include <utility>
#include <vector>

using namespace support;
using ssekit::errc;
using ssekit::utf8_policy;

namespace {

utf8_policy policy_of(const json::value& test) {
    const json::value* const name = test.find("utf8");
    if (name == nullptr || name->string() == "pass_through") return utf8_policy::pass_through;
    if (name->string() == "replace") return utf8_policy::replace;
    if (name->string() == "report") return utf8_policy::report;
    json::give_up("no such policy: " + name->string());
}

errc errc_of(const std::string& name) {
    constexpr std::array names{
        std::pair{"invalid_id", errc::invalid_id},
        std::pair{"invalid_type", errc::invalid_type},
        std::pair{"invalid_retry", errc::invalid_retry},
        std::pair{"malformed_utf8", errc::malformed_utf8},
        std::pair{"nothing_to_send", errc::nothing_to_send},
    };
    for (const auto& [known, code] : names) {
        if (name == known) return code;
    }
    json::give_up("no such error: " + name);
}

owned_event event_of(const json::value& fields) {
    owned_event event;
    if (const auto* member = fields.find("id")) event.id = json::bytes_of(*member);
    if (const auto* member = fields.find("type")) event.type = json::bytes_of(*member);
    if (const auto* member = fields.find("data")) event.data = json::bytes_of(*member);
    if (const auto* member = fields.find("retry")) {
        event.retry = std::chrono::milliseconds(member->integer());
    }
    return event;
}

constexpr char guard = '\x5A';

/// Encodes into every size of buffer, from none to one byte more than needed.
template <class Encode>
void check_every_size(const std::string& wire, Encode&& encode) {
    for (std::size_t size = 0; size <= wire.size() + 1; ++size) {
        INFO("a buffer of " << size << " bytes");
        std::string buffer(wire.size() + 2, guard);
        const ssekit::encode_result result = encode(buffer.data(), buffer.data() + size);
        std::string expected(wire.size() + 2, guard);
        if (size >= wire.size()) expected.replace(0, wire.size(), wire);
        CHECK(buffer == expected);
        CHECK(result.ec == (size < wire.size() ? errc::buffer_too_small : errc::ok));
        CHECK(result.ptr - buffer.data() == (size < wire.size() ? 0 : std::ssize(wire)));
    }
}

void check_refused(const ssekit::event_view& event, utf8_policy utf8, errc code) {
    std::string buffer(1000, guard);
    const auto result =
        ssekit::encode_to(buffer.data(), buffer.data() + buffer.size(), event, utf8);
    CHECK(result.ec == code);
    CHECK(result.ptr == buffer.data());
    CHECK(buffer == std::string(1000, guard));
    CHECK(ssekit::encoded_size(event, utf8) == 0);
    std::string out = "before";
    CHECK(ssekit::append_to(out, event, utf8) == code);
    CHECK(out == "before");
}

void check_wire(const ssekit::event_view& event, utf8_policy utf8, const std::string& wire) {
    CHECK(ssekit::encoded_size(event, utf8) == wire.size());
    check_every_size(
        wire, [&](char* first, char* last) { return ssekit::encode_to(first, last, event, utf8); });
    std::string text = "before";
    CHECK(ssekit::append_to(text, event, utf8) == errc::ok);
    CHECK(text == "before" + wire);
    std::vector<char> bytes;
    CHECK(ssekit::append_to(bytes, event, utf8) == errc::ok);
    CHECK(std::string(bytes.begin(), bytes.end()) == wire);
}

void check_data_writer(const ssekit::event_view& event, const std::string& wire) {
    for (std::size_t step = 1; step <= event.data->size() + 1; ++step) {
        INFO("written " << step << " bytes at a time");
        ssekit::event_view head = event;
        head.data.reset();
        std::string out;
        ssekit::data_writer writer(out, head);
        for (const std::string_view piece : in_pieces_of(step, *event.data)) writer.write(piece);
        writer.finish();
        CHECK(writer.error() == errc::ok);
        CHECK(out == wire);
    }
}

} // namespace

TEST_CASE("every encoder case gives exactly its bytes or is refused before the first") {
    const auto cases = load_cases("encoder-cases.json");
    CHECK(cases.size() == 36);
    for (const json::value& test : cases) {
        INFO(name_of(test));
        const utf8_policy utf8 = policy_of(test);
        if (const json::value* const comment = test.find("comment")) {
            const std::string wire = json::bytes_of(test.at("wire"));
            CHECK(ssekit::encoded_comment_size(comment->string()) == wire.size());
            check_every_size(wire, [&](char* first, char* last) {
                return ssekit::encode_comment_to(first, last, comment->string());
            });
            continue;
        }
        const owned_event event = event_of(test.at("event"));
        if (const json::value* const refused = test.find("refused")) {
            check_refused(event.view(), utf8, errc_of(refused->string()));
            continue;
        }
        const std::string wire = json::bytes_of(test.at("wire"));
        check_wire(event.view(), utf8, wire);
        if (event.data && utf8 != utf8_policy::replace) check_data_writer(event.view(), wire);
    }
}

TEST_CASE("a data writer writes nothing of a head that is refused") {
    for (const json::value& test : load_cases("encoder-cases.json")) {
        const json::value* const refused = test.find("refused");
        if (refused == nullptr || !refused->string().starts_with("invalid")) continue;
        INFO(name_of(test));
        const owned_event event = event_of(test.at("event"));
        std::string out = "before";
        ssekit::data_writer writer(out, event.view());
        writer.write("more\n");
        writer.finish();
        CHECK(writer.error() == errc_of(refused->string()));
        CHECK(out == "before");
    }
}
