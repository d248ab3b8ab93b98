// SPDX-License-Identifier: MIT
#include "support/process.hpp"

#include <doctest/doctest.h>

#include <string>

TEST_CASE("use endpoint_test: it finds the endpoint in order") {
    const auto [status, out, err] = support::run({support::example("use_endpoint_test")});
    CHECK(status == 0);
    CHECK(err == "");
    CHECK(out.find("NOT OK") == std::string::npos);
    CHECK(out.starts_with("ok: "));
}
