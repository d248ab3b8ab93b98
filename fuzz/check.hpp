// SPDX-License-Identifier: MIT
#ifndef SSEKIT_FUZZ_CHECK_HPP
#define SSEKIT_FUZZ_CHECK_HPP

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <iostream>
#include <string_view>

namespace fuzz {

inline void check(bool holds, const char* invariant) {
    if (holds) return;
    std::fprintf(stderr, "violated: %s\n", invariant);
    std::abort();
}

template <class T>
void check_same(const T& seen, const T& expected, const char* invariant) {
    if (seen == expected) return;
    std::cerr << "violated: " << invariant << "\nseen:     " << seen << "\nexpected: " << expected
              << '\n';
    std::abort();
}

/// The input of a target: a few bytes choose what is done, and the rest is the data.
class choices {
  public:
    choices(const std::uint8_t* data, std::size_t size) : rest_(chars(data), size) {}

    /// \returns a number below `end`, which is at most 256; 0 when the input is used up.
    [[nodiscard]] std::size_t below(std::size_t end) {
        if (rest_.empty()) return 0;
        const auto byte = static_cast<unsigned char>(rest_.front());
        rest_.remove_prefix(1);
        return byte % end;
    }
    [[nodiscard]] bool flag() { return below(2) == 1; }

    /// \returns up to `size` bytes.
    [[nodiscard]] std::string_view take(std::size_t size) {
        const std::string_view taken = rest_.substr(0, size);
        rest_.remove_prefix(taken.size());
        return taken;
    }
    [[nodiscard]] std::string_view rest() { return take(rest_.size()); }

  private:
    static const char* chars(const std::uint8_t* data) {
        return reinterpret_cast<const char*>(data);
    }

    std::string_view rest_;
};

} // namespace fuzz

#endif
