// SPDX-License-Identifier: MIT
#ifndef SSEKIT_DETAIL_PARSER_UTF8_STREAM_HPP
#define SSEKIT_DETAIL_PARSER_UTF8_STREAM_HPP

#include <ssekit/detail/base/buffer.hpp>
#include <ssekit/detail/text/utf8.hpp>

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace ssekit::inline SSEKIT_ABI::detail {

/// Decodes a text that comes in pieces and is handed on at once. A sequence that is cut by the end
/// of a piece waits here for its remaining bytes, at most three.
///
/// `out` has text(std::string_view) for what is well-formed, in order, and malformed(offset) for
/// each ill-formed part, which returns whether to go on. Offsets count from wherever the caller's
/// do.
class utf8_stream {
  public:
    template <class Out>
    constexpr void write(std::string_view piece, std::uint64_t offset, Out&& out) {
        const char* const begin = piece.data();
        const char* const end = begin + piece.size();
        const auto offset_of = [&](const char* p) {
            return offset + static_cast<std::uint64_t>(p - begin);
        };
        const char* p = begin;
        while (size_ != 0 && p != end) {
            char joined[4] = {};
            copy_bytes(joined, cut_, size_);
            joined[size_] = *p;
            const std::size_t size = size_ + 1;
            const utf8_step step = decode_step(joined, joined + size);
            if (step.cut) {
                cut_[size_++] = *p++;
            } else if (step.valid) {
                ++p;
                size_ = 0;
                out.text({joined, size});
            } else if (!give_up(offset_of(p), out)) {
                return;
            }
        }
        while (p != end) {
            const char* const bad = find_malformed(p, end);
            if (bad != p) out.text({p, static_cast<std::size_t>(bad - p)});
            if (bad == end) return;
            const utf8_step step = decode_step(bad, end);
            p = bad + step.length;
            if (step.cut) {
                size_ = step.length;
                copy_bytes(cut_, bad, size_);
            } else if (!out.malformed(offset_of(bad))) {
                return;
            }
        }
    }

    /// The text ends at `offset`.
    template <class Out>
    constexpr void finish(std::uint64_t offset, Out&& out) {
        if (size_ != 0) give_up(offset, out);
    }

    /// Whether a sequence has been cut.
    [[nodiscard]] constexpr bool is_waiting() const noexcept { return size_ != 0; }

    constexpr void clear() noexcept { size_ = 0; }

  private:
    template <class Out>
    constexpr bool give_up(std::uint64_t end, Out& out) {
        const std::uint64_t begin = end - size_;
        size_ = 0;
        return out.malformed(begin);
    }

    char cut_[3] = {};
    std::size_t size_ = 0;
};

} // namespace ssekit::inline SSEKIT_ABI::detail

#endif
