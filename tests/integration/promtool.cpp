// SPDX-License-Identifier: MIT
//
// What Prometheus itself says of the metrics. Its promtool is in Debian's package "prometheus";
// where it is not installed these tests say so and check nothing.
#include <ssekit/epoch.hpp>
#include <ssekit/hub.hpp>
#include <ssekit/openmetrics.hpp>

#include "support/process.hpp"

#include <doctest/doctest.h>

#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <string_view>

using ssekit::metrics_format;

namespace {

bool has_promtool() {
    const bool there = support::run({"/bin/sh", "-c", "command -v promtool"}).status == 0;
    if (!there) MESSAGE("promtool is not installed: nothing is checked");
    return there;
}

std::string metrics_of_a_hub(metrics_format format) {
    ssekit::hub hub(ssekit::new_epoch(), std::chrono::steady_clock::now());
    auto stream = hub.subscribe({.topics = "a", .tag = "u"}).subscription;
    CHECK(hub.publish("a", {.data = "1"}).ec == ssekit::errc::ok);
    std::string out;
    ssekit::append_metrics(out, hub.metrics(), format);
    return out;
}

} // namespace

TEST_CASE("promtool finds no fault with the Prometheus text") {
    if (!has_promtool()) return;
    const std::string text = metrics_of_a_hub(metrics_format::prometheus);
    const auto result = support::run({"/usr/bin/env", "promtool", "check", "metrics"}, text);
    CHECK(result.status == 0);
    CHECK(result.err == "");
    const auto broken = support::run({"/usr/bin/env", "promtool", "check", "metrics"}, "a b c\n");
    CHECK(broken.status != 0); // it does look
}

TEST_CASE("promtool reads the OpenMetrics text") {
    if (!has_promtool()) return;
    // It imports samples only with a time, which stands after the value.
    std::string timed;
    std::string_view text;
    const std::string printed = metrics_of_a_hub(metrics_format::openmetrics);
    for (text = printed; !text.empty(); text.remove_prefix(text.find('\n') + 1)) {
        timed += text.substr(0, text.find('\n'));
        timed += text.starts_with("#") ? "\n" : " 1700000000\n";
    }
    char directory[] = "/tmp/ssekit-promtool-XXXXXX";
    REQUIRE(mkdtemp(directory) != nullptr);
    const std::string file = std::string(directory) + "/metrics";
    const auto import = [&] {
        return support::run({"/usr/bin/env", "promtool", "tsdb", "create-blocks-from",
                             "openmetrics", file, std::string(directory) + "/blocks"});
    };
    std::ofstream(file) << timed;
    const auto result = import();
    CHECK_MESSAGE(result.status == 0, result.err);
    std::ofstream(file) << timed.substr(0, timed.size() / 2);
    CHECK(import().status != 0);
    std::filesystem::remove_all(directory);
}
