// SPDX-License-Identifier: MIT
#include <ssekit/detail/http/user_info.hpp>

#include <doctest/doctest.h>

#include <string>
#include <string_view>

using ssekit::detail::append_base64;
using ssekit::detail::basic_credentials;
using ssekit::detail::split_url;
using ssekit::detail::user_info_of;
using ssekit::detail::without_user_info;

namespace {

std::string base64(std::string_view bytes) {
    std::string out;
    append_base64(out, bytes);
    return out;
}

} // namespace

TEST_CASE("user info: it is what stands before the host") {
    CHECK(user_info_of(split_url("http://a:b@c/d@e")) == "a:b");
    CHECK(user_info_of(split_url("http://@c/")).data() != nullptr);
    CHECK(user_info_of(split_url("http://c/d@e?f@g")).data() == nullptr);
    CHECK(user_info_of(split_url("a@b")).data() == nullptr);
    CHECK(without_user_info("https://a:b@c:1/d@e?f@g") == "https://c:1/d@e?f@g");
    CHECK(without_user_info("https://@c") == "https://c");
    CHECK(without_user_info("https://c/d@e") == "https://c/d@e");
    CHECK(without_user_info("") == "");
}

TEST_CASE("user info: base64 as in the examples of RFC 4648, 10, and of every byte") {
    CHECK(base64("") == "");
    CHECK(base64("f") == "Zg==");
    CHECK(base64("fo") == "Zm8=");
    CHECK(base64("foo") == "Zm9v");
    CHECK(base64("foob") == "Zm9vYg==");
    CHECK(base64("fooba") == "Zm9vYmE=");
    CHECK(base64("foobar") == "Zm9vYmFy");
    CHECK(base64("\xFB\xFF\xFE") == "+//+");
    CHECK(base64(std::string_view("\0\0\0", 3)) == "AAAA");
}

TEST_CASE("user info: what is encoded is decoded, and what no user may have is refused") {
    CHECK(basic_credentials("a:b") == "Basic YTpi");
    CHECK(basic_credentials("a") == "Basic YTo=");
    CHECK(basic_credentials(":b") == "Basic OmI=");
    CHECK(basic_credentials("a:%3A%40") == "Basic YTo6QA==");
    CHECK(basic_credentials("%c3%BC:") == "Basic w7w6");
    CHECK(basic_credentials("a+b:") == "Basic YStiOg==");
    for (const std::string_view bad : {"%", "%4", "%4g:", "a%3Ab", "a:%0A", "a%7F", "a:\x01"}) {
        CAPTURE(bad);
        CHECK(basic_credentials(bad) == "");
    }
}
