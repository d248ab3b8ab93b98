// SPDX-License-Identifier: MIT
#include <ssekit/openmetrics.hpp>

#include <doctest/doctest.h>

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <vector>

using ssekit::hub_metrics;
using ssekit::labelled_metrics;
using ssekit::metrics_format;

namespace {

std::vector<std::string> lines_of(const std::string& text) {
    std::vector<std::string> lines;
    for (std::size_t at = 0; at < text.size();) {
        const std::size_t end = text.find('\n', at);
        REQUIRE(end != text.npos); // the last line ends as well
        lines.push_back(text.substr(at, end - at));
        at = end + 1;
    }
    return lines;
}

std::string print(const hub_metrics& metrics, metrics_format format) {
    std::string out;
    ssekit::append_metrics(out, metrics, format);
    return out;
}

bool has_line(const std::string& text, std::string_view line) {
    return ("\n" + text).find("\n" + std::string(line) + "\n") != std::string::npos;
}

} // namespace

TEST_CASE("every number of the metrics is printed, once") {
    // The struct is nothing but numbers: each gets one of its own.
    std::array<std::uint64_t, sizeof(hub_metrics) / sizeof(std::uint64_t)> numbers{};
    for (std::size_t i = 0; i < numbers.size(); ++i) numbers[i] = 1000 + i;
    const auto metrics = std::bit_cast<hub_metrics>(numbers);
    for (const auto format : {metrics_format::openmetrics, metrics_format::prometheus}) {
        std::multiset<std::string> seen;
        for (const std::string& line : lines_of(print(metrics, format))) {
            if (!line.starts_with("#")) seen.insert(line.substr(line.rfind(' ') + 1));
        }
        CHECK(seen.size() == numbers.size());
        CHECK(std::set(seen.begin(), seen.end()).size() == seen.size());
    }
}

TEST_CASE("OpenMetrics names a counter without its suffix, Prometheus with it") {
    hub_metrics metrics;
    metrics.published = 7;
    metrics.bytes = 8;
    metrics.subscribers = 9;
    const std::string open = print(metrics, metrics_format::openmetrics);
    CHECK(has_line(open, "# TYPE ssekit_published_events counter"));
    CHECK(has_line(open, "ssekit_published_events_total 7"));
    CHECK(has_line(open, "# UNIT ssekit_sent_bytes bytes"));
    CHECK(has_line(open, "# TYPE ssekit_subscribers gauge"));
    CHECK(has_line(open, "ssekit_subscribers 9"));
    CHECK(open.ends_with("# EOF\n"));

    const std::string classic = print(metrics, metrics_format::prometheus);
    CHECK(has_line(classic, "# TYPE ssekit_published_events_total counter"));
    CHECK(has_line(classic, "ssekit_published_events_total 7"));
    CHECK(classic.find("# UNIT") == std::string::npos);
    CHECK(classic.find("# EOF") == std::string::npos);
    CHECK(ssekit::media_type(metrics_format::prometheus).starts_with("text/plain"));
    CHECK(ssekit::media_type(metrics_format::openmetrics).starts_with("application/openmetrics"));
}

TEST_CASE("several hubs share each family and are told apart by their labels") {
    std::array<labelled_metrics, 2> hubs{};
    hubs[0].labels = "hub=\"orders\"";
    hubs[0].metrics.lagged = 3;
    hubs[1].labels = "hub=\"ticks\",zone=\"a\"";
    hubs[1].metrics.subscribers = 4;
    std::string out;
    ssekit::append_metrics(out, std::span<const labelled_metrics>(hubs),
                           metrics_format::openmetrics);
    CHECK(has_line(out, "ssekit_ended_streams_total{hub=\"orders\",reason=\"lagged\"} 3"));
    CHECK(
        has_line(out, "ssekit_ended_streams_total{hub=\"ticks\",zone=\"a\",reason=\"lagged\"} 0"));
    CHECK(has_line(out, "ssekit_subscribers{hub=\"ticks\",zone=\"a\"} 4"));
    CHECK_FALSE(has_line(out, "# EOF")); // the program may have more to tell
    std::set<std::string> heads;
    for (const std::string& line : lines_of(out)) {
        if (line.starts_with("# ")) CHECK(heads.insert(line).second);
    }
}
