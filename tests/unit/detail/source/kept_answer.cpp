// SPDX-License-Identifier: MIT
#include <ssekit/detail/source/kept_answer.hpp>

#include <doctest/doctest.h>

#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

using namespace std::chrono_literals;
using ssekit::answer_decision;
using ssekit::answer_head;
using ssekit::answer_verdict;
using ssekit::event_source_options;
using ssekit::proxy_refusal;
using ssekit::source_end;
using ssekit::status_policy;
using ssekit::detail::kept_answer;
using ssekit::detail::source_answer;

namespace {

using fields = std::vector<std::pair<std::string_view, std::string_view>>;

void begin(kept_answer& answer, int status, const fields& head,
           const event_source_options& options = {}) {
    auto find = [&](std::string_view name) -> std::optional<std::string_view> {
        for (const auto& [key, value] : head) {
            if (key == name) return value;
        }
        return std::nullopt;
    };
    answer.begin(answer_head(status, find), options);
}

} // namespace

TEST_CASE("kept answer: it is judged by what it says and by who reads it") {
    kept_answer answer;
    CHECK(answer.status() == 0);
    begin(answer, 200, {{"Content-Type", "text/event-stream"}});
    CHECK(answer.meaning() == source_answer::stream);
    answer.refuse_coding();
    CHECK(answer.meaning() == source_answer::bad_media_type);
    CHECK(answer.end_of_source() == source_end::bad_media_type);
    begin(answer, 503, {{"Retry-After", "7"}}, {.on_status = status_policy::sdk});
    CHECK(answer.meaning() == source_answer::again);
    CHECK(answer.wait() == 7s);
    answer.refuse_coding(); // which changes nothing about an error
    CHECK(answer.meaning() == source_answer::again);
    begin(answer, 503, {{"Retry-After", "7"}});
    CHECK(answer.meaning() == source_answer::bad_status);
    CHECK(answer.wait() == 0s);
    CHECK(answer.end_of_source() == source_end::bad_status);
    begin(answer, 404, {}, {.on_answer = [](const answer_head&) noexcept -> answer_decision {
              return {answer_verdict::retry, 3s};
          }});
    CHECK(answer.meaning() == source_answer::retry);
    CHECK(answer.wait() == 3s);
}

TEST_CASE("kept answer: a proxy's refusal to pass on streams is an end of its own") {
    kept_answer answer;
    begin(answer, 501, {{"Proxy-Status", "a; error=incremental_refused"}});
    CHECK(answer.refusal() == proxy_refusal::incremental);
    CHECK(answer.end_of_source() == source_end::not_passed_on);
    begin(answer, 500, {{"Proxy-Status", "a; error=incremental_refused"}});
    CHECK(answer.end_of_source() == source_end::bad_status);
    begin(answer, 501, {});
    CHECK(answer.refusal() == proxy_refusal::none);
    CHECK(answer.end_of_source() == source_end::bad_status);
}

TEST_CASE(
    "kept answer: the body up to its bound, the headers that were asked for, and no older one") {
    kept_answer answer;
    begin(answer, 400, {{"A", "1"}, {"B", "2"}}, {.keep_headers = {"A", "C"}});
    CHECK(answer.find("a") == "1");
    CHECK(answer.find("B") == std::nullopt);
    CHECK(answer.find("C") == std::nullopt);
    CHECK(answer.take("ab", 3));
    CHECK(answer.take("c", 3));
    CHECK(answer.take("", 3));
    CHECK_FALSE(answer.is_whole());
    answer.end();
    CHECK(answer.is_whole());
    CHECK_FALSE(answer.take("d", 3));
    CHECK(answer.body() == "abc");
    begin(answer, 401, {});
    CHECK(answer.body() == "");
    CHECK_FALSE(answer.is_whole());
    CHECK(answer.find("A") == std::nullopt);
    CHECK_FALSE(answer.take("xyz", 2));
    CHECK(answer.body() == "xy");
}
