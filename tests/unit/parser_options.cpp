// SPDX-License-Identifier: MIT
#include <ssekit/parser_options.hpp>

#include <ssekit/parser.hpp>

#include <doctest/doctest.h>

#include <string>
#include <string_view>

namespace {

/// The data of the events, each ended by a bar.
std::string data_of(const ssekit::parser_options& options, std::string_view stream) {
    std::string out;
    ssekit::parser parser(options);
    parser.feed(stream, [&](const ssekit::event_view& event) {
        out.append(event.data.value_or("")) += '|';
    });
    return out;
}

} // namespace

TEST_CASE("a byte order mark is dropped once, and kept where the stream was decoded before") {
    constexpr std::string_view stream = "\xEF\xBB\xBF"
                                        "data: 1\n\ndata: 2\n\n";
    CHECK(data_of({}, stream) == "1|2|");
    CHECK(data_of({.strip_bom = false}, stream) == "2|"); // the first line has another name
}

TEST_CASE("what is not UTF-8 is replaced, passed on or an error, as the options say") {
    constexpr std::string_view stream = "data: \xFF\n\ndata: 2\n\n";
    CHECK(data_of({}, stream) == "\xEF\xBF\xBD|2|");
    CHECK(data_of({.utf8 = ssekit::utf8_policy::pass_through}, stream) == "\xFF|2|");
    CHECK(data_of({.utf8 = ssekit::utf8_policy::report}, stream) == "2|");
}

TEST_CASE("a limit passes a value of its size and nothing longer") {
    const ssekit::parser_options options{.limits = {.data = 3}};
    CHECK(data_of(options, "data: 123\n\ndata: 1234\n\ndata: 5\n\n") == "123|5|");
}
