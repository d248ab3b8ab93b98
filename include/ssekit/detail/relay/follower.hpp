// SPDX-License-Identifier: MIT
//
// Where a reader of a log stands, and what its hub has to be told. A hub that starts begins some
// records before the newest, so that it has a history; one that runs goes on where it was. After a
// change of the term it begins where that term began: what is older it has had already, or may
// have. No threads, no clock, no journal.
#ifndef SSEKIT_DETAIL_RELAY_FOLLOWER_HPP
#define SSEKIT_DETAIL_RELAY_FOLLOWER_HPP

#include <ssekit/event_place.hpp>
#include <ssekit/journal.hpp>

#include <algorithm>
#include <cstdint>
#include <optional>

namespace ssekit::inline SSEKIT_ABI::detail {

class log_follower {
  public:
    /// \param ring records before the newest that a hub begins with
    explicit log_follower(std::uint64_t ring) noexcept : ring_(ring) {}

    enum class opening : std::uint8_t {
        begins,    ///< the hub begins after `place`
        goes_on,   ///< as if nothing had been
        went_back, ///< the log has lost its end and still has its term: its ids would name two
                   ///< events each, so nothing is read until the term is another one
    };

    /// Effects: the log has been opened. Preconditions: bounds.status is ok.
    opening opened(const journal_bounds& bounds) noexcept {
        if (bounds.term == place_.epoch) {
            went_back_ = went_back_ || bounds.newest < place_.offset;
            return went_back_ ? opening::went_back : opening::goes_on;
        }
        went_back_ = false;
        if (place_.epoch != 0) ++term_changes_;
        const std::uint64_t before = bounds.newest - (std::min)(bounds.newest, ring_);
        const std::uint64_t begin = place_.epoch == 0 ? before : bounds.since;
        // What is no longer kept cannot be begun with.
        place_ = {bounds.term, (std::min)((std::max)(begin, bounds.oldest - 1), bounds.newest)};
        if (!aim_) aim_ = bounds.newest;
        newest_ = bounds.newest;
        return opening::begins;
    }

    /// Where to read on: after this.
    [[nodiscard]] event_place place() const noexcept { return place_; }
    /// The newest that is known of.
    [[nodiscard]] std::uint64_t newest() const noexcept { return newest_; }
    [[nodiscard]] std::uint64_t term_changes() const noexcept { return term_changes_; }
    /// What the newest was when it was first opened: once the hub has that, clients may come.
    [[nodiscard]] std::optional<std::uint64_t> aim() const noexcept { return aim_; }

    /// Effects: a page has been read after `place`. Preconditions: its status is ok or lost.
    /// \param first the first offset that was shown, 0 for none
    /// \returns up to where everything is lost, before what was shown; 0 when nothing is.
    std::uint64_t read(const journal_page& page, std::uint64_t first) noexcept {
        const std::uint64_t from = place_.offset;
        place_.offset = (std::max)(page.through, from);
        newest_ = (std::max)(page.newest, place_.offset);
        if (page.status != journal_status::lost) return 0;
        const std::uint64_t through = first != 0 ? first - 1 : place_.offset;
        return through > from ? through : 0;
    }

  private:
    std::uint64_t ring_;
    event_place place_ = {}; // epoch 0: never opened
    std::uint64_t newest_ = 0;
    std::uint64_t term_changes_ = 0;
    std::optional<std::uint64_t> aim_ = {};
    bool went_back_ = false;
};

} // namespace ssekit::inline SSEKIT_ABI::detail

#endif
