// SPDX-License-Identifier: MIT
#include "support/cases.hpp"
#include "support/reference_parser.hpp"

#include <doctest/doctest.h>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

using namespace support;

namespace {

struct expectation {
    explicit expectation(const json::value& exp)
        : events(events_of(&exp.at("events"))), last_event_id(exp.at("last").string()),
          comments(strings_of(&exp.at("comments"))) {
        if (!exp.at("retry").is_null()) retry = exp.at("retry").integer();
    }

    std::vector<expected_event> events;
    std::optional<std::int64_t> retry;
    std::string last_event_id;
    std::vector<std::string> comments;
};

void check_seen(const recording& seen, const expectation& expected) {
    CHECK(events_of(seen) == expected.events);
    CHECK((seen.retry == expected.retry));
    CHECK(seen.last_event_id == expected.last_event_id);
    CHECK(seen.errors.empty());
}

template <class Check>
void for_each_case_and_split(Check&& check) {
    for (const json::value& test : load_cases("parser-cases.json")) {
        INFO(name_of(test));
        const std::string input = input_of(test);
        const expectation expected(test.at("exp"));
        for_each_split(input, [&](const chunks& pieces, const std::string& how) {
            INFO(how);
            for (const memory where : {memory::heap, memory::of_the_caller}) {
                INFO((where == memory::heap ? "heap" : "memory of the caller"));
                check(pieces, where, expected);
            }
        });
    }
}

// Large enough for every case, small enough to be allocated for each of them.
ssekit::parser_options small_memory() {
    return {.limits = {.data = 512, .id = 64, .type = 64, .comment = 128}};
}

} // namespace

TEST_CASE("every parser case comes out of next the same in every split") {
    for_each_case_and_split([](const chunks& pieces, memory where, const expectation& expected) {
        check_seen(run_next(pieces, small_memory(), where), expected);
    });
}

TEST_CASE("every parser case comes out of feed the same in every split") {
    for_each_case_and_split([](const chunks& pieces, memory where, const expectation& expected) {
        const recording seen = run_feed(pieces, small_memory(), where);
        check_seen(seen, expected);
        CHECK(seen.comments == expected.comments);
        CHECK((seen.retries.empty() ? expected.retry == std::nullopt
                                    : seen.retries.back() == expected.retry));
    });
}

TEST_CASE("every parser case comes out of on_data_chunk the same in every split") {
    for_each_case_and_split([](const chunks& pieces, memory where, const expectation& expected) {
        const recording seen = run_feed<data_chunk_recorder>(pieces, small_memory(), where);
        check_seen(seen, expected);
        CHECK(seen.comments == expected.comments);
    });
}

TEST_CASE("the reference parser passes every parser case") {
    for (const json::value& test : load_cases("parser-cases.json")) {
        INFO(name_of(test));
        const expectation expected(test.at("exp"));
        const recording seen = reference_parser::run(input_of(test));
        check_seen(seen, expected);
        CHECK(seen.comments == expected.comments);
    }
}

TEST_CASE("no parser case has been lost") {
    CHECK(load_cases("parser-cases.json").size() == 130 + 10);
}
