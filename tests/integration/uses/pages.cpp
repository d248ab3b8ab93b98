// SPDX-License-Identifier: MIT
#include "use.hpp"

#include <string>
#include <utility>
#include <vector>

TEST_CASE("use pages: each library is given an item in its own words") {
    const uses::program pages("pages");
    support::stream_client htmx(pages.port, "/events/htmx");
    support::stream_client turbo(pages.port, "/events/turbo");
    support::stream_client datastar(pages.port, "/events/datastar");
    CHECK(pages.post("/news", "<b>&\nmore") == 202);
    REQUIRE(htmx.until_count(2));
    CHECK(htmx.events[1].type == "message");
    CHECK(htmx.events[1].data == "<li>&lt;b&gt;&amp;\nmore</li>");
    CHECK(htmx.events[0].data == ""); // it brings the id
    CHECK(htmx.events[0].id != "");
    REQUIRE(turbo.until_count(2));
    CHECK(turbo.events[1].type == "message");
    CHECK(turbo.events[1].data == "<turbo-stream action=\"append\" target=\"news\"><template>"
                                  "<li>&lt;b&gt;&amp;\nmore</li></template></turbo-stream>");
    REQUIRE(datastar.until_count(2));
    CHECK(datastar.events[1].type == "datastar-merge-fragments");
    CHECK(datastar.events[1].data == "selector #news\nmergeMode append\n"
                                     "fragments <li>&lt;b&gt;&amp;\nfragments more</li>");
}

TEST_CASE("use pages: every page names its scripts and its stream") {
    const uses::program pages("pages");
    for (const auto& [page, stream] :
         std::vector<std::pair<std::string, std::string>>{{"htmx-2", "htmx"},
                                                          {"htmx-4", "htmx"},
                                                          {"turbo", "turbo"},
                                                          {"datastar", "datastar"}}) {
        CAPTURE(page);
        const auto got = pages.ask("GET /" + page);
        CHECK(got.status == 200);
        CHECK(got.body.find("src=\"/scripts/") != std::string::npos);
        CHECK(got.body.find("/events/" + stream) != std::string::npos);
    }
}
