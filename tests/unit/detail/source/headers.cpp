// SPDX-License-Identifier: MIT
#include <ssekit/detail/source/headers.hpp>

#include <doctest/doctest.h>

#include <string>
#include <string_view>
#include <vector>

using ssekit::header;
using ssekit::source_header;
using ssekit::detail::redirects;

namespace {

std::string text(const std::vector<source_header>& own, const redirects& way, std::string_view id) {
    std::vector<header> out = {{"Left", "over"}};
    ssekit::detail::collect_headers(out, own, way, id);
    std::string lines;
    for (const header& each : out) {
        lines.append(each.name).append(": ").append(each.value).append("\n");
    }
    return lines;
}

} // namespace

TEST_CASE("source headers: the usual ones, one's own, and the id, in this order") {
    redirects way("http://a/");
    CHECK(text({}, way, "") == "Accept: text/event-stream\nCache-Control: no-cache\n");
    CHECK(text({{"X-Mine", "1"}, {"X-Mine", "2"}}, way, "7") ==
          "Accept: text/event-stream\nCache-Control: no-cache\nX-Mine: 1\nX-Mine: 2\n"
          "Last-Event-ID: 7\n");
}

TEST_CASE("source headers: one's own take the place of the usual ones, but not of the id") {
    redirects way("http://a/");
    CHECK(text({{"accept", "*/*"}, {"CACHE-CONTROL", "no-store"}, {"last-event-id", "mine"}}, way,
               "") == "Accept: */*\nCache-Control: no-store\n");
    CHECK(text({{"Last-Event-ID", "mine"}}, way, "7") ==
          "Accept: text/event-stream\nCache-Control: no-cache\nLast-Event-ID: 7\n");
}

TEST_CASE("source headers: what may not travel stays") {
    redirects way("http://a/");
    const std::vector<source_header> own = {
        {"Cookie", "a=b"}, {"Content-Type", "text/plain"}, {"X-Mine", "1"}};
    CHECK(way.follow(303, "//b/", "POST", 9));
    CHECK(text(own, way, "") == "Accept: text/event-stream\nCache-Control: no-cache\nX-Mine: 1\n");
}
