// SPDX-License-Identifier: MIT
#ifndef SSEKIT_DETAIL_BASE_OWNED_TEXT_HPP
#define SSEKIT_DETAIL_BASE_OWNED_TEXT_HPP

#include <ssekit/detail/base/memory.hpp>

#include <cstddef>
#include <cstring>
#include <string_view>
#include <utility>

namespace ssekit::inline SSEKIT_ABI::detail {

/// A text in memory of a resource. Unlike std::string it reports when there is no memory.
class owned_text {
  public:
    owned_text() noexcept = default;
    owned_text(owned_text&& other) noexcept { swap(other); }
    owned_text& operator=(owned_text&& other) noexcept {
        owned_text(std::move(other)).swap(*this);
        return *this;
    }
    ~owned_text() {
        if (size_ != 0) memory_->deallocate(bytes_, size_, 1);
    }

    /// Effects: takes a copy of the text. \returns false, with nothing changed, without memory.
    [[nodiscard]] bool assign(std::string_view text, memory_resource& memory) noexcept {
        owned_text made;
        if (!text.empty()) {
            made.bytes_ = static_cast<char*>(memory.allocate(text.size(), 1));
            if (made.bytes_ == nullptr) return false;
            std::memcpy(made.bytes_, text.data(), text.size());
            made.size_ = text.size();
            made.memory_ = &memory;
        }
        swap(made);
        return true;
    }

    [[nodiscard]] std::string_view view() const noexcept { return {bytes_, size_}; }

  private:
    void swap(owned_text& other) noexcept {
        std::swap(bytes_, other.bytes_);
        std::swap(size_, other.size_);
        std::swap(memory_, other.memory_);
    }

    char* bytes_ = nullptr;
    std::size_t size_ = 0;
    memory_resource* memory_ = nullptr;
};

} // namespace ssekit::inline SSEKIT_ABI::detail

#endif
