// SPDX-License-Identifier: MIT
//
// Text that comes in pieces which end anywhere, as the tokens of a language model do: also in the
// middle of a character. Sent as they are, both halves would be malformed, and a reader would see
// replacement characters. So the beginning of a character is held back until its rest comes: three
// bytes at most, and only while it may still become whole.
#ifndef SSEKIT_UTF8_TAIL_HPP
#define SSEKIT_UTF8_TAIL_HPP

#include <ssekit/detail/text/utf8.hpp>
#include <ssekit/version.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <string_view>
#include <utility>

namespace ssekit::inline SSEKIT_ABI {

///     ssekit::utf8_tail tail;
///     while (const auto token = model.next()) {
///         const auto [held, rest] = tail.next(*token);
///         data.append(held); // a ssekit::data_writer, or a string
///         data.append(rest);
///     }
///     data.append(tail.finish());
///
/// All bytes come out, in order, and none twice. What is malformed in itself is passed on at once:
/// a utf8_policy says what becomes of it. No function throws or allocates.
class utf8_tail {
  public:
    struct pieces {
        std::string_view held; ///< a character whose beginning was held back, or ""
        std::string_view rest; ///< of the token
    };

    /// \returns what may be sent of what there is; both are empty when all of it is held back.
    /// Lifetime: `held` until the next call, `rest` that of the token.
    [[nodiscard]] pieces next(std::string_view token) noexcept {
        pieces out = {};
        if (size_ != 0) {
            detail::utf8_step step = here();
            while (step.cut && !token.empty()) {
                held_[size_++] = token.front();
                token.remove_prefix(1);
                step = here();
            }
            if (step.cut) return out;
            // A byte that cannot continue the character is the start of what follows.
            if (step.length < size_) token = {token.data() - 1, token.size() + 1};
            given_ = held_;
            out.held = {given_.data(), step.length};
            size_ = 0;
        }
        const std::size_t cut = cut_at_end(token);
        out.rest = token.substr(0, token.size() - cut);
        std::copy_n(token.end() - static_cast<std::ptrdiff_t>(cut), cut, held_.begin());
        size_ = cut;
        return out;
    }

    /// Effects: the text is over; the next one begins anew.
    /// \returns the beginning of a character whose rest has not come, or "".
    /// Lifetime: until the next call.
    [[nodiscard]] std::string_view finish() noexcept {
        given_ = held_;
        return {given_.data(), std::exchange(size_, 0)};
    }

    /// How many bytes are held back.
    [[nodiscard]] std::size_t size() const noexcept { return size_; }

  private:
    [[nodiscard]] detail::utf8_step here() const noexcept {
        return detail::decode_step(held_.data(), held_.data() + size_);
    }

    // Looks back for the byte that begins the last character.
    static std::size_t cut_at_end(std::string_view text) noexcept {
        const char* const end = text.data() + text.size();
        for (std::size_t back = 1; back <= (std::min<std::size_t>)(text.size(), 3); ++back) {
            const auto byte = static_cast<unsigned char>(end[-static_cast<std::ptrdiff_t>(back)]);
            if ((byte & 0xC0) == 0x80) continue;
            return detail::decode_step(end - back, end).cut ? back : 0;
        }
        return 0;
    }

    std::array<char, 4> held_{}; // one more than is ever held back, for the byte that ends it
    std::array<char, 4> given_{};
    std::size_t size_ = 0;
};

} // namespace ssekit::inline SSEKIT_ABI

#endif
