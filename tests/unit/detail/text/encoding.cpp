// SPDX-License-Identifier: MIT
#include <ssekit/detail/text/encoding.hpp>

#include <doctest/doctest.h>

#include <chrono>
#include <cstddef>
#include <initializer_list>
#include <string>
#include <string_view>

using namespace ssekit::detail;
using namespace std::chrono_literals;
using ssekit::errc;
using ssekit::event_view;
using ssekit::utf8_policy;

namespace {

struct string_out {
    std::string text = {};
    void append(const char* bytes, std::size_t size) { text.append(bytes, size); }
};

} // namespace

TEST_CASE("what is measured is what is written, and data that is the same is known to be so") {
    const auto check = [](const event_view& event, utf8_policy utf8, bool as_it_is) {
        REQUIRE(admit(event, utf8) == errc::ok);
        string_out out;
        put_event(out, event, utf8);
        const measured_event measured = measure(event, utf8);
        CHECK(measured.size == out.text.size());
        CHECK(measured.as_it_is == as_it_is);
        string_out again;
        put_event(again, event, utf8, measured.as_it_is);
        CHECK(again.text == out.text);
        return out.text;
    };
    CHECK(check({.data = "x"}, utf8_policy::pass_through, true) == "data: x\n\n");
    CHECK(check({.data = ""}, utf8_policy::pass_through, true) == "data: \n\n");
    CHECK(check({.data = "\n"}, utf8_policy::pass_through, false) == "data: \ndata: \n\n");
    CHECK(check({.data = "\r\n"}, utf8_policy::pass_through, false) == "data: \ndata: \n\n");
    CHECK(check({.id = "7", .type = "t"}, utf8_policy::pass_through, false) == "id: 7\n\n");
    CHECK(check({.type = "message", .data = "x"}, utf8_policy::report, true) == "data: x\n\n");
    CHECK(check({.data = "x\xff"}, utf8_policy::replace, false) == "data: x\xEF\xBF\xBD\n\n");
    CHECK(check({.data = "x"}, utf8_policy::replace, false) == "data: x\n\n");
    CHECK(check({.retry = 15ms}, utf8_policy::pass_through, false) == "retry: 15\n\n");
}

TEST_CASE("the gate asks for sizes first, then for bytes, then for something to send") {
    const char byte = '\n';
    const std::size_t longest = max_encodable<std::size_t>;
    CHECK(admit({.type = {&byte, longest + 1}, .data = ""}, utf8_policy::pass_through) ==
          errc::data_too_long);
    CHECK(admit({.id = std::string_view(&byte, longest + 1)}, utf8_policy::report) ==
          errc::data_too_long);
    CHECK(admit({.data = std::string_view(&byte, longest)}, utf8_policy::pass_through) == errc::ok);
    CHECK(admit({.type = "t"}, utf8_policy::pass_through) == errc::nothing_to_send);
    CHECK(admit({.type = "t\n"}, utf8_policy::pass_through) == errc::invalid_type);
    for (const event_view& event : {event_view{.id = "\xff"}, event_view{.data = "\xff"},
                                    event_view{.type = "\xff", .data = ""}}) {
        CHECK(admit(event, utf8_policy::report) == errc::malformed_utf8);
        CHECK(admit(event, utf8_policy::replace) == errc::ok);
    }
}

TEST_CASE("an event follows the bytes that its texts lie in, and no others") {
    const std::string bytes = "0123456789";
    const std::string moved = "abcdefghij";
    const std::string_view all = bytes;
    const anchored_event inside({.id = all.substr(0, 3), .type = all.substr(3, 4), .data = all},
                                all);
    const event_view there = inside.in(moved.data());
    CHECK(there.id == "abc");
    CHECK(there.type == "defg");
    CHECK(there.data == "abcdefghij");

    const std::string other = "other";
    const anchored_event outside({.id = other, .data = other, .retry = 5ms}, all.substr(2, 5));
    CHECK(outside.in(moved.data()).id->data() == other.data());
    CHECK(outside.in(moved.data()).data->data() == other.data());
    CHECK(outside.in(moved.data()).retry == 5ms);
    const anchored_event beside({.id = all.substr(0, 2), .data = all.substr(5)}, all.substr(2, 5));
    CHECK(beside.in(moved.data()).id->data() == all.data());
    CHECK(beside.in(moved.data()).data->data() == all.data() + 5); // one byte too far
}
