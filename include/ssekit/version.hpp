// SPDX-License-Identifier: MIT
#ifndef SSEKIT_VERSION_HPP
#define SSEKIT_VERSION_HPP

#include <compare>

// The version stands here and nowhere else: CMakeLists.txt and meson.build read these three lines.
#define SSEKIT_VERSION_MAJOR 0
#define SSEKIT_VERSION_MINOR 1
#define SSEKIT_VERSION_PATCH 0

namespace ssekit {

/// A version of this library; versions compare in their natural order.
struct version_info {
    int major;
    int minor;
    int patch;

    friend constexpr auto operator<=>(const version_info&, const version_info&) noexcept = default;
};

/// The version of the headers in use.
inline constexpr version_info version{SSEKIT_VERSION_MAJOR, SSEKIT_VERSION_MINOR,
                                      SSEKIT_VERSION_PATCH};

} // namespace ssekit

#endif
