// SPDX-License-Identifier: MIT
#include <ssekit/detail/http/proxy_status.hpp>

#include <doctest/doctest.h>

using ssekit::detail::has_proxy_error;

TEST_CASE("http proxy status: the error of any proxy on the way is found, and nothing else") {
    CHECK(has_proxy_error("cdn; error=incremental_refused", "incremental_refused"));
    CHECK(has_proxy_error("a;next-hop=b , cdn;details=\"x;y, z\" ;error=incremental_refused",
                          "incremental_refused"));
    CHECK(has_proxy_error("\"a,b\";error=incremental_refused, c", "incremental_refused"));
    CHECK_FALSE(has_proxy_error("", "incremental_refused"));
    CHECK_FALSE(has_proxy_error("error=incremental_refused", "incremental_refused")); // a name
    CHECK_FALSE(has_proxy_error("cdn; error=dns_timeout", "incremental_refused"));
    CHECK_FALSE(has_proxy_error("cdn; error=incremental_refused2", "incremental_refused"));
    CHECK_FALSE(has_proxy_error("cdn; error", "incremental_refused"));
    CHECK_FALSE(
        has_proxy_error("cdn; details=\"error=incremental_refused\"", "incremental_refused"));
    CHECK_FALSE(
        has_proxy_error("cdn; details=\"; error=incremental_refused", "incremental_refused"));
}
