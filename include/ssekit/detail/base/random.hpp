// SPDX-License-Identifier: MIT
#ifndef SSEKIT_DETAIL_BASE_RANDOM_HPP
#define SSEKIT_DETAIL_BASE_RANDOM_HPP

#include <ssekit/version.hpp>

#include <cstdint>

namespace ssekit::inline SSEKIT_ABI::detail {

/// Numbers good enough to spread timers, the same ones for the same seed. Not for secrets.
class random_sequence {
  public:
    explicit random_sequence(std::uint64_t seed) noexcept : state_(seed) {}

    /// \returns a number from 0 to `last`.
    std::uint64_t up_to(std::uint64_t last) noexcept {
        std::uint64_t drawn = draw();
        if (last >> 31 != 0) drawn = drawn << 33 ^ draw() << 16 ^ draw(); // 31 bits are too few
        return last == ~std::uint64_t{0} ? drawn : drawn % (last + 1);
    }

    /// The same in one step for a `last` below 2^31.
    std::uint64_t up_to_few(std::uint32_t last) noexcept { return draw() % (last + 1); }

  private:
    std::uint64_t draw() noexcept {
        state_ = state_ * 6364136223846793005u + 1442695040888963407u;
        return state_ >> 33;
    }

    std::uint64_t state_;
};

} // namespace ssekit::inline SSEKIT_ABI::detail

#endif
