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

TEST_CASE("source headers: an id that a header would change is not sent") {
    redirects way("http://a/");
    const std::string usual = "Accept: text/event-stream\nCache-Control: no-cache\n";
    for (const std::string_view id : {"a\x01", " a", "a ", "\t", "a\x7F"}) {
        CHECK_FALSE(ssekit::detail::can_travel(id));
        CHECK(text({}, way, id) == usual);
    }
    for (const std::string_view id : {"a", "a b", "a\tb", "ü"}) {
        CHECK(ssekit::detail::can_travel(id));
        CHECK(text({}, way, id) == usual + "Last-Event-ID: " + std::string(id) + "\n");
    }
}

TEST_CASE("source headers: a user in the URL, and the codings, give way to what its owner says") {
    const redirects way("http://u:p@a/");
    std::vector<header> out;
    ssekit::detail::collect_headers(out, {}, way, "", "gzip");
    REQUIRE(out.size() == 4);
    CHECK(out[2].name == "Accept-Encoding");
    CHECK(out[2].value == "gzip");
    CHECK(out[3].name == "Authorization");
    CHECK(out[3].value == "Basic dTpw");
    const std::vector<source_header> own = {{"accept-encoding", "br"}, {"AUTHORIZATION", "x"}};
    ssekit::detail::collect_headers(out, own, way, "", "gzip");
    CHECK(out.size() == 4);
    CHECK(out[2].value == "br");
    CHECK(out[3].value == "x");
}

TEST_CASE("source headers: a header is set in place of those of its name, and removed with them") {
    std::vector<source_header> own = {{"A", "1"}, {"B", "2"}, {"a", "3", true}};
    CHECK_FALSE(ssekit::detail::set_header(own, "A", "x\n", false));
    CHECK_FALSE(ssekit::detail::set_header(own, "", "x", false));
    CHECK(own.size() == 3);
    CHECK(ssekit::detail::set_header(own, "A", "4", false));
    REQUIRE(own.size() == 2);
    CHECK(own[1].value == "4");
    CHECK(own[1].is_secret);
    CHECK(ssekit::detail::set_header(own, "C", own[0].value, true)); // from one of them
    CHECK(own[2].value == "2");
    ssekit::detail::remove_header(own, "b");
    CHECK(own.size() == 2);
}
