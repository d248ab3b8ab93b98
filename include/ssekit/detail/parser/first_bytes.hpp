// SPDX-License-Identifier: MIT
#ifndef SSEKIT_DETAIL_PARSER_FIRST_BYTES_HPP
#define SSEKIT_DETAIL_PARSER_FIRST_BYTES_HPP

#include <ssekit/version.hpp>

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <type_traits>

namespace ssekit::inline SSEKIT_ABI::detail {

/// The first bytes of a line as one number, which is compared with a name in one step.
class first_bytes {
  public:
    static constexpr std::size_t count = 8;

    /// Reads exactly eight bytes.
    constexpr explicit first_bytes(const char* p) noexcept {
        if (std::is_constant_evaluated() || std::endian::native != std::endian::little) {
            word_ = pack(p, count);
        } else {
            std::memcpy(&word_, p, count);
        }
    }

    template <std::size_t N>
    [[nodiscard]] constexpr bool are(const char (&name)[N]) const noexcept {
        static_assert(N - 1 < count);
        constexpr std::uint64_t mask = (std::uint64_t{1} << 8 * (N - 1)) - 1;
        return (word_ & mask) == pack(name, N - 1);
    }

  private:
    static constexpr std::uint64_t pack(const char* p, std::size_t size) noexcept {
        std::uint64_t word = 0;
        while (size-- > 0) word = word << 8 | static_cast<unsigned char>(p[size]);
        return word;
    }

    std::uint64_t word_ = 0;
};

} // namespace ssekit::inline SSEKIT_ABI::detail

#endif
