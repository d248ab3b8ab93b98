// SPDX-License-Identifier: MIT
#include <ssekit/detail/source/event_reader.hpp>

#include <doctest/doctest.h>

#include <string>
#include <string_view>

using ssekit::errc;
using ssekit::event_view;
using ssekit::detail::event_reader;

namespace {

std::string all(event_reader& reader, std::string_view input) {
    std::string out;
    for (;;) {
        reader.forget_error();
        const event_view* const event = reader.next(input, {});
        if (event != nullptr)
            out.append(*event->data).append(";");
        else if (reader.error() == errc::ok)
            return out;
    }
}

} // namespace

TEST_CASE("event reader: one response after the other, each from its first byte") {
    event_reader reader(ssekit::parser_options{});
    CHECK(reader.begin(nullptr, ""));
    CHECK(all(reader, "\xEF\xBB\xBF"
                      "id: 1\ndata: a\n\ndata: cut") == "a;");
    CHECK(reader.end());
    CHECK(reader.begin(nullptr, ""));
    CHECK(all(reader, "\xEF\xBB\xBF"
                      "data: b\n\n") == "b;");
    CHECK_FALSE(reader.end());
    CHECK(reader.parser().last_event_id() == "1");
}

TEST_CASE("event reader: an unfinished event is given out once, and nothing is read after it") {
    event_reader reader(ssekit::parser_options{});
    CHECK(reader.begin(nullptr, ""));
    CHECK(all(reader, "data: a\n\n") == "a;");
    CHECK_FALSE(reader.has_unfinished());
    CHECK(all(reader, "data: b") == "");
    CHECK(reader.has_unfinished());
    CHECK(reader.is_ending());
    CHECK(all(reader, "") == "b;");
    CHECK(reader.has_unfinished());
    CHECK(all(reader, "data: c\n\n") == "");
    CHECK_FALSE(reader.end());
    CHECK_FALSE(reader.is_ending());
}

TEST_CASE("event reader: of the errors of a call the first is kept, and each drop is counted") {
    event_reader reader(ssekit::parser_options{.limits = {.data = 1}});
    reader.note(errc::comment_too_long, 3);
    reader.note(errc::data_too_long, 9);
    CHECK(reader.error() == errc::comment_too_long);
    CHECK(reader.error_offset() == 3);
    CHECK(reader.dropped() == 1);
    CHECK(reader.last_drop() == errc::data_too_long);
    reader.forget_error();
    CHECK(reader.error() == errc::ok);
    CHECK(reader.begin(nullptr, ""));
    CHECK(all(reader, "data: ab\n\ndata: c\n\n") == "c;");
    CHECK(reader.dropped() == 2);
}
