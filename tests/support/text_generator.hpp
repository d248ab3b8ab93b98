// SPDX-License-Identifier: MIT
#ifndef SSEKIT_TESTS_SUPPORT_TEXT_GENERATOR_HPP
#define SSEKIT_TESTS_SUPPORT_TEXT_GENERATOR_HPP

#include <cstddef>
#include <span>
#include <string>
#include <string_view>

namespace support {

/// Gives one long text in pieces of `size`.
struct text_generator {
    std::string_view rest = {};
    std::size_t size = 1000;

    std::size_t prepare(std::span<std::string_view> slices) noexcept {
        std::size_t count = 0;
        for (std::string_view text = rest; !text.empty() && count < slices.size(); ++count) {
            slices[count] = text.substr(0, size);
            text.remove_prefix(slices[count].size());
        }
        return count;
    }
    void consume(std::size_t bytes) noexcept { rest.remove_prefix(bytes); }
    [[nodiscard]] bool is_done() const noexcept { return rest.empty(); }
    [[nodiscard]] static bool is_abrupt() noexcept { return false; }
};

/// A text without repetitions.
[[nodiscard]] inline std::string numbers(int count) {
    std::string out;
    for (int i = 0; i < count; ++i) out += std::to_string(i) + ' ';
    return out;
}

} // namespace support

#endif
