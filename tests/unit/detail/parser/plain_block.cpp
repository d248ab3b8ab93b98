// SPDX-License-Identifier: MIT
#include <ssekit/detail/parser/plain_block.hpp>
#include <ssekit/detail/parser/state.hpp>

#include <doctest/doctest.h>

#include <string>
#include <string_view>
#include <vector>

using namespace ssekit::detail;
using ssekit::event_view;

namespace {

struct event_texts {
    std::vector<std::string> events = {};
    void on_event(const event_view& event) {
        events.push_back(std::string(event.type) + "=" + std::string(*event.data));
    }
};

/// The lines of one chunk, as far as the plain block takes them.
struct plain_reading {
    plain_reading(std::string_view text, const ssekit::parser_options& options = {})
        : chunk(text), state(options), reader(state, sink, text, 0), plain(state) {
        const char* p = chunk.data();
        const char* const end = p + chunk.size();
        line_ends ends(p, end);
        resumed = plain.resume();
        while (resumed && p != end) {
            const char* const line_end = ends.next();
            if (line_end == end) return;
            if (line_end == p) {
                if (!plain.commit(end)) return;
                (void)plain.deliver(reader);
            } else if (!plain.take(p, line_end, end, ends)) {
                return;
            }
            p = line_end + 1;
            ++taken;
        }
    }

    std::string_view chunk;
    parser_state state;
    event_texts sink = {};
    block_reader<event_texts> reader;
    plain_block<event_texts> plain;
    bool resumed = false;
    int taken = 0;
};

} // namespace

TEST_CASE("a block without anything unusual is read as a whole") {
    const plain_reading block(
        "event: t\nid: 7\ndata: x\n\ndata: a\ndata: b\nfoo: z\n:c\n\n       ");
    if (!block.resumed) return; // code that is to be small does without
    CHECK(block.taken == 9);
    CHECK(block.sink.events == std::vector<std::string>{"t=x", "message=a\nb"});
    CHECK(block.state.last_id.view() == "7");
}

TEST_CASE("a line that is anything else is left to the other reader, with what came before it") {
    const auto taken = [](std::string_view text, const ssekit::parser_options& options = {}) {
        plain_reading block(text, options);
        if (!block.resumed) return -1;
        block.plain.give_up();
        CHECK(block.state.open.type == "t");
        return block.taken;
    };
    if (!plain_reading("").resumed) return;
    CHECK(taken("event: t\nretry: 1\n       ") == 1);
    CHECK(taken("event: t\ndata\n         ") == 1);
    CHECK(taken("event: t\ndata: 1234\n       ", {.limits = {.data = 3}}) == 1);
    CHECK(taken("event: t\ndata: 123\n       ", {.limits = {.data = 3}}) == 2);
    CHECK(taken("event: t\nid: 1234\n       ", {.limits = {.id = 3}}) == 1);
    CHECK(taken("event: t\nid: 123\n       ", {.limits = {.id = 3}}) == 2);
    CHECK(taken("event: t\nevent: 1234\n       ", {.limits = {.type = 3}}) == 1);
    CHECK(taken("event: t\ndata: 12\ndata: 3\n       ", {.limits = {.data = 3}}) == 2);
    CHECK(taken("event: t\ndata: 1\ndata: 3\n       ", {.limits = {.data = 3}}) == 3);
    // The scan speaks of 64 bytes together, so what it says of the first line is the next block's.
    const std::string far = "event: t\nfoo: " + std::string(120, 'x') + "\n";
    CHECK(taken(far + "id: \xC3\xA9\n       ") == 2);
    CHECK(taken(far + "data: \xff\n       ", {.utf8 = ssekit::utf8_policy::report}) == 2);
    CHECK(taken(far + "data: \xff\n\n       ") == 3); // the end of the block is not for here
}
