// SPDX-License-Identifier: MIT
#include "support/cases.hpp"

#include <doctest/doctest.h>

#include <cstdint>
#include <string>
#include <vector>

using namespace support;

namespace {

std::vector<std::int64_t> retries_of(const json::value* list) {
    std::vector<std::int64_t> times;
    if (list == nullptr) return times;
    for (const json::value& item : list->items) times.push_back(item.integer());
    return times;
}

// What the call for this one chunk has delivered: no later, no earlier.
template <class Recorder>
void check_through_feed(const json::value& test) {
    ssekit::parser parser;
    for (const json::value& part : test.at("chunks").items) {
        const std::string input = input_of(part);
        INFO(in_quotes(input));
        recording seen;
        Recorder sink{parser, seen};
        ssekit::feed(parser, lone_chunk(input).view(), sink);
        CHECK(events_of(seen) == events_of(part.find("events")));
        CHECK(seen.ids == strings_of(part.find("ids")));
        CHECK(seen.retries == retries_of(part.find("retries")));
        CHECK(seen.comments == strings_of(part.find("comments")));
        CHECK(seen.errors.empty());
    }
    CHECK((parser.finish() == ssekit::errc::incomplete) ==
          (test.at("end").string() == "incomplete"));
}

void check_through_next(const json::value& test) {
    ssekit::parser parser;
    for (const json::value& part : test.at("chunks").items) {
        const lone_chunk chunk(input_of(part));
        recording seen;
        recorder sink{parser, seen};
        std::string_view input = chunk.view();
        while (const ssekit::event_view* const event = parser.next(input)) sink.on_event(*event);
        CHECK(input.empty());
        CHECK(parser.error() == ssekit::errc::ok);
        CHECK(events_of(seen) == events_of(part.find("events")));
    }
    CHECK((parser.finish() == ssekit::errc::incomplete) ==
          (test.at("end").string() == "incomplete"));
}

} // namespace

TEST_CASE("every chunk case delivers with the chunk that brings the last necessary byte") {
    const auto cases = load_cases("chunk-cases.json");
    CHECK(cases.size() == 26);
    for (const json::value& test : cases) {
        INFO(name_of(test));
        check_through_feed<recorder>(test);
        check_through_next(test);
    }
}
