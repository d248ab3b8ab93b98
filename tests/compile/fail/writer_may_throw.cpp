// expect: no matching function for call to .drain
// SPDX-License-Identifier: MIT
#include <ssekit/hub.hpp>
#include <ssekit/writer.hpp>

#include <span>
#include <string_view>

struct throwing_writer {
#ifdef CORRECTED
    ssekit::write_result write_some(std::span<const std::string_view>) noexcept;
#else
    ssekit::write_result write_some(std::span<const std::string_view>);
#endif
};

ssekit::drain_status use(ssekit::subscription& stream, throwing_writer& out) {
    return ssekit::drain(stream, out);
}
