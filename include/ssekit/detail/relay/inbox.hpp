// SPDX-License-Identifier: MIT
//
// Records on their way from a journal to a hub: what the reader has found, in the order in which
// the hub has to be told, a bounded part of it at a time. Each offset comes to one end in the hub:
// it is published, lost, or skipped because nobody can read it.
#ifndef SSEKIT_DETAIL_RELAY_INBOX_HPP
#define SSEKIT_DETAIL_RELAY_INBOX_HPP

#include <ssekit/errc.hpp>
#include <ssekit/event_place.hpp>
#include <ssekit/event_sequence.hpp>
#include <ssekit/event_target.hpp>
#include <ssekit/journal_entry.hpp>
#include <ssekit/relay_options.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace ssekit::inline SSEKIT_ABI::detail {

/// What one look into the log has brought.
class relay_page {
  public:
    std::optional<event_place> begins = {}; ///< the hub begins there, before all else
    std::uint64_t lost_through = 0;         ///< then all up to here is lost; 0: nothing is
    std::uint64_t term = 0;
    std::uint64_t newest = 0; ///< of the log, when it was looked at
    std::uint64_t asked = 0;  ///< how often the hub had been told the newest before that

    void add(std::uint64_t offset, std::string_view entry) {
        if (records_.empty()) first_ = offset;
        bytes_.append(entry);
        records_.push_back({offset, entry.size()});
    }
    /// The first offset that was added, 0 for none.
    [[nodiscard]] std::uint64_t first() const noexcept { return first_; }
    /// What it holds, in bytes.
    [[nodiscard]] std::size_t size() const noexcept {
        return sizeof *this + bytes_.size() + records_.size() * sizeof(record);
    }

    /// Effects: tells the hub no more than so many records and, but for one record, bytes; both are
    /// lowered by what it was told. \returns whether the page is done. False with room left: there
    /// was no memory; it may be tried again.
    template <class Hub>
    bool tell(Hub& hub, entry_reader& reader, std::size_t& records, std::size_t& bytes,
              relay_metrics& metrics);

    /// Effects: calls `call(const event_place&, std::string_view entry)` for what is left, as long
    /// as that returns true, which means that it is done with the record; for no more than so many
    /// records and, but for one record, bytes. \returns whether nothing is left.
    template <class Call>
    bool for_each(std::size_t& records, std::size_t& bytes, Call&& call);

    /// Up to where the hub has been told.
    [[nodiscard]] std::uint64_t told_through() const noexcept { return told_; }

  private:
    struct record {
        std::uint64_t offset;
        std::size_t size;
    };

    template <class Hub>
    static bool tell_one(Hub& hub, const event_place& at, std::string_view entry,
                         entry_reader& reader, relay_metrics& metrics);

    std::string bytes_;
    std::vector<record> records_;
    std::uint64_t first_ = 0;
    std::uint64_t told_ = 0;
    std::size_t next_ = 0;     // of the records
    std::size_t position_ = 0; // of its bytes
};

// ---- how

template <class Hub>
bool relay_page::tell(Hub& hub, entry_reader& reader, std::size_t& records, std::size_t& bytes,
                      relay_metrics& metrics) {
    if (begins) {
        const bool here = hub.newest().epoch == begins->epoch;
        const errc code = here ? hub.begin_at(begins->offset) : hub.begin_epoch(*begins);
        if (code == errc::out_of_memory) return false;
        told_ = begins->offset;
        begins.reset();
    }
    if (lost_through != 0) {
        const std::uint64_t before = hub.newest().offset;
        const errc code = hub.lose({term, lost_through});
        if (code == errc::out_of_memory) return false;
        if (code == errc::ok) metrics.lost += lost_through - before;
        told_ = lost_through;
        lost_through = 0;
    }
    return for_each(records, bytes, [&](const event_place& at, std::string_view entry) {
        return tell_one(hub, at, entry, reader, metrics);
    });
}

template <class Call>
bool relay_page::for_each(std::size_t& records, std::size_t& bytes, Call&& call) {
    for (; next_ < records_.size(); ++next_) {
        if (records == 0 || bytes == 0) return false;
        const record& each = records_[next_];
        const std::string_view entry(bytes_.data() + position_, each.size);
        if (!call(event_place{term, each.offset}, entry)) return false;
        --records;
        bytes -= (std::min)(each.size, bytes);
        position_ += each.size;
        told_ = each.offset;
    }
    return true;
}

/// \returns the event with its place, and a mark for a topic that is closed without a word.
[[nodiscard]] inline sequenced_event sequenced(const event_place& at,
                                               const journal_entry& entry) noexcept {
    const topic_list& names = entry.target.names();
    event_sequence sequence(at.epoch, at.offset - 1);
    if (!entry.event.data && !entry.event.retry) return sequence.mark();
    return sequence.make(names.empty() ? std::string_view() : names[0], entry.event, entry.key);
}

// What this hub refuses although others may have taken it, for want of memory for instance, stays
// open: streams that miss it are told with what follows. What no hub can take is nobody's.
template <class Hub>
bool relay_page::tell_one(Hub& hub, const event_place& at, std::string_view entry,
                          entry_reader& reader, relay_metrics& metrics) {
    const entry_fault fault = reader.read(entry);
    if (fault != entry_fault::none) {
        if (hub.skip(at) == errc::out_of_memory) return false;
        ++(fault == entry_fault::empty   ? metrics.not_records
           : fault == entry_fault::newer ? metrics.newer
                                         : metrics.malformed);
        return true;
    }
    const sequenced_event event = sequenced(at, reader.entry());
    errc code = event.ec;
    if (code == errc::ok) {
        code = hub.publish_sequenced(reader.entry().target, event).ec;
    } else if (code != errc::out_of_memory) {
        static_cast<void>(hub.skip(at));
    }
    ++(code == errc::ok ? metrics.received : metrics.not_taken);
    return true;
}

} // namespace ssekit::inline SSEKIT_ABI::detail

#endif
