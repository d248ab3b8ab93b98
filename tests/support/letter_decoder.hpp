// SPDX-License-Identifier: MIT
#ifndef SSEKIT_TESTS_SUPPORT_LETTER_DECODER_HPP
#define SSEKIT_TESTS_SUPPORT_LETTER_DECODER_HPP

#include <ssekit/content_decoder.hpp>

#include <string>
#include <string_view>

namespace support {

/// A coding of the tests' own, x-next, in which each byte stands for the one before it. It gives out
/// seven at a time.
class letter_decoder final : public ssekit::content_decoder {
  public:
    std::string_view accepts() const noexcept override { return "x-next"; }
    bool begin(std::string_view coding) noexcept override { return coding == "x-next"; }
    std::string_view decode(std::string_view& input) noexcept override {
        decoded_.clear();
        for (const char c : input.substr(0, 7)) decoded_ += static_cast<char>(c - 1);
        input.remove_prefix(decoded_.size());
        return decoded_;
    }
    bool failed() const noexcept override { return false; }
    bool is_complete() const noexcept override { return true; }

  private:
    std::string decoded_ = {};
};

} // namespace support

#endif
