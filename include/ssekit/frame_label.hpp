// SPDX-License-Identifier: MIT
#ifndef SSEKIT_FRAME_LABEL_HPP
#define SSEKIT_FRAME_LABEL_HPP

#include <ssekit/version.hpp>

#include <string_view>

namespace ssekit::inline SSEKIT_ABI {

/// What an event is about, for code that handles frames without decoding them. It never leaves the
/// process.
struct frame_label {
    std::string_view topic = {}; ///< where it was published
    std::string_view key = {};   ///< a newer event of the same key replaces this one; "": none does
    bool removes_key = false;    ///< after this event the key has no value
};

} // namespace ssekit::inline SSEKIT_ABI

#endif
