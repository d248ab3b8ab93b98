// SPDX-License-Identifier: MIT
//
// Events on their way into a journal. They leave in the order in which they came, each with a
// number; what the journal says decides what becomes of them:
//
// | it says                | then                                                                |
// |------------------------|---------------------------------------------------------------------|
// | stored, duplicate      | done                                                                |
// | refused                | done, without success                                               |
// | away, unsent           | the same again with the same numbers                                |
// | away, in_doubt         | the same again with the same numbers, which tells                   |
// | another term           | what is in doubt stays so, for its numbers were the old log's;      |
// |                        | the rest is sent to the new one                                     |
//
// Each event that was taken has exactly one outcome. No threads, no clock.
#ifndef SSEKIT_DETAIL_RELAY_OUTBOX_HPP
#define SSEKIT_DETAIL_RELAY_OUTBOX_HPP

#include <ssekit/errc.hpp>
#include <ssekit/journal.hpp>
#include <ssekit/relay_options.hpp>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace ssekit::inline SSEKIT_ABI::detail {

/// An outcome that has not been told yet.
struct relay_result {
    relay_done done;
    relay_outcome outcome;
    std::string why;
};

class relay_outbox {
  public:
    relay_outbox(std::size_t max_events, std::size_t max_bytes) noexcept
        : max_events_(max_events), max_bytes_(max_bytes) {}

    [[nodiscard]] std::size_t size() const noexcept { return waiting_.size(); }
    [[nodiscard]] std::size_t bytes() const noexcept { return bytes_; }

    /// \returns ok, closed, or queue_is_full. One event always fits, however large.
    errc push(std::string entry, const relay_publish_options& options) {
        if (closed_) return errc::closed;
        const std::size_t size = entry.size() + options.once.size();
        const bool fits = waiting_.size() < max_events_ &&
                          (waiting_.empty() || (size <= max_bytes_ && bytes_ <= max_bytes_ - size));
        if (!fits) return errc::queue_is_full;
        waiting_.push_back(
            {std::move(entry), std::string(options.once), options.once_for, options.done});
        bytes_ += size;
        return errc::ok;
    }
    /// Effects: takes no more.
    void close() noexcept { closed_ = true; }
    [[nodiscard]] bool is_closed() const noexcept { return closed_; }

    /// \returns what to append next, from `first_number` on.
    /// Lifetime: until `settle`, `reopened` or `end`, also while more is pushed.
    [[nodiscard]] std::span<const journal_record> take(std::size_t most, std::size_t most_bytes) {
        records_.clear();
        std::size_t bytes = 0;
        for (const event& each : waiting_) {
            bytes += each.size();
            const bool fits = records_.size() < most && bytes <= most_bytes;
            if (!records_.empty() && !fits) break;
            records_.push_back({each.entry, each.once, each.once_for});
        }
        return records_;
    }
    [[nodiscard]] std::uint64_t first_number() const noexcept { return first_; }

    /// Effects: what has become of the records that were taken last.
    /// \param term of the journal \param why what it says of those that it has refused
    void settle(journal_status status, std::span<const appended> ends, std::uint64_t term,
                std::string_view why, std::vector<relay_result>& results) {
        if (status != journal_status::ok) {
            for (std::size_t i = 0; i < ends.size(); ++i) {
                // Once in doubt, an attempt that was not sent tells nothing.
                if (ends[i].how == append_end::in_doubt) doubtful_ = (std::max)(doubtful_, i + 1);
            }
            return;
        }
        for (const appended& each : ends) {
            switch (each.how) {
            case append_end::stored: pop({errc::ok, {term, each.offset}}, {}, results); break;
            case append_end::duplicate:
                pop({errc::ok, {term, each.offset}, true}, {}, results);
                break;
            case append_end::refused: pop({errc::not_stored}, why, results); break;
            case append_end::in_doubt:
            case append_end::unsent: return; // which no journal says together with ok
            }
        }
    }

    /// Effects: the journal has been opened again, in this term.
    void reopened(std::uint64_t term, std::vector<relay_result>& results) {
        if (std::exchange(term_, term) == term) return;
        while (doubtful_ != 0) pop({errc::in_doubt}, {}, results);
    }

    /// Effects: nothing more will be stored.
    void end(std::vector<relay_result>& results) {
        close();
        while (!waiting_.empty()) {
            pop({doubtful_ != 0 ? errc::in_doubt : errc::closed}, {}, results);
        }
    }

  private:
    struct event {
        std::string entry;
        std::string once;
        std::chrono::milliseconds once_for;
        relay_done done;

        [[nodiscard]] std::size_t size() const noexcept { return entry.size() + once.size(); }
    };

    void pop(const relay_outcome& outcome, std::string_view why,
             std::vector<relay_result>& results) {
        const event& first = waiting_.front();
        results.push_back({first.done, outcome, std::string(why)});
        bytes_ -= first.size();
        waiting_.pop_front();
        ++first_;
        if (doubtful_ != 0) --doubtful_;
    }

    std::size_t max_events_;
    std::size_t max_bytes_;
    std::deque<event> waiting_; // where references stay while more comes
    std::vector<journal_record> records_;
    std::size_t bytes_ = 0;
    std::size_t doubtful_ = 0; // of the first ones
    std::uint64_t first_ = 1;  // number of the first
    std::uint64_t term_ = 0;
    bool closed_ = false;
};

} // namespace ssekit::inline SSEKIT_ABI::detail

#endif
