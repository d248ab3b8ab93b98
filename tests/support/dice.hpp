// SPDX-License-Identifier: MIT
#ifndef SSEKIT_TESTS_SUPPORT_DICE_HPP
#define SSEKIT_TESTS_SUPPORT_DICE_HPP

#include <cstddef>
#include <cstdint>
#include <random>

namespace support {

/// The same numbers from the same seed, with every standard library.
class dice {
  public:
    explicit dice(std::uint32_t seed) : engine_(seed) {}

    [[nodiscard]] std::size_t below(std::size_t end) { return engine_() % end; }
    [[nodiscard]] bool one_in(std::size_t chances) { return below(chances) == 0; }
    [[nodiscard]] char byte() { return static_cast<char>(below(256)); }

    template <class List>
    [[nodiscard]] const auto& pick(const List& list) {
        return list[below(std::size(list))];
    }

  private:
    std::mt19937 engine_;
};

} // namespace support

#endif
