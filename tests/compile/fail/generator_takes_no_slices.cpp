// expect: no matching function for call to .drain
// SPDX-License-Identifier: MIT
#include <ssekit/adapters/posix.hpp>

#include <cstddef>
#include <span>
#include <string_view>

struct single_buffer_generator {
#ifdef CORRECTED
    std::size_t prepare(std::span<std::string_view>) noexcept;
#else
    std::string_view prepare() noexcept;
#endif
    void consume(std::size_t) noexcept;
    bool is_done() const noexcept;
    bool is_abrupt() const noexcept;
};

ssekit::drain_status use(single_buffer_generator& stream, ssekit::posix_writer& out) {
    return ssekit::drain(stream, out);
}
