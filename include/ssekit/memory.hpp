// SPDX-License-Identifier: MIT
//
// Where a hub, a log and their frames get memory from: the heap, unless they are given another
// resource, such as a pool in a device's static memory. Unlike std::pmr's, a resource here returns
// null when it has nothing left; the object that asked then reports errc::out_of_memory and stays
// usable.
#ifndef SSEKIT_MEMORY_HPP
#define SSEKIT_MEMORY_HPP

#include <ssekit/version.hpp>

#include <cstddef>
#include <new>

namespace ssekit::inline SSEKIT_ABI {

/// Lifetime: it outlives every hub, log and frame that has memory from it. Thread safety: frames
/// may be released on any thread, so a resource whose frames travel between threads has to be
/// thread-safe.
class memory_resource {
  public:
    /// \returns memory for `size` bytes at `alignment`, or null.
    [[nodiscard]] virtual void* allocate(std::size_t size, std::size_t alignment) noexcept = 0;
    /// Preconditions: what `allocate` returned for this size and alignment.
    virtual void deallocate(void* memory, std::size_t size, std::size_t alignment) noexcept = 0;

  protected:
    memory_resource() noexcept = default;
    memory_resource(const memory_resource&) noexcept = default;
    memory_resource& operator=(const memory_resource&) noexcept = default;
    ~memory_resource() = default;
};

namespace detail {

class heap_resource final : public memory_resource {
  public:
    void* allocate(std::size_t size, std::size_t alignment) noexcept override {
        if (alignment <= __STDCPP_DEFAULT_NEW_ALIGNMENT__) {
            return ::operator new(size, std::nothrow);
        }
        return ::operator new(size, std::align_val_t(alignment), std::nothrow);
    }
    void deallocate(void* memory, std::size_t, std::size_t alignment) noexcept override {
        if (alignment <= __STDCPP_DEFAULT_NEW_ALIGNMENT__) return ::operator delete(memory);
        ::operator delete(memory, std::align_val_t(alignment));
    }
};

inline constinit heap_resource the_heap;

} // namespace detail

/// \returns the resource of operator new and delete.
[[nodiscard]] constexpr memory_resource* heap() noexcept {
    return &detail::the_heap;
}

} // namespace ssekit::inline SSEKIT_ABI

#endif
