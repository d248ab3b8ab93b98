// expect: no viable conversion|could not convert
// SPDX-License-Identifier: MIT
#include <ssekit/waker.hpp>

ssekit::waker use(int& first, [[maybe_unused]] int& second) {
#ifdef CORRECTED
    return [&first]() noexcept { ++first; };
#else
    return [&first, &second]() noexcept { ++first, ++second; };
#endif
}
