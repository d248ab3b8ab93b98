// SPDX-License-Identifier: MIT
#include <ssekit/detail/source/answer.hpp>

#include <doctest/doctest.h>

#include <set>
#include <string_view>

using ssekit::status_policy;
using ssekit::detail::is_event_stream;
using ssekit::detail::judge_answer;
using ssekit::detail::source_answer;

TEST_CASE("source answer: the essence of the media type counts") {
    for (const std::string_view good :
         {"text/event-stream", "TEXT/Event-Stream", " text/event-stream\t", "text/event-stream;x",
          "text/event-stream ; charset=utf-8"}) {
        CHECK(is_event_stream(good));
    }
    for (const std::string_view bad : {"", ";", "text/event-stream,text/html", "text/event-streams",
                                       "text/event", "x text/event-stream"}) {
        CHECK_FALSE(is_event_stream(bad));
    }
}

TEST_CASE("source answer: every status means something, by either policy") {
    const std::set<int> redirects = {301, 302, 303, 307, 308};
    std::set<int> temporary = {408, 409, 425, 429, 500, 502, 503, 504};
    for (int status = 506; status < 600; ++status) temporary.insert(status);
    for (int status = -1; status <= 1000; ++status) {
        CAPTURE(status);
        source_answer expected = source_answer::bad_status;
        if (status == 200) expected = source_answer::stream;
        if (status == 204) expected = source_answer::no_content;
        if (redirects.contains(status)) expected = source_answer::redirect;
        CHECK(judge_answer(status, "text/event-stream", status_policy::browser) == expected);
        if (temporary.contains(status)) expected = source_answer::again;
        CHECK(judge_answer(status, "text/event-stream", status_policy::sdk) == expected);
        if (status == 200) expected = source_answer::bad_media_type;
        CHECK(judge_answer(status, "text/html", status_policy::sdk) == expected);
    }
}
