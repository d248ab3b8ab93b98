// SPDX-License-Identifier: MIT
#include <ssekit/detail/parser/sink.hpp>

#include <doctest/doctest.h>

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

using namespace ssekit::detail;
using ssekit::errc;
using ssekit::event_view;

namespace {

struct everything {
    void on_event(const event_view&) {}
    bool on_error(errc, std::uint64_t) { return false; }
    void on_id(std::string_view) {}
    void on_retry(std::chrono::milliseconds) {}
    void on_comment(std::string_view) {}
    void on_data_chunk(std::string_view) {}
};

struct generic {
    void on_event(auto&&) {}
    void on_id(const std::string&) = delete;
    void on_id(std::string_view) const {}
};

struct wrong {
    void on_event(int) {}
    void on_event(std::string) {}

  private:
    [[maybe_unused]] void on_id(std::string_view) {}
};

struct derived final : everything {};

} // namespace

TEST_CASE("members of a sink are known by what they take, and names by themselves") {
    static_assert(has_on_event<everything> && has_on_error<everything> && has_on_id<everything> &&
                  has_on_retry<everything> && has_on_comment<everything> &&
                  has_on_data_chunk<everything>);
    static_assert(!has_on_event<const everything>);
    static_assert(has_on_event<generic> && has_on_id<const generic> && !has_on_error<generic>);
    static_assert(names_on_event<generic> && names_on_id<generic> && !names_on_error<generic>);
    static_assert(!event_sink<wrong>);
    static_assert(names_on_event<wrong>); // though it is overloaded
    static_assert(names_on_id<wrong>);    // though it is private
    static_assert(!names_on_comment<wrong>);
    static_assert(has_on_event<derived> && names_on_event<derived>);
    check_sink<everything>();
    check_sink<generic>();
    check_sink<derived>();
    CHECK(true);
}

TEST_CASE("only a bool that is false stops") {
    CHECK(goes_on([] {}));
    CHECK(goes_on([] { return true; }));
    CHECK_FALSE(goes_on([] { return false; }));
    CHECK(goes_on([] { return 0; }));
}
