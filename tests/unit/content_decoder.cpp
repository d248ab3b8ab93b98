// SPDX-License-Identifier: MIT
#include <ssekit/content_decoder.hpp>

#include <doctest/doctest.h>

#include <string_view>
#include <type_traits>

using ssekit::content_decoder;

namespace {

/// The shortest one that keeps the contract: a coding that changes nothing.
class unchanged final : public content_decoder {
  public:
    std::string_view accepts() const noexcept override { return "unchanged"; }
    bool begin(std::string_view coding) noexcept override { return coding == accepts(); }
    std::string_view decode(std::string_view& input) noexcept override {
        const std::string_view all = input;
        input = {};
        return all;
    }
    bool failed() const noexcept override { return false; }
    bool is_complete() const noexcept override { return true; }
};

// A source borrows a decoder: nobody destroys one, or makes one, by its base.
static_assert(std::is_abstract_v<content_decoder>);
static_assert(!std::is_destructible_v<content_decoder>);
static_assert(std::is_nothrow_destructible_v<unchanged>);

} // namespace

TEST_CASE(
    "content decoder: by its base it is told of a body, and gives it out until nothing comes") {
    unchanged made;
    content_decoder& decoder = made;
    CHECK_FALSE(decoder.begin("gzip"));
    REQUIRE(decoder.begin(decoder.accepts()));
    std::string_view input = "data: a\n\n";
    CHECK(decoder.decode(input) == "data: a\n\n");
    CHECK(input.empty());
    CHECK(decoder.decode(input).empty());
    CHECK_FALSE(decoder.failed());
    CHECK(decoder.is_complete());
}
