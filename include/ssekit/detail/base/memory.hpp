// SPDX-License-Identifier: MIT
//
// Objects in memory of a resource. Nothing here throws; without memory the result is null.
#ifndef SSEKIT_DETAIL_BASE_MEMORY_HPP
#define SSEKIT_DETAIL_BASE_MEMORY_HPP

#include <ssekit/memory.hpp>

#include <cstddef>
#include <memory>
#include <new>

namespace ssekit::inline SSEKIT_ABI::detail {

template <class T>
inline constexpr std::size_t size_of_each = sizeof(T); // NOLINT: of pointers too

/// \returns `count` objects with their initial values, or null.
template <class T>
[[nodiscard]] T* make_array(memory_resource& memory, std::size_t count) noexcept {
    if (count > static_cast<std::size_t>(-1) / size_of_each<T>) return nullptr;
    void* const raw = memory.allocate(count * size_of_each<T>, alignof(T));
    if (raw == nullptr) return nullptr;
    T* const made = static_cast<T*>(raw);
    for (std::size_t i = 0; i < count; ++i) ::new (static_cast<void*>(made + i)) T();
    return made;
}

/// Preconditions: what `make_array` returned for this count, or null.
template <class T>
void release_array(memory_resource& memory, T* array, std::size_t count) noexcept {
    if (array == nullptr) return;
    std::destroy_n(array, count);
    memory.deallocate(array, count * size_of_each<T>, alignof(T));
}

} // namespace ssekit::inline SSEKIT_ABI::detail

#endif
