// SPDX-License-Identifier: MIT
//
// The forms themselves; what readers make of them is in integration/readers/libraries.mjs.
#include "use.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace {

/// \returns the text without its ids, which are different each time.
std::string without_ids(std::string text) {
    std::size_t at = 0;
    while ((at = text.find("id: ", at)) != text.npos) {
        at += 4;
        text.erase(at, text.find('\n', at) - at);
    }
    return text;
}

/// \returns the whole of a stream that has one event.
std::string stream_of(const std::vector<std::string>& options) {
    const uses::program forms("for_readers", options);
    CHECK(forms.post("/publish/news?type=kind", "text") == 202);
    CHECK(forms.post("/close/news") == 202);
    uses::posted_stream stream(forms.port, "/streams/news", "{}");
    CHECK(stream.head.status == 200);
    CHECK(stream.until_end());
    return without_ids(stream.body);
}

/// \returns whether this comes when a stream has nothing else to say.
bool comes_in_silence(std::string_view text, const std::vector<std::string>& options) {
    const uses::program forms("for_readers", options);
    support::stream_client stream(forms.port, "/streams/news");
    CHECK(forms.post("/publish/news", "text") == 202);
    REQUIRE(stream.until_count(1));
    const std::size_t before = stream.body.find("text\n\n") + 6;
    return stream.until([&] { return stream.body.size() >= before + 2 * text.size(); }) &&
           stream.body.substr(before).starts_with(std::string(text).append(text));
}

} // namespace

TEST_CASE("use for_readers: each option has a form of its own") {
    const std::string event = "id: \nevent: kind\ndata: text\n\n";
    CHECK(stream_of({}) == "id: \n\n" + event);
    CHECK(stream_of({"no-ids"}) == ":\n\nevent: kind\ndata: text\n\n");
    CHECK(stream_of({"no-ids", "short-comments"}) == ":\nevent: kind\ndata: text\n\n");
    CHECK(stream_of({"empty-data"}) == "id: \ndata: \n\n" + event);
    CHECK(stream_of({"retry"}) == "id: \nretry: 100\n\n" + event);
    CHECK(stream_of({"type-first"}) == "id: \n\nevent: kind\nid: \ndata: text\n\n");
    CHECK(stream_of({"last-word"}) ==
          "id: \n\n" + event + "event: end\ndata: {\"reason\":\"topic_closed\"}\n\n");
    CHECK(stream_of({"verdict"}).starts_with("id: \nevent: opening\ndata: {\"resumption\":"));
}

TEST_CASE("use for_readers: heartbeats have the form that the options say") {
    CHECK(comes_in_silence(":\n\n", {}));
    CHECK(comes_in_silence(":\n", {"short-comments"}));
    CHECK(comes_in_silence("event: ping\ndata: \n\n", {"ping"}));
    CHECK(comes_in_silence("event: ping\ndata: {\"type\":\"ping\"}\n\n", {"ping", "ping-data"}));
}

TEST_CASE("use for_readers: an option that there is not is refused") {
    support::process program({support::example("use_for_readers"), "--port", "0", "no-such"});
    CHECK(program.wait() == 64);
    CHECK(program.err() == "there is no option no-such\n");
}
