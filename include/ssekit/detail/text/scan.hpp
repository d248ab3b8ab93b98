// SPDX-License-Identifier: MIT
//
// Finding line ends, 64 bytes at a time. Most blocks of a long line hold no line end: one minimum
// over all of their bytes shows that. Any other becomes a bit mask of its line ends, whose set bits
// are then walked, which for short lines beats a memchr per line, because one block holds several
// ends. On the way the scan notes where it last saw a NUL or a byte that is not ASCII; what comes
// after that needs no UTF-8 validation.
//
// Each byte is read once, twice at the end of a chunk, whatever the input is.
#ifndef SSEKIT_DETAIL_TEXT_SCAN_HPP
#define SSEKIT_DETAIL_TEXT_SCAN_HPP

#include <ssekit/detail/base/tuning.hpp>
#include <ssekit/detail/text/lanes.hpp>

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <type_traits>

namespace ssekit::inline SSEKIT_ABI::detail {

[[nodiscard]] constexpr bool is_line_end(char c) noexcept {
    return c == '\n' || c == '\r';
}

/// 64 bytes, looked at together.
class block {
  public:
    static constexpr std::size_t size = 64;

#if SSEKIT_VECTORS != 0
    /// Reads exactly 64 bytes.
    SSEKIT_INLINED explicit block(const char* p) noexcept {
        for (std::size_t i = 0; i < parts; ++i) part_[i] = lanes::load(p + i * lanes::count);
        lowest_ = part_[0];
        highest_ = part_[0];
        for (std::size_t i = 1; i < parts; ++i) {
            lowest_ = lower(lowest_, part_[i]);
            highest_ = highest_ | part_[i];
        }
    }

    /// No byte ends a line or is NUL, and all are ASCII. May be false for other control characters.
    SSEKIT_INLINED [[nodiscard]] bool is_dull() const noexcept {
        const lanes control = equal(lower(lowest_, lanes::all('\r')), lowest_);
        return !(control | highest_).any_high();
    }

    /// No byte is NUL, and all are ASCII.
    SSEKIT_INLINED [[nodiscard]] bool is_plain() const noexcept {
        return !(equal(lowest_, lanes::all(0)) | highest_).any_high();
    }

    /// Bit i is set when byte i ends a line.
    SSEKIT_INLINED [[nodiscard]] std::uint64_t line_ends() const noexcept {
        std::uint64_t mask = 0;
        for (std::size_t i = 0; i < parts; ++i) {
            const lanes ends =
                equal(part_[i], lanes::all('\n')) | equal(part_[i], lanes::all('\r'));
            mask |= ends.bits() << (i * lanes::count);
        }
        return mask;
    }

  private:
    static constexpr std::size_t parts = size / lanes::count;

    lanes part_[parts];
    lanes lowest_;
    lanes highest_;
#else
    explicit block(const char* p) noexcept {
        for (std::size_t i = 0; i < parts; ++i) {
            // The first byte is the lowest, whatever the machine's byte order.
            if constexpr (std::endian::native == std::endian::little) {
                std::memcpy(&part_[i], p + 8 * i, 8);
            } else {
                part_[i] = 0;
                for (std::size_t k = 8; k-- > 0;) {
                    part_[i] = part_[i] << 8 | static_cast<unsigned char>(p[8 * i + k]);
                }
            }
        }
    }
    [[nodiscard]] bool is_dull() const noexcept {
        std::uint64_t seen = 0;
        for (const std::uint64_t x : part_) seen |= x | (x - 14 * ones); // borrows below 14
        return (seen & high) == 0;
    }
    [[nodiscard]] bool is_plain() const noexcept {
        std::uint64_t seen = 0;
        for (const std::uint64_t x : part_) seen |= x | (x - ones);
        return (seen & high) == 0;
    }
    [[nodiscard]] std::uint64_t line_ends() const noexcept {
        std::uint64_t mask = 0;
        for (std::size_t i = 0; i < parts; ++i) {
            const std::uint64_t ends =
                zero_bytes(part_[i] ^ '\n' * ones) | zero_bytes(part_[i] ^ '\r' * ones);
            mask |= (((ends >> 7) * 0x0102040810204080) >> 56) << (8 * i);
        }
        return mask;
    }

  private:
    static constexpr std::size_t parts = size / 8;
    static constexpr std::uint64_t ones = 0x0101010101010101;
    static constexpr std::uint64_t high = 0x8080808080808080;

    // The highest bit of each byte that is zero, exactly.
    static constexpr std::uint64_t zero_bytes(std::uint64_t x) noexcept {
        return ~(((x & ~high) + ~high) | x | ~high);
    }

    std::uint64_t part_[parts];
#endif
};

/// Walks the line ends of one chunk in order.
class line_ends {
  public:
    constexpr line_ends(const char* begin, const char* end) noexcept
        : begin_(of_unknown_origin(begin)), next_(begin_), plain_from_(begin_),
          end_(of_unknown_origin(end)) {}

    /// \returns the next CR or LF, or the chunk's end.
    SSEKIT_INLINED [[nodiscard]] constexpr const char* next() noexcept {
        if (std::is_constant_evaluated()) return step();
        if (bits_ == 0 && !find_block()) return end_;
        const char* const hit = base_ + std::countr_zero(bits_);
        bits_ &= bits_ - 1;
        return hit;
    }

    /// Passes over one byte, the LF of a CRLF, which comes right after what `next` gave.
    constexpr void skip(const char* line_feed) noexcept {
        if (bits_ != 0) {
            bits_ &= bits_ - 1;
        } else if (next_ == line_feed) {
            ++next_;
        }
    }

    /// True when nothing from `p` up to the last that `next` gave is NUL or not ASCII. May be false
    /// although that is so.
    [[nodiscard]] constexpr bool is_plain(const char* p) const noexcept {
        return !std::is_constant_evaluated() && p >= plain_from_;
    }

  private:
    // g++ would follow a literal into blocks that it is too short for, and warn.
    static constexpr const char* of_unknown_origin(const char* p) noexcept {
#if defined(__GNUC__) && !defined(__clang__)
        if (!std::is_constant_evaluated()) asm("" : "+r"(p));
#endif
        return p;
    }

    constexpr const char* step() noexcept {
        while (next_ != end_ && !is_line_end(*next_)) ++next_;
        return next_ == end_ ? end_ : next_++;
    }

    // Goes on to a block with line ends, if there is one.
    SSEKIT_INLINED bool find_block() noexcept {
        const char* p = next_;
        for (; static_cast<std::size_t>(end_ - p) >= block::size; p += block::size) {
            const block found(p);
            if (found.is_dull()) continue;
            look_at(found, p, p + block::size);
            if (bits_ != 0) return true;
        }
        const auto left = static_cast<std::size_t>(end_ - p);
        next_ = end_;
        if (left == 0) return false;
        if (static_cast<std::size_t>(end_ - begin_) >= block::size) {
            look_at(block(end_ - block::size), end_ - block::size, end_);
            const std::size_t known = block::size - left; // bytes that have been looked at before
            bits_ = bits_ >> known << known;
        } else {
            char padded[block::size];
            std::memset(padded, ' ', sizeof padded);
            std::memcpy(padded, p, left);
            look_at(block(padded), p, end_);
        }
        return bits_ != 0;
    }

    SSEKIT_INLINED void look_at(const block& found, const char* base, const char* after) noexcept {
        base_ = base;
        bits_ = found.line_ends();
        next_ = after;
        if (!found.is_plain()) plain_from_ = after;
    }

    const char* begin_;
    const char* base_ = nullptr; // what bit 0 of bits_ stands for
    std::uint64_t bits_ = 0;     // ends that are known and not yet given
    const char* next_;           // first byte that no bit stands for
    const char* plain_from_;
    const char* end_;
};

} // namespace ssekit::inline SSEKIT_ABI::detail

#endif
