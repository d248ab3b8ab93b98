// SPDX-License-Identifier: MIT
#include "use.hpp"

#include "support/json.hpp"

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>

namespace {

/// The value of each gauge as a newcomer sees it first.
std::map<std::string, std::int64_t> snapshot(support::stream_client& client) {
    std::map<std::string, std::int64_t> values;
    std::size_t read = 0;
    REQUIRE(client.until([&] {
        for (; read < client.events.size(); ++read) {
            const auto gauge = support::json::parse(client.events[read].data);
            REQUIRE(gauge.document);
            values.try_emplace(gauge.document->at("name").string(),
                               gauge.document->at("value").integer());
        }
        return values.size() == 4;
    }));
    return values;
}

} // namespace

TEST_CASE("use dashboard: whoever comes sees the newest of every gauge, then what changes") {
    const uses::program dashboard("dashboard");
    CHECK(dashboard.ask("GET /").body.find("EventSource(\"/gauges\")") != std::string::npos);
    support::stream_client first(dashboard.port, "/gauges");
    CHECK(snapshot(first).at("rounds") >= 1);
    REQUIRE(first.until_count(20)); // more than the log keeps
    support::stream_client second(dashboard.port, "/gauges");
    const auto seen = snapshot(second);
    CHECK(second.events.size() == 4);
    CHECK(seen.at("version") == 7);
    CHECK(seen.at("rounds") >= 5);
    CHECK(second.until_count(second.events.size() + 3));
    CHECK(second.find("gauge") != nullptr);
}

TEST_CASE("use dashboard: what a gauge says is true") {
    const uses::program dashboard("dashboard");
    support::stream_client one(dashboard.port, "/gauges");
    support::stream_client two(dashboard.port, "/gauges");
    CHECK(two.until(
        [&] { return two.body.find(R"({"name":"streams","value":2})") != std::string::npos; }));
}
