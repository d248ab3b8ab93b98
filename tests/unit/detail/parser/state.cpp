// SPDX-License-Identifier: MIT
#include <ssekit/detail/parser/state.hpp>

#include <doctest/doctest.h>

#include <array>
#include <cstddef>
#include <initializer_list>
#include <string_view>

using namespace ssekit::detail;
using ssekit::parser_limits;

TEST_CASE(
    "an event is open from its first field on, and a line from the first letter of its name") {
    parser_state state{ssekit::parser_options()};
    CHECK_FALSE(state.is_inside_event());
    for (const line_state line : {line_state::name, line_state::colon, line_state::value}) {
        state.line = line;
        CHECK(state.is_inside_event());
    }
    for (const line_state line : {line_state::start, line_state::comment, line_state::skip}) {
        state.line = line;
        CHECK_FALSE(state.is_inside_event());
    }
    state.clear_line();
    for (std::string_view open_block::*const field :
         {&open_block::data, &open_block::id, &open_block::type}) {
        state.open.*field = "x";
        CHECK(state.is_inside_event());
        state.clear_event();
        CHECK_FALSE(state.is_inside_event());
    }
    state.open.data = std::string_view("");
    CHECK(state.is_inside_event()); // there, and empty
    state.clear_event();
    state.dropping = true;
    CHECK(state.is_inside_event());
    state.clear_event();
    CHECK_FALSE(state.dropping);
}

TEST_CASE("memory of the caller's is divided without a rest") {
    const parser_limits limits{.data = 10, .id = 3, .type = 5, .comment = 4};
    static_assert(parser_state::memory_needed({.data = 10, .id = 3, .type = 5, .comment = 4}) ==
                  10 + 3 + 3 + 5 + 5);
    std::array<char, 26> memory{};
    parser_state state({.limits = limits}, std::span<char>(memory));
    const auto holds = [](buffer& bytes, std::size_t size) {
        return bytes.extend(size) && !bytes.extend(1);
    };
    CHECK(holds(state.data_buffer, 10));
    CHECK(holds(state.id_buffer, 3));
    CHECK(holds(state.last_id, 3));
    CHECK(holds(state.type_buffer, 5));
    CHECK(holds(state.line_buffer, 5));
    CHECK(state.line_buffer.data() + 5 == memory.data() + memory.size());
}

TEST_CASE("limits that no memory is large enough for need the largest size, not a small one") {
    const std::size_t most = static_cast<std::size_t>(-1);
    CHECK(parser_state::memory_needed({.data = most}) == most);
    CHECK(parser_state::memory_needed({.data = 1, .id = most / 2 + 1}) == most);
    CHECK(parser_state::memory_needed({.data = 1, .id = 1, .type = most, .comment = 1}) == most);
    CHECK(parser_state::memory_needed({.data = 1, .id = 1, .type = 1, .comment = most}) == most);
    CHECK(parser_state::memory_needed({.data = most - 4, .id = 1, .type = 1, .comment = 1}) ==
          most);
    CHECK(parser_state::memory_needed({.data = most - 5, .id = 1, .type = 1, .comment = 1}) ==
          most - 1);
}
