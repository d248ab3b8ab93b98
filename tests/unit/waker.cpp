// SPDX-License-Identifier: MIT
#include <ssekit/waker.hpp>

#include <doctest/doctest.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>
#include <type_traits>
#include <utility>

using ssekit::callback;
using ssekit::waker;

namespace {

template <class F>
constexpr bool fits = std::is_constructible_v<waker, F>;

} // namespace

TEST_CASE("a callback is two pointers wide, copies as bytes and never throws") {
    CHECK(sizeof(waker) == 2 * sizeof(void*));
    CHECK(std::is_trivially_copyable_v<waker>);
    CHECK(std::is_nothrow_invocable_v<waker>);
    CHECK_FALSE(bool(waker()));
}

TEST_CASE("a function with a context is called with it") {
    int count = 0;
    const waker wake{[](void* context) noexcept { ++*static_cast<int*>(context); }, &count};
    CHECK(bool(wake));
    wake();
    const waker copy = wake;
    copy();
    CHECK(count == 2);
}

TEST_CASE("a lambda is kept by value, so a temporary one is safe") {
    int count = 0;
    waker wake;
    {
        auto lambda = [&count]() noexcept { ++count; };
        wake = lambda;
    }
    wake();
    CHECK(count == 1);
    wake = {};
    CHECK_FALSE(bool(wake));
}

TEST_CASE("a lambda without captures and one of a few bytes fit") {
    static int calls = 0;
    const waker none = []() noexcept { ++calls; };
    none();
    const callback<int()> few = [c = 'x', number = short(1000)]() noexcept { return c + number; };
    CHECK(few() == 'x' + 1000);
    CHECK(calls == 1);
}

TEST_CASE("arguments and results pass, references as themselves") {
    const callback<std::size_t(std::string_view, int)> length = [](std::string_view text,
                                                                   int more) noexcept {
        return text.size() + static_cast<std::size_t>(more);
    };
    CHECK(length("abc", 2) == 5);
    int changed = 0;
    const callback<void(int&)> change = [](int& n) noexcept { n = 5; };
    change(changed);
    CHECK(changed == 5);
}

TEST_CASE("what may throw, is too large, owns something or is no function does not fit") {
    int a = 0, b = 0;
    auto good = [&a]() noexcept { ++a; };
    auto may_throw = [&a] { ++a; };
    auto large = [&a, &b]() noexcept { ++a, ++b; };
    auto owner = [p = std::make_unique<int>(1)]() noexcept { static_cast<void>(*p); };
    auto changes = [n = 0]() mutable noexcept { ++n; };
    auto takes = [](int) noexcept {};
    CHECK(fits<decltype(good)>);
    CHECK_FALSE(fits<decltype(may_throw)>);
    CHECK_FALSE(fits<decltype(large)>);
    CHECK_FALSE(fits<decltype(owner)>);
    CHECK_FALSE(fits<decltype(changes)>);
    CHECK_FALSE(fits<decltype(takes)>);
    CHECK_FALSE(fits<void (*)()>);
    CHECK_FALSE(fits<int>);
    CHECK_FALSE(fits<callback<void(int)>>);
    CHECK_FALSE(std::is_constructible_v<callback<int()>, decltype(good)>); // it returns nothing
    large(), owner(), changes(), takes(1), may_throw();
}
