// SPDX-License-Identifier: MIT
//
// A library to be preloaded into a program that has to survive without memory. While it is switched
// on, each SSEKIT_FAIL_EVERY-th allocation of the whole program fails; SIGUSR1 switches it on and
// off, so that the program can start in peace. Needs glibc.
#include <atomic>
#include <cerrno>
#include <csignal>
#include <cstddef>
#include <cstdlib>

extern "C" {
void* __libc_malloc(std::size_t);
void* __libc_calloc(std::size_t, std::size_t);
void* __libc_realloc(void*, std::size_t);
void* __libc_memalign(std::size_t, std::size_t);
}

namespace {

std::atomic<bool> is_on = false;
std::atomic<unsigned long> count = 0;
unsigned long every = 0;

bool fails() {
    if (!is_on || every == 0 || ++count % every != 0) return false;
    errno = ENOMEM;
    return true;
}

void toggle(int) {
    is_on = !is_on;
}

__attribute__((constructor)) void begin() {
    const char* const wanted = std::getenv("SSEKIT_FAIL_EVERY");
    if (wanted != nullptr) every = std::strtoul(wanted, nullptr, 10);
    std::signal(SIGUSR1, toggle);
}

} // namespace

extern "C" {

void* malloc(std::size_t size) {
    return fails() ? nullptr : __libc_malloc(size);
}
void* calloc(std::size_t count_of, std::size_t size) {
    return fails() ? nullptr : __libc_calloc(count_of, size);
}
void* realloc(void* before, std::size_t size) {
    return fails() ? nullptr : __libc_realloc(before, size);
}
void* aligned_alloc(std::size_t alignment, std::size_t size) {
    return fails() ? nullptr : __libc_memalign(alignment, size);
}
int posix_memalign(void** out, std::size_t alignment, std::size_t size) {
    if (fails()) return ENOMEM;
    *out = __libc_memalign(alignment, size);
    return *out == nullptr ? ENOMEM : 0;
}
}
