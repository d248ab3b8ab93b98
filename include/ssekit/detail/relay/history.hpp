// SPDX-License-Identifier: MIT
//
// History from a journal for streams that have missed more than their hub keeps. The loop collects
// which streams need some; a thread reads a page for each of them in turn; the loop feeds it. A
// stream is asked for once at a time, so what waits is bounded by the streams that are fed, and a
// slow stream holds up no other.
#ifndef SSEKIT_DETAIL_RELAY_HISTORY_HPP
#define SSEKIT_DETAIL_RELAY_HISTORY_HPP

#include <ssekit/detail/relay/inbox.hpp>
#include <ssekit/errc.hpp>
#include <ssekit/event_place.hpp>
#include <ssekit/hub_options.hpp>
#include <ssekit/journal.hpp>
#include <ssekit/journal_entry.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <string_view>
#include <utility>
#include <vector>

namespace ssekit::inline SSEKIT_ABI::detail {

/// What a stream is fed next.
struct relay_history {
    history_need need;
    relay_page page = {};
    std::uint64_t through = 0; ///< it has all up to here, once it has been fed the page
    bool over = false;         ///< there is no more for it

    /// Effects: takes what a journal has found.
    void read(const journal_page& found) noexcept {
        page.term = need.after.epoch;
        through = found.through;
        // Lost to its end, or nothing where something should be: the hub says what is missing.
        over = page.first() == 0 &&
               (found.status != journal_status::ok || through <= need.after.offset);
    }

    /// Effects: feeds the stream no more than so many records and, but for one record, bytes.
    /// \returns whether the page is done with, also where the stream takes no more of it: it asks
    /// again when it does.
    template <class Hub>
    bool feed(Hub& hub, entry_reader& reader, std::size_t& records, std::size_t& bytes);
};

/// The streams that have asked.
class history_queue {
  public:
    /// Effects: asks for the stream, unless it has been asked for. \returns whether it is new.
    bool ask(const history_need& need) {
        const auto here = std::lower_bound(asked_.begin(), asked_.end(), need.stream);
        if (here != asked_.end() && *here == need.stream) return false;
        asked_.insert(here, need.stream);
        waiting_.push_back(need);
        return true;
    }
    /// Effects: the stream may be asked for again.
    void settle(std::uint64_t stream) noexcept {
        const auto here = std::lower_bound(asked_.begin(), asked_.end(), stream);
        if (here != asked_.end() && *here == stream) asked_.erase(here);
    }
    [[nodiscard]] bool empty() const noexcept { return waiting_.empty(); }
    /// Preconditions: it is not empty.
    [[nodiscard]] history_need take() noexcept {
        const history_need first = waiting_.front();
        waiting_.pop_front();
        return first;
    }
    /// Effects: it is read later, after the others.
    void put_back(const history_need& need) { waiting_.push_back(need); }

  private:
    std::vector<std::uint64_t> asked_; // in order
    std::deque<history_need> waiting_;
};

// ---- how

template <class Hub>
bool relay_history::feed(Hub& hub, entry_reader& reader, std::size_t& records, std::size_t& bytes) {
    if (over) {
        static_cast<void>(hub.feed_no_more(need.stream));
        return true;
    }
    bool takes = true;
    const bool all =
        page.for_each(records, bytes, [&](const event_place& at, std::string_view entry) {
            errc code = errc::ok;
            if (reader.read(entry) == entry_fault::none) {
                const sequenced_event event = sequenced(at, reader.entry());
                code = event.ec == errc::ok ? hub.feed(need.stream, reader.entry().target, event)
                                            : hub.feed_through(need.stream, at);
            } else {
                code = hub.feed_through(need.stream, at);
            }
            takes = code == errc::ok;
            return takes;
        });
    if (all && takes) static_cast<void>(hub.feed_through(need.stream, {page.term, through}));
    return all || !takes;
}

} // namespace ssekit::inline SSEKIT_ABI::detail

#endif
