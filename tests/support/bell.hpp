// SPDX-License-Identifier: MIT
//
// A waker that counts how often it was fired.
#ifndef SSEKIT_TESTS_SUPPORT_BELL_HPP
#define SSEKIT_TESTS_SUPPORT_BELL_HPP

#include <ssekit/hub.hpp>

#include <utility>

namespace support {

struct bell {
    int rings = 0;

    [[nodiscard]] ssekit::waker waker() {
        return {[](void* self) noexcept { ++static_cast<bell*>(self)->rings; }, this};
    }
    /// How often it has rung since the last call.
    int take() { return std::exchange(rings, 0); }
};

} // namespace support

#endif
