// expect: no viable conversion|could not convert
// SPDX-License-Identifier: MIT
#include <ssekit/waker.hpp>

ssekit::waker use(int& count) {
#ifdef CORRECTED
    return [&count]() noexcept { ++count; };
#else
    return [&count] { ++count; };
#endif
}
