// SPDX-License-Identifier: MIT
#include <ssekit/detail/parser/run.hpp>
#include <ssekit/detail/parser/state.hpp>

#include <doctest/doctest.h>

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

using namespace ssekit::detail;
using ssekit::event_view;

namespace {

struct stopping_sink {
    std::vector<std::string> events = {};
    std::vector<std::string> comments = {};
    bool stops = false;
    bool on_event(const event_view& event) {
        events.push_back(std::string(event.type) + "=" + std::string(*event.data));
        return !stops;
    }
    void on_comment(std::string_view text) { comments.emplace_back(text); }
};

} // namespace

TEST_CASE("a chunk may end anywhere, and the state knows the rest") {
    const std::string_view text =
        "\xEF\xBB\xBF: c\r\ndata: x\r\nid: 1\revent: t\n\nretry: 15\ndata:y\n\nda";
    for (std::size_t cut = 0; cut <= text.size(); ++cut) {
        CAPTURE(cut);
        parser_state state{ssekit::parser_options()};
        stopping_sink sink;
        CHECK(run_into(state, text.substr(0, cut), sink) == cut);
        CHECK(run_into(state, text.substr(cut), sink) == text.size() - cut);
        CHECK(sink.events == std::vector<std::string>{"t=x", "message=y"});
        CHECK(sink.comments == std::vector<std::string>{" c"});
        CHECK(state.last_id.view() == "1");
        CHECK(state.retry == std::chrono::milliseconds(15));
        CHECK(state.offset == text.size());
        CHECK(state.is_inside_event());
        CHECK(std::string_view(state.name, state.name_size) == "da");
    }
}

TEST_CASE("a sink that stops has taken the bytes up to there") {
    parser_state state{ssekit::parser_options()};
    stopping_sink sink{.stops = true};
    CHECK(run_into(state, "data: 1\n\ndata: 2\n\n", sink) == 9);
    CHECK(state.offset == 9);
    CHECK(run_into(state, "data: 2\n\n", sink) == 9);
    CHECK(sink.events.size() == 2);
}

TEST_CASE("a callable takes the place of on_event") {
    parser_state state{ssekit::parser_options()};
    int events = 0;
    const auto count = [&events](const event_view&) { ++events; };
    CHECK(run_into(state, "data: 1\n\ndata: 2\n\n", count) == 18);
    CHECK(events == 2);
}
