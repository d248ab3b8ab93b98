// SPDX-License-Identifier: MIT
#include "support/allocations.hpp"

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <limits>
#include <new>

namespace {

std::atomic<std::size_t> allocation_count;
std::atomic<std::size_t> free_count;
std::atomic<std::size_t> byte_count;
std::atomic<std::size_t> live_bytes;
std::atomic<std::size_t> peak_bytes;

constexpr std::size_t never = std::numeric_limits<std::size_t>::max();
std::atomic<std::size_t> grace_left = never;
std::atomic<bool> has_struck;

} // namespace

namespace support {

allocation_watch::allocation_watch()
    : allocations_(allocation_count), frees_(free_count), bytes_(byte_count), live_(live_bytes) {
    peak_bytes = live_;
}
std::size_t allocation_watch::allocations() const {
    return allocation_count - allocations_;
}
std::size_t allocation_watch::frees() const {
    return free_count - frees_;
}
std::size_t allocation_watch::bytes() const {
    return byte_count - bytes_;
}
std::size_t allocation_watch::peak() const {
    return peak_bytes - live_;
}
std::size_t allocation_watch::kept() const {
    return live_bytes - live_;
}

failing_allocations::failing_allocations(std::size_t grace) {
    has_struck = false;
    grace_left = grace;
}
failing_allocations::~failing_allocations() {
    grace_left = never;
}
bool failing_allocations::struck() const {
    return has_struck;
}

} // namespace support

#ifndef SSEKIT_TESTS_OWN_ALLOCATOR

namespace {

// In front of each block stand its size and, last, the distance to where malloc's block begins.
struct block_head {
    std::size_t size;
    std::size_t distance;
};

void* allocate(std::size_t size, std::size_t alignment) noexcept {
    const std::size_t room = std::max(alignment, sizeof(block_head)); // in front, and to align
    if (size > never / 2 - 2 * room) return nullptr;
    char* const begin = static_cast<char*>(std::malloc(size + 2 * room));
    if (begin == nullptr) return nullptr;
    const std::size_t above = (reinterpret_cast<std::uintptr_t>(begin) + room) % alignment;
    const block_head head{size, above == 0 ? room : room + alignment - above};
    char* const block = begin + head.distance;
    std::memcpy(block - sizeof head, &head, sizeof head);
    ++allocation_count;
    byte_count += size;
    const std::size_t live = live_bytes += size;
    std::size_t peak = peak_bytes;
    while (peak < live && !peak_bytes.compare_exchange_weak(peak, live)) {
    }
    return block;
}

void* allocate_or_end(std::size_t size, std::size_t alignment) {
    if (void* const block = allocate(size, alignment)) return block;
    std::fputs("the tests are out of memory\n", stderr);
    std::abort();
}

void* allocate_or_fail(std::size_t size, std::size_t alignment) noexcept {
    for (std::size_t left = grace_left; left != never;) {
        if (left == 0) {
            has_struck = true;
            return nullptr;
        }
        if (grace_left.compare_exchange_weak(left, left - 1)) break;
    }
    return allocate(size, alignment);
}

void release(void* block) noexcept {
    if (block == nullptr) return;
    block_head head{};
    std::memcpy(&head, static_cast<char*>(block) - sizeof head, sizeof head);
    ++free_count;
    live_bytes -= head.size;
    std::free(static_cast<char*>(block) - head.distance);
}

constexpr std::size_t usual = alignof(max_align_t);

std::size_t number(std::align_val_t alignment) {
    return static_cast<std::size_t>(alignment);
}

} // namespace

void* operator new(std::size_t n) {
    return allocate_or_end(n, usual);
}
void* operator new[](std::size_t n) {
    return allocate_or_end(n, usual);
}
void* operator new(std::size_t n, std::align_val_t a) {
    return allocate_or_end(n, number(a));
}
void* operator new[](std::size_t n, std::align_val_t a) {
    return allocate_or_end(n, number(a));
}

void* operator new(std::size_t n, const std::nothrow_t&) noexcept {
    return allocate_or_fail(n, usual);
}
void* operator new[](std::size_t n, const std::nothrow_t&) noexcept {
    return allocate_or_fail(n, usual);
}
void* operator new(std::size_t n, std::align_val_t a, const std::nothrow_t&) noexcept {
    return allocate_or_fail(n, number(a));
}
void* operator new[](std::size_t n, std::align_val_t a, const std::nothrow_t&) noexcept {
    return allocate_or_fail(n, number(a));
}

void operator delete(void* p) noexcept {
    release(p);
}
void operator delete[](void* p) noexcept {
    release(p);
}
void operator delete(void* p, std::size_t) noexcept {
    release(p);
}
void operator delete[](void* p, std::size_t) noexcept {
    release(p);
}
void operator delete(void* p, std::align_val_t) noexcept {
    release(p);
}
void operator delete[](void* p, std::align_val_t) noexcept {
    release(p);
}
void operator delete(void* p, std::size_t, std::align_val_t) noexcept {
    release(p);
}
void operator delete[](void* p, std::size_t, std::align_val_t) noexcept {
    release(p);
}
void operator delete(void* p, const std::nothrow_t&) noexcept {
    release(p);
}
void operator delete[](void* p, const std::nothrow_t&) noexcept {
    release(p);
}
void operator delete(void* p, std::align_val_t, const std::nothrow_t&) noexcept {
    release(p);
}
void operator delete[](void* p, std::align_val_t, const std::nothrow_t&) noexcept {
    release(p);
}

#endif
