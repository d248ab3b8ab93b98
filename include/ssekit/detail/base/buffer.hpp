// SPDX-License-Identifier: MIT
#ifndef SSEKIT_DETAIL_BASE_BUFFER_HPP
#define SSEKIT_DETAIL_BASE_BUFFER_HPP

#include <ssekit/detail/base/tuning.hpp>

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <new>
#include <span>
#include <string_view>
#include <type_traits>
#include <utility>

namespace ssekit::inline SSEKIT_ABI::detail {

constexpr void copy_bytes(char* to, const char* from, std::size_t size) noexcept {
    if (std::is_constant_evaluated()) {
        for (std::size_t i = 0; i < size; ++i) to[i] = from[i];
    } else if (size != 0) {
        std::memcpy(to, from, size);
    }
}

constexpr void move_bytes_up(char* to, const char* from, std::size_t size) noexcept {
    if (std::is_constant_evaluated()) {
        while (size-- > 0) to[size] = from[size];
    } else if (size != 0) {
        std::memmove(to, from, size);
    }
}

// Copies forward, so that the target may overlap the source from below.
constexpr void move_bytes_down(char* to, const char* from, std::size_t size) noexcept {
    if (std::is_constant_evaluated()) {
        for (std::size_t i = 0; i < size; ++i) to[i] = from[i];
    } else if (size != 0) {
        std::memmove(to, from, size);
    }
}

/// As copy_bytes, for sizes that are mostly small: those cost no call.
SSEKIT_INLINED constexpr void copy_few(char* to, const char* from, std::size_t size) noexcept {
    if (for_size || std::is_constant_evaluated() || size > 32) {
        return copy_bytes(to, from, size);
    }
    // Two moves that overlap make any size between one of them and both.
    const auto move = [&](auto width) {
        char first[width], last[width];
        std::memcpy(first, from, width);
        std::memcpy(last, from + size - width, width);
        std::memcpy(to, first, width);
        std::memcpy(to + size - width, last, width);
    };
    if (size >= 16) return move(std::integral_constant<std::size_t, 16>());
    if (size >= 8) return move(std::integral_constant<std::size_t, 8>());
    if (size >= 4) return move(std::integral_constant<std::size_t, 4>());
    if (size >= 2) return move(std::integral_constant<std::size_t, 2>());
    if (size == 1) *to = *from;
}

/// As copy_bytes, but where as many bytes can be read and written it copies a fixed number of them,
/// which a compiler turns into a handful of moves without a call or a branch on the size.
/// \param room bytes that may be written, \param readable bytes that may be read.
SSEKIT_INLINED constexpr void copy_short(char* to, std::size_t room, const char* from,
                                         std::size_t readable, std::size_t size) noexcept {
    if (!std::is_constant_evaluated()) {
        const std::size_t most = (std::min)(room, readable);
        if (size <= 32 && most >= 32) {
            std::memcpy(to, from, 32);
            return;
        }
        if (size <= 128 && most >= 128) {
            std::memcpy(to, from, 128);
            return;
        }
    }
    copy_bytes(to, from, size);
}

/// Bytes that grow on the heap, or in the caller's memory up to its end. Unlike
/// std::string it reports exhaustion instead of throwing, and never fills memory that is about to
/// be written.
class buffer {
  public:
    static constexpr std::size_t max_size = static_cast<std::size_t>(-1) / 4;

    constexpr buffer() noexcept = default;
    constexpr explicit buffer(std::span<char> memory) noexcept
        : data_(memory.data()), capacity_(memory.size()), owned_(false) {}
    constexpr buffer(buffer&& other) noexcept { swap(other); }
    constexpr buffer& operator=(buffer&& other) noexcept {
        buffer(std::move(other)).swap(*this);
        return *this;
    }
    constexpr ~buffer() {
        if (owned_) release(data_);
    }

    [[nodiscard]] constexpr char* data() const noexcept { return data_; }
    [[nodiscard]] constexpr std::size_t size() const noexcept { return size_; }
    /// Never a view with a null address.
    [[nodiscard]] constexpr std::string_view view() const noexcept {
        return data_ == nullptr ? std::string_view("") : std::string_view(data_, size_);
    }
    constexpr void clear() noexcept { size_ = 0; }
    [[nodiscard]] constexpr std::size_t capacity() const noexcept { return capacity_; }
    /// Effects: as clear, and gives heap memory of more than `most` bytes back.
    constexpr void clear_beyond(std::size_t most) noexcept {
        clear();
        if (owned_ && capacity_ > most) *this = buffer();
    }

    /// \param most the size that is never exceeded; the same in all calls.
    /// \returns false, with nothing changed, when there is no memory for `size` more bytes.
    SSEKIT_INLINED [[nodiscard]] constexpr bool reserve_more(std::size_t size,
                                                             std::size_t most = max_size) noexcept {
        return size <= capacity_ - size_ || grow(size, most);
    }

    /// The new bytes have no value yet.
    [[nodiscard]] constexpr bool extend(std::size_t size, std::size_t most = max_size) noexcept {
        if (!reserve_more(size, most)) return false;
        size_ += size;
        return true;
    }

    [[nodiscard]] constexpr bool append(std::string_view bytes,
                                        std::size_t most = max_size) noexcept {
        if (!reserve_more(bytes.size(), most)) return false;
        copy_bytes(data_ + size_, bytes.data(), bytes.size());
        size_ += bytes.size();
        return true;
    }

    /// \param readable bytes of the text and after it.
    SSEKIT_INLINED [[nodiscard]] constexpr bool append(std::string_view bytes, std::size_t most,
                                                       std::size_t readable) noexcept {
        if (!reserve_more(bytes.size(), most)) return false;
        copy_short(data_ + size_, capacity_ - size_, bytes.data(), readable, bytes.size());
        size_ += bytes.size();
        return true;
    }

    /// The same for an LF and a line.
    SSEKIT_INLINED [[nodiscard]] constexpr bool
    append_line(std::string_view line, std::size_t readable, std::size_t most) noexcept {
        if (!reserve_more(1 + line.size(), most)) return false;
        char* const to = data_ + size_;
        *to = '\n';
        copy_short(to + 1, capacity_ - size_ - 1, line.data(), readable, line.size());
        size_ += 1 + line.size();
        return true;
    }

    /// \param readable bytes of the text and after it.
    SSEKIT_INLINED [[nodiscard]] constexpr bool assign(std::string_view bytes, std::size_t most,
                                                       std::size_t readable) noexcept {
        if (bytes.size() > capacity_) return assign(bytes, most);
        copy_short(data_, capacity_, bytes.data(), readable, bytes.size());
        size_ = bytes.size();
        return true;
    }

    [[nodiscard]] constexpr bool assign(std::string_view bytes,
                                        std::size_t most = max_size) noexcept {
        const std::size_t before = std::exchange(size_, 0);
        if (append(bytes, most)) return true;
        size_ = before;
        return false;
    }

    /// The heap block, which the caller now owns and gives back to `release`.
    [[nodiscard]] constexpr char* detach() noexcept {
        size_ = capacity_ = 0;
        return std::exchange(data_, nullptr);
    }

    static constexpr void release(char* block) noexcept { delete[] block; }

  private:
    constexpr void swap(buffer& other) noexcept {
        std::swap(data_, other.data_);
        std::swap(size_, other.size_);
        std::swap(capacity_, other.capacity_);
        std::swap(owned_, other.owned_);
    }

    constexpr bool grow(std::size_t size, std::size_t most) noexcept {
        most = (std::min)(most, max_size);
        if (!owned_ || size > most - size_) return false;
        const std::size_t doubled = (std::min)((std::max)(capacity_ * 2, std::size_t{64}), most);
        const std::size_t capacity = (std::max)(size_ + size, doubled);
        char* const data = std::is_constant_evaluated()
                               ? new char[capacity] // NOLINT: nothrow is not for constants
                               : new (std::nothrow) char[capacity];
        if (data == nullptr) return false;
        copy_bytes(data, data_, size_);
        release(data_);
        data_ = data;
        capacity_ = capacity;
        return true;
    }

    char* data_ = nullptr;
    std::size_t size_ = 0;
    std::size_t capacity_ = 0;
    bool owned_ = true;
};

} // namespace ssekit::inline SSEKIT_ABI::detail

#endif
