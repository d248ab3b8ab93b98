// SPDX-License-Identifier: MIT
#ifndef SSEKIT_DETAIL_RANDOM_HPP
#define SSEKIT_DETAIL_RANDOM_HPP

#include <cstdint>

namespace ssekit::detail {

/// Numbers good enough to spread timers, the same ones for the same seed. Not for secrets.
class random_sequence {
  public:
    explicit random_sequence(std::uint64_t seed) noexcept : state_(seed) {}

    /// \returns a number from 0 to `last`.
    std::uint64_t up_to(std::uint64_t last) noexcept {
        state_ = state_ * 6364136223846793005u + 1442695040888963407u;
        return (state_ >> 33) % (last + 1);
    }

  private:
    std::uint64_t state_;
};

} // namespace ssekit::detail

#endif
