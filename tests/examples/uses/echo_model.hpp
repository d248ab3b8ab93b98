// SPDX-License-Identifier: MIT
//
// Stands for a language model: it repeats the prompt, and takes its time. Its tokens are words, or
// parts of long ones, and like those of real models they end anywhere, also inside a character.
#ifndef SSEKIT_EXAMPLES_USES_ECHO_MODEL_HPP
#define SSEKIT_EXAMPLES_USES_ECHO_MODEL_HPP

#include <algorithm>
#include <array>
#include <chrono>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace uses {

/// The models that there are, which differ in the time that a token takes.
struct model_kind {
    std::string_view name;
    std::chrono::milliseconds pause;
};
inline constexpr std::array<model_kind, 2> model_kinds = {{
    {"echo", std::chrono::milliseconds(10)},
    {"echo-fast", std::chrono::milliseconds(0)},
}};

/// \returns nullptr where there is none of that name.
[[nodiscard]] inline const model_kind* find_model(std::string_view name) noexcept {
    const auto* const found =
        std::find_if(model_kinds.begin(), model_kinds.end(),
                     [&](const model_kind& each) { return each.name == name; });
    return found == model_kinds.end() ? nullptr : found;
}

class echo_model {
  public:
    echo_model(std::string prompt, std::size_t max_tokens)
        : prompt_(std::move(prompt)), max_tokens_(max_tokens) {}

    /// \returns the next token, or nullopt when the answer is over.
    [[nodiscard]] std::optional<std::string_view> next_token() {
        if (at_ >= prompt_.size() || tokens_ >= max_tokens_) return std::nullopt;
        const std::size_t word = prompt_.find_first_of(" \n", at_ + 1);
        const std::string_view token =
            std::string_view(prompt_).substr(at_, std::min<std::size_t>(word - at_, 7));
        at_ += token.size();
        ++tokens_;
        return token;
    }
    /// How many there were.
    [[nodiscard]] std::size_t tokens() const noexcept { return tokens_; }
    /// Why the answer is over, in the words of the OpenAI API.
    [[nodiscard]] std::string_view finish_reason() const noexcept {
        return at_ >= prompt_.size() ? "stop" : "length";
    }

  private:
    std::string prompt_;
    std::size_t max_tokens_;
    std::size_t at_ = 0;
    std::size_t tokens_ = 0;
};

} // namespace uses

#endif
