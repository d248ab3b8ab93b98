// SPDX-License-Identifier: MIT
//
// What one attempt to connect means for the next: whether there is one, and when. Failures in a row
// are counted; a stream that has brought something, or has lasted, starts the count again.
#ifndef SSEKIT_DETAIL_SOURCE_ATTEMPTS_HPP
#define SSEKIT_DETAIL_SOURCE_ATTEMPTS_HPP

#include <ssekit/detail/base/random.hpp>
#include <ssekit/detail/source/backoff.hpp>
#include <ssekit/event_source_options.hpp>
#include <ssekit/time.hpp>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <string_view>

namespace ssekit::inline SSEKIT_ABI::detail {

/// How an attempt has ended.
enum class source_loss : std::uint8_t {
    in_order, ///< the answer has ended as it should
    broken,   ///< anywhere
    unsent,   ///< before anything of the request was sent: that may always be repeated
    told,     ///< its owner has told it to try again
};

/// A request that has no effects. Spec: RFC 9110, 9.2.1; RFC 10008.
[[nodiscard]] constexpr bool only_reads(std::string_view method) noexcept {
    return method == "GET" || method == "HEAD" || method == "QUERY";
}

class attempts {
  public:
    explicit attempts(std::uint64_t seed) noexcept : random_(seed) {}

    void seed(std::uint64_t value) noexcept { random_ = random_sequence(value); }
    void begin_stream() noexcept {
        has_progress_ = false;
        has_streamed_ = true;
    }
    /// The server works: its stream has brought something.
    void make_progress() noexcept { has_progress_ = true; }
    void forget_failures() noexcept { failures_ = 0; }
    [[nodiscard]] unsigned failures() const noexcept { return failures_; } // in a row

    [[nodiscard]] bool may_repeat(const event_source_options& options,
                                  source_loss how) const noexcept {
        if (how == source_loss::unsent || how == source_loss::told) return true;
        switch (options.repeat) {
        case repeat_policy::always: return true;
        case repeat_policy::until_stream: return !has_streamed_;
        default: return only_reads(options.method);
        }
    }

    /// A connection was lost.
    /// \param lasted that of a stream: `healthy_after` is over
    /// \returns whether it was one too many.
    [[nodiscard]] bool fail(const event_source_options& options, bool was_open,
                            bool lasted) noexcept {
        if (was_open && (has_progress_ || lasted)) failures_ = 0;
        return options.max_failures != 0 && failures_ == options.max_failures;
    }

    /// \returns how long to wait, and counts the failure.
    [[nodiscard]] std::chrono::milliseconds delay(const event_source_options& options,
                                                  std::chrono::milliseconds asked) noexcept {
        const delay_bounds bounds{
            .min = options.min_delay, .max = options.max_delay, .max_spread = options.max_backoff};
        const std::chrono::milliseconds out = draw(delay_after(asked, failures_, bounds), random_);
        if (failures_ + 1 != 0) ++failures_;
        return out;
    }

  private:
    random_sequence random_;
    unsigned failures_ = 0;
    bool has_progress_ = false; // since the stream has begun
    bool has_streamed_ = false; // ever
};

} // namespace ssekit::inline SSEKIT_ABI::detail

#endif
