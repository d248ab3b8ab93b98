// SPDX-License-Identifier: MIT
#ifndef SSEKIT_DETAIL_BUFFER_HPP
#define SSEKIT_DETAIL_BUFFER_HPP

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <new>
#include <span>
#include <string_view>
#include <type_traits>
#include <utility>

namespace ssekit::detail {

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

/// Bytes that grow on the heap, or fill memory of the caller's and go no further. Unlike
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
    [[nodiscard]] constexpr std::string_view view() const noexcept { return {data_, size_}; }
    constexpr void clear() noexcept { size_ = 0; }

    /// \param most the size that is never passed, so that doubling does not pass it either.
    /// \returns false, with nothing changed, when there is no memory for `size` more bytes.
    [[nodiscard]] constexpr bool reserve_more(std::size_t size,
                                              std::size_t most = max_size) noexcept {
        return size <= capacity_ - size_ || grow(size, most);
    }

    /// The new bytes have no value yet.
    [[nodiscard]] constexpr bool extend(std::size_t size) noexcept {
        if (!reserve_more(size)) return false;
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

    [[nodiscard]] constexpr bool assign(std::string_view bytes) noexcept {
        const std::size_t before = std::exchange(size_, 0);
        if (append(bytes)) return true;
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
        if (!owned_ || size > max_size - size_) return false;
        const std::size_t doubled = std::min(std::max<std::size_t>(capacity_ * 2, 64), most);
        const std::size_t capacity = std::max(size_ + size, doubled);
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

} // namespace ssekit::detail

#endif
