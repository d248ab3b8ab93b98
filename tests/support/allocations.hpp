// SPDX-License-Identifier: MIT
//
// Counts what goes through the global operator new and delete, and lets it fail on demand. Under a
// sanitizer that brings its own allocator nothing is replaced, because that would hide what the
// sanitizer looks for; `counts_allocations` is then false and such tests pass without checking.
#ifndef SSEKIT_TESTS_SUPPORT_ALLOCATIONS_HPP
#define SSEKIT_TESTS_SUPPORT_ALLOCATIONS_HPP

#include <cstddef>

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SSEKIT_TESTS_OWN_ALLOCATOR 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(memory_sanitizer) ||                         \
    __has_feature(thread_sanitizer)
#define SSEKIT_TESTS_OWN_ALLOCATOR 1
#endif
#endif

namespace support {

#ifdef SSEKIT_TESTS_OWN_ALLOCATOR
inline constexpr bool counts_allocations = false;
#else
inline constexpr bool counts_allocations = true;
#endif

/// What all threads together have done since this object was made. Only one at a time.
class allocation_watch {
  public:
    allocation_watch();
    [[nodiscard]] std::size_t allocations() const; ///< calls of operator new
    [[nodiscard]] std::size_t frees() const;       ///< calls of operator delete with a block
    [[nodiscard]] std::size_t bytes() const;       ///< asked for in all these calls
    [[nodiscard]] std::size_t peak() const;        ///< most bytes in use at once, above the start
    [[nodiscard]] std::size_t kept() const;        ///< bytes in use now, above the start

  private:
    std::size_t allocations_;
    std::size_t frees_;
    std::size_t bytes_;
    std::size_t live_;
};

/// As long as it lives, the nothrow forms of operator new succeed `grace` times and then fail.
class failing_allocations {
  public:
    explicit failing_allocations(std::size_t grace);
    ~failing_allocations();
    failing_allocations(const failing_allocations&) = delete;
    failing_allocations& operator=(const failing_allocations&) = delete;

    /// Whether one has failed so far.
    [[nodiscard]] bool struck() const;
};

} // namespace support

#endif
