// SPDX-License-Identifier: MIT
#include <ssekit/detail/log/key_text.hpp>

#include <doctest/doctest.h>

#include <string_view>

using ssekit::frame;
using ssekit::detail::key_scope;
using ssekit::detail::key_text;

namespace {

frame keyed(std::string_view topic, std::string_view key) {
    return frame::make({.data = "x"}, ssekit::utf8_policy::pass_through, {topic, key}).frame;
}
bool same(const frame& a, const frame& b, key_scope scope) {
    const key_text key(a, scope);
    return key.comparable(key_text(b, scope)) == key.view();
}

} // namespace

TEST_CASE("in a log of one topic keys are their texts") {
    CHECK(key_text(keyed("t", "k"), key_scope::log).view() == "k");
    CHECK(key_text(keyed("t", ""), key_scope::log).empty());
    CHECK(same(keyed("t", "k"), keyed("u", "k"), key_scope::log));
    CHECK_FALSE(same(keyed("t", "k"), keyed("t", "l"), key_scope::log));
}

TEST_CASE("in a log of several topics keys of different topics differ, wherever they are cut") {
    CHECK(key_text(keyed("t", ""), key_scope::topic).empty());
    CHECK(same(keyed("t", "k"), keyed("t", "k"), key_scope::topic));
    CHECK_FALSE(same(keyed("t", "k"), keyed("u", "k"), key_scope::topic));
    CHECK_FALSE(same(keyed("c", "ab"), keyed("ca", "b"), key_scope::topic));
}
