// SPDX-License-Identifier: MIT
#include <ssekit/journal_entry.hpp>

#include "support/dice.hpp"

#include <doctest/doctest.h>

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <set>
#include <string>
#include <string_view>
#include <vector>

using ssekit::append_entry;
using ssekit::entry_fault;
using ssekit::entry_reader;
using ssekit::errc;
using ssekit::event_target;
using ssekit::journal_entry;
using std::chrono::milliseconds;

namespace {

std::string entry_bytes(const journal_entry& entry) {
    std::string out;
    CHECK(append_entry(out, entry) == errc::ok);
    return out;
}

errc entry_error(const journal_entry& entry) {
    std::string out = "before";
    const errc code = append_entry(out, entry);
    CHECK((code == errc::ok || out == "before"));
    return code;
}

bool same_entry(const journal_entry& a, const journal_entry& b) {
    const ssekit::topic_list& names = a.target.names();
    bool same = a.target.kind() == b.target.kind() && names.size() == b.target.names().size();
    for (std::size_t i = 0; same && i < names.size(); ++i) same = names[i] == b.target.names()[i];
    same = same && a.target.keep_for() == b.target.keep_for();
    return same && a.event.id == b.event.id && a.event.type == b.event.type &&
           a.event.data == b.event.data && a.event.retry == b.event.retry &&
           a.key.view() == b.key.view() && a.key.removes() == b.key.removes();
}

void comes_back(const journal_entry& entry) {
    const std::string bytes = entry_bytes(entry);
    entry_reader reader;
    REQUIRE(reader.read(bytes) == entry_fault::none);
    CHECK(same_entry(reader.entry(), entry));
}

} // namespace

TEST_CASE("an entry comes back as it was, for whomever it is") {
    comes_back({.target = "a", .event = {.data = "x"}});
    comes_back({.target = {"a", "b", "c"}, .event = {.type = "t", .data = ""}, .key = "k"});
    comes_back({.target = event_target::to_tag("user 7"), .event = {.data = "a\r\nb"}});
    comes_back({.target = event_target::to_all(), .event = {.retry = milliseconds(1)}});
    comes_back({.target = event_target::to_all(),
                .event = {.data = "x", .retry = milliseconds(0x7fff'ffff)}});
    comes_back({.target = "a", .event = {.data = "gone"}, .key = ssekit::removal_of("k")});
    comes_back({.target = event_target::closing("a", milliseconds(0))});
    comes_back(
        {.target = event_target::closing("a", milliseconds::max()), .event = {.data = "bye"}});
    const std::string every("\0\r\n\xff", 4);
    const std::string name(0xffff, 'n');
    comes_back({.target = name,
                .event = {.type = std::string_view("\0t", 2), .data = every},
                .key = name});
    const std::vector<std::string> names(ssekit::most_entry_names, "t");
    comes_back({.target = names, .event = {.data = "x"}});
}

TEST_CASE("the bytes of an entry are those of the table") {
    CHECK(entry_bytes({.target = {"ab", "c"}, .event = {.type = "t", .data = "xyz"}, .key = "k"}) ==
          std::string("\1\1\1\2\0\2\0ab\1\0c\1\0k\1\0\0\0txyz", 23));
    CHECK(entry_bytes({.target = event_target::closing("a", milliseconds(258)),
                       .event = {.data = "", .retry = milliseconds(0x1234)}}) ==
          std::string("\1\4\3\1\0\1\0a\0\0\0\0\0\0\x34\x12\0\0\2\1\0\0\0\0\0\0", 26));
}

TEST_CASE("an entry that a hub would refuse is not written") {
    CHECK(entry_error({.target = "a", .event = {.id = "1", .data = "x"}}) == errc::id_is_assigned);
    CHECK(entry_error({.target = "a"}) == errc::nothing_to_send);
    CHECK(entry_error({.target = "a", .event = {.data = "x"}, .key = ssekit::removal_of("")}) ==
          errc::key_is_missing);
    CHECK(entry_error({.target = "a", .event = {.type = "a\nb", .data = "x"}}) ==
          errc::invalid_type);
    CHECK(entry_error({.target = "a", .event = {.retry = milliseconds(0)}}) == errc::invalid_retry);
    CHECK(entry_error({.target = "a", .event = {.retry = milliseconds(0x8000'0000)}}) ==
          errc::invalid_retry);
    CHECK(entry_error({.event = {.data = "x"}}) == errc::invalid_topic);
    CHECK(entry_error({.target = "", .event = {.data = "x"}}) == errc::invalid_topic);
    CHECK(entry_error({.target = ssekit::topic_list(), .event = {.data = "x"}}) ==
          errc::invalid_topic);
    CHECK(entry_error({.target = event_target::to_tag(""), .event = {.data = "x"}}) ==
          errc::invalid_topic);
    const std::string long_name(0x10000, 'n');
    CHECK(entry_error({.target = long_name, .event = {.data = "x"}}) == errc::label_too_long);
    CHECK(entry_error({.target = "a", .event = {.data = "x"}, .key = long_name}) ==
          errc::label_too_long);
    const std::vector<std::string> names(ssekit::most_entry_names + 1, "t");
    CHECK(entry_error({.target = names, .event = {.data = "x"}}) == errc::too_many_topics);
}

TEST_CASE("bytes of somebody else are told apart, and none is believed") {
    entry_reader reader;
    const auto read = [&](std::string_view bytes) { return reader.read(bytes); };
    CHECK(read("") == entry_fault::empty);
    CHECK(read("{\"json\": 1}") == entry_fault::newer);
    CHECK(read("\2\1\1") == entry_fault::newer);
    CHECK(read(std::string_view("\1\5\1\1\0\1\0a\0\0\0\0\0\0x", 15)) == entry_fault::newer);
    CHECK(read(std::string_view("\1\0\1\1\0\1\0a\0\0\0\0\0\0x", 15)) == entry_fault::newer);
    CHECK(read(std::string_view("\1\1\x08\1\0\1\0a\0\0\0\0\0\0x", 15)) == entry_fault::newer);
    CHECK(read(std::string_view("\1\1\1\1\0\1\0a\0\0\0\0\0\0x", 15)) == entry_fault::none);
    CHECK(reader.entry().event.data == "x");
    // No topic; an empty one; a length beyond the end; a line break in the type; bytes too many.
    CHECK(read(std::string_view("\1\1\1\0\0\0\0\0\0\0\0x", 12)) == entry_fault::malformed);
    CHECK(read(std::string_view("\1\1\1\1\0\0\0\0\0\0\0\0\0x", 14)) == entry_fault::malformed);
    CHECK(read(std::string_view("\1\1\1\1\0\xff\xff"
                                "a\0\0\0\0\0\0x",
                                15)) == entry_fault::malformed);
    CHECK(read(std::string_view("\1\1\1\1\0\1\0a\0\0\xff\xff\xff\xffx", 15)) ==
          entry_fault::malformed);
    CHECK(read(std::string_view("\1\1\1\1\0\1\0a\0\0\1\0\0\0\nx", 16)) == entry_fault::malformed);
    CHECK(read(std::string_view("\1\1\2\1\0\1\0a\0\0\0\0\0\0\1\0\0\0x", 19)) ==
          entry_fault::malformed);
    CHECK(read(std::string_view("\1\1\1\xff\xff\1\0a\0\0\0\0\0\0x", 15)) == entry_fault::malformed);
}

TEST_CASE("an entry that is cut off is malformed, but for its data, which has no length") {
    const journal_entry whole{.target = event_target::closing("topic"),
                              .event = {.type = "type", .data = "data", .retry = milliseconds(5)},
                              .key = "key"};
    const std::string bytes = entry_bytes(whole);
    entry_reader reader;
    for (std::size_t size = 1; size < bytes.size() - 4; ++size) {
        CAPTURE(size);
        CHECK(reader.read(std::string_view(bytes).substr(0, size)) == entry_fault::malformed);
    }
    CHECK(reader.read(std::string_view(bytes).substr(0, bytes.size() - 2)) == entry_fault::none);
    CHECK(reader.entry().event.data == "da");
}

TEST_CASE("whatever the bytes are, what is read can be written, and is read again") {
    support::dice dice(18);
    entry_reader reader;
    std::size_t right = 0;
    for (int round = 0; round < 20000; ++round) {
        std::string bytes = entry_bytes({.target = dice.one_in(2) ? event_target::to_tag("name")
                                                                  : event_target::closing("name"),
                                         .event = {.type = "type", .data = "some data"},
                                         .key = "key"});
        for (std::size_t changes = dice.below(4); changes != 0; --changes) {
            bytes[dice.below(bytes.size())] = dice.byte();
        }
        bytes.resize(bytes.size() - dice.below(3));
        if (reader.read(bytes) != entry_fault::none) continue;
        ++right;
        std::string again;
        REQUIRE(append_entry(again, reader.entry()) == errc::ok);
        entry_reader other;
        REQUIRE(other.read(again) == entry_fault::none);
        CHECK(same_entry(other.entry(), reader.entry()));
    }
    CHECK(right > 1000);
}

TEST_CASE("each fault has words of its own") {
    std::set<std::string_view> seen;
    for (int i = 0; i <= int(entry_fault::malformed); ++i) {
        seen.insert(ssekit::message(static_cast<entry_fault>(i)));
    }
    CHECK(seen.size() == 4);
    CHECK(ssekit::message(static_cast<entry_fault>(99)) == "unknown");
}
