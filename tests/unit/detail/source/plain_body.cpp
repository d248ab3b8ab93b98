// SPDX-License-Identifier: MIT
#include <ssekit/detail/source/plain_body.hpp>

#include <doctest/doctest.h>

#include <cstddef>
#include <string>
#include <string_view>

using ssekit::detail::plain_body;

namespace {

/// Each byte stands for two of its kind, but `x` for a mistake.
class twice final : public ssekit::content_decoder {
  public:
    std::string_view accepts() const noexcept override { return "twice"; }
    bool begin(std::string_view coding) noexcept override {
        failed_ = false;
        return coding == "twice";
    }
    std::string_view decode(std::string_view& input) noexcept override {
        out_.clear();
        if (input.empty()) return {};
        failed_ = input.front() == 'x';
        if (!failed_) out_.assign(2, input.front());
        input.remove_prefix(1);
        return out_;
    }
    bool failed() const noexcept override { return failed_; }
    bool is_complete() const noexcept override { return out_.empty(); }

  private:
    std::string out_ = {};
    bool failed_ = false;
};

} // namespace

TEST_CASE("plain body: without a decoder, or a coding, the bytes are what they are") {
    twice decoder;
    for (ssekit::content_decoder* const with : {static_cast<twice*>(nullptr), &decoder}) {
        plain_body body;
        CHECK(body.begin(with, "identity"));
        std::string_view input = "abc";
        std::string seen;
        CHECK(body.each(input, [&](std::string_view& bytes) {
            seen += bytes.front();
            bytes.remove_prefix(1);
            return seen.size() != 2;
        }));
        CHECK(seen == "ab");
        CHECK(input == "c");
    }
    plain_body library; // which has decoded what it says was coded
    CHECK(library.begin(nullptr, "gzip"));
}

TEST_CASE("plain body: what was decoded and not read is there in the next call") {
    twice decoder;
    plain_body body;
    CHECK_FALSE(body.begin(&decoder, "thrice"));
    CHECK(body.begin(&decoder, "twice"));
    std::string_view input = "abx";
    std::string seen;
    const auto one = [&](std::string_view& bytes) {
        seen += bytes.front();
        bytes.remove_prefix(1);
        return false;
    };
    for (int i = 0; i < 4; ++i) CHECK(body.each(input, one));
    CHECK(seen == "aabb");
    CHECK(input == "x");
    CHECK_FALSE(body.each(input, one));
    CHECK(seen == "aabb");
    CHECK(body.begin(&decoder, "twice"));
    input = "";
    CHECK(body.each(input, one));
}
