// SPDX-License-Identifier: MIT
#include <ssekit/detail/source/pull_range.hpp>

#include <doctest/doctest.h>

#include <iterator>
#include <vector>

using ssekit::detail::pull_iterator;
using ssekit::detail::pull_range;

namespace {

struct count_to {
    int* last;
    int* now;
    const int* operator()() const { return ++*now <= *last ? now : nullptr; }
};

static_assert(std::input_iterator<pull_iterator<count_to>>);
static_assert(std::sentinel_for<std::default_sentinel_t, pull_iterator<count_to>>);

} // namespace

TEST_CASE("pull range: it ends with the first null, and asks no further") {
    int last = 3;
    int now = 0;
    std::vector<int> seen;
    for (const int each : pull_range(count_to{&last, &now})) seen.push_back(each);
    CHECK(seen == std::vector{1, 2, 3});
    CHECK(now == 4);
    last = 0;
    now = 0;
    for (const int each : pull_range(count_to{&last, &now})) seen.push_back(each);
    CHECK(seen.size() == 3);
}
