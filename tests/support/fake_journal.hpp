// SPDX-License-Identifier: MIT
//
// A journal in memory. Several of them share one log, as several processes share an engine; the log does
// wrong what a test tells it to.
#ifndef SSEKIT_TESTS_SUPPORT_FAKE_JOURNAL_HPP
#define SSEKIT_TESTS_SUPPORT_FAKE_JOURNAL_HPP

#include <ssekit/journal.hpp>

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <limits>
#include <map>
#include <mutex>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace support {

/// What can go wrong with an append.
enum class append_fault : std::uint8_t {
    none,
    unsent,     ///< away, and nothing is stored
    lost_ack,   ///< away, and all is stored
    halfway,    ///< away, and the first half is stored
    lost_query, ///< away, nothing is stored, but the journal does not know that
    refused,    ///< ok, and each record is refused
};

/// Thread safety: for any thread.
class fake_log {
  public:
    /// The next calls, whatever they are, find no engine.
    void go_away(std::size_t calls = std::numeric_limits<std::size_t>::max()) {
        const std::lock_guard locked(lock_);
        away_ = calls;
        changed_.notify_all();
    }
    void come_back() { go_away(0); }
    /// The next append does wrong.
    void fail_append(append_fault fault) {
        const std::lock_guard locked(lock_);
        faults_.push_back(fault);
    }
    /// Records whose entry holds this are refused; "" for none.
    void refuse(std::string_view what) {
        const std::lock_guard locked(lock_);
        refused_ = what;
    }
    /// The newest records are gone, as after a fall-back on a replica that did not have them.
    void roll_back(std::size_t records) {
        const std::lock_guard locked(lock_);
        drop_newest(records);
        begin_anew();
    }
    /// The same, and the engine does not notice, which no journal may do.
    void roll_back_silently(std::size_t records) {
        const std::lock_guard locked(lock_);
        drop_newest(records);
        changed_.notify_all();
    }
    /// All is gone.
    void erase() {
        const std::lock_guard locked(lock_);
        entries_.clear();
        oldest_ = 1;
        begin_anew();
    }
    void trim(std::uint64_t keep) {
        const std::lock_guard locked(lock_);
        while (entries_.size() > keep) {
            entries_.pop_front();
            ++oldest_;
        }
    }
    /// Something that nobody of us has written.
    void write(std::string_view entry) {
        const std::lock_guard locked(lock_);
        entries_.emplace_back(entry);
        changed_.notify_all();
    }
    void set_time(std::chrono::milliseconds now) {
        const std::lock_guard locked(lock_);
        now_ = now;
    }

    [[nodiscard]] std::vector<std::string> entries() {
        const std::lock_guard locked(lock_);
        return {entries_.begin(), entries_.end()};
    }
    [[nodiscard]] std::uint64_t term() {
        const std::lock_guard locked(lock_);
        return term_;
    }

  private:
    friend class fake_journal;

    struct once {
        std::uint64_t offset;
        std::chrono::milliseconds until;
    };

    [[nodiscard]] std::uint64_t newest() const { return oldest_ + entries_.size() - 1; }
    void drop_newest(std::size_t records) {
        for (; records != 0 && !entries_.empty(); --records) entries_.pop_back();
    }
    void begin_anew() {
        ++term_;
        since_ = newest();
        producers_.clear(); // or all that they send again would be taken for duplicates
        onces_.clear();
        changed_.notify_all();
    }
    bool is_away() {
        if (away_ == 0) return false;
        if (away_ != std::numeric_limits<std::size_t>::max()) --away_;
        return true;
    }

    std::mutex lock_;
    std::condition_variable changed_;
    std::deque<std::string> entries_;
    std::uint64_t oldest_ = 1; // offset of the first entry, or of the next one
    std::uint64_t term_ = 1;
    std::uint64_t since_ = 0; // what the term began after
    std::map<std::string, std::uint64_t, std::less<>> producers_;
    std::map<std::string, once, std::less<>> onces_;
    std::size_t away_ = 0;
    std::deque<append_fault> faults_;
    std::string refused_;
    std::chrono::milliseconds now_{0};
};

class fake_journal {
  public:
    /// Lifetime: the log outlives it.
    explicit fake_journal(fake_log& log) : log_(&log) {}

    ssekit::journal_bounds open() noexcept {
        const std::lock_guard locked(log_->lock_);
        term_ = 0;
        if (log_->is_away()) {
            static_cast<void>(away());
            return {};
        }
        term_ = log_->term_;
        return {ssekit::journal_status::ok, term_, log_->oldest_, log_->newest(), log_->since_};
    }

    ssekit::journal_status append(std::string_view producer, std::uint64_t first,
                                  std::span<const ssekit::journal_record> records,
                                  std::span<ssekit::appended> ends) noexcept {
        const std::lock_guard locked(log_->lock_);
        std::fill(ends.begin(), ends.end(), ssekit::appended{ssekit::append_end::unsent, 0});
        if (log_->is_away() || term_ == 0) return away();
        append_fault fault = append_fault::none;
        if (!log_->faults_.empty()) {
            fault = log_->faults_.front();
            log_->faults_.pop_front();
        }
        if (fault == append_fault::unsent) return away();
        if (term_ != log_->term_) return other_term();
        for (std::size_t i = 0; i < records.size(); ++i) {
            if (fault == append_fault::lost_query) break;
            if (fault == append_fault::halfway && i >= records.size() / 2) break;
            ends[i] = append_one(producer, first + i, records[i], fault == append_fault::refused);
        }
        log_->changed_.notify_all();
        if (fault == append_fault::none || fault == append_fault::refused) {
            return ssekit::journal_status::ok;
        }
        std::fill(ends.begin(), ends.end(), ssekit::appended{});
        return away();
    }

    ssekit::journal_page read(std::uint64_t after, std::uint64_t most,
                              ssekit::journal_visitor visit) noexcept {
        std::vector<std::string> found;
        ssekit::journal_page page;
        {
            const std::lock_guard locked(log_->lock_);
            if (log_->is_away() || term_ == 0) {
                static_cast<void>(away());
                return page;
            }
            page.newest = log_->newest();
            if (term_ != log_->term_ || after > page.newest) {
                page.status = other_term();
                return page;
            }
            const bool lost = after + 1 < log_->oldest_;
            page.status = lost ? ssekit::journal_status::lost : ssekit::journal_status::ok;
            page.through = std::max(after, log_->oldest_ - 1);
            const std::uint64_t left = page.newest - page.through;
            for (std::uint64_t i = 0; i < std::min(left, most); ++i) {
                const std::uint64_t at = page.through + 1 + i - log_->oldest_;
                found.push_back(log_->entries_[static_cast<std::size_t>(at)]);
            }
        }
        for (const std::string& each : found) visit(++page.through, each);
        return page;
    }

    ssekit::journal_status wait(std::uint64_t after, std::chrono::milliseconds time) noexcept {
        std::unique_lock locked(log_->lock_);
        if (log_->is_away() || term_ == 0) return away();
        log_->changed_.wait_for(locked, time, [&] {
            return log_->newest() > after || log_->term_ != term_ || log_->away_ != 0;
        });
        return ssekit::journal_status::ok;
    }

    ssekit::journal_status trim(std::uint64_t keep) noexcept {
        {
            const std::lock_guard locked(log_->lock_);
            if (log_->is_away() || term_ == 0) return away();
            if (term_ != log_->term_) return other_term();
        }
        log_->trim(keep);
        return ssekit::journal_status::ok;
    }

    [[nodiscard]] std::string_view error() const noexcept { return error_; }

  private:
    ssekit::journal_status away() {
        error_ = "the engine is away";
        return ssekit::journal_status::away;
    }
    ssekit::journal_status other_term() {
        error_ = "another term";
        return ssekit::journal_status::other_term;
    }

    ssekit::appended append_one(std::string_view producer, std::uint64_t number,
                                const ssekit::journal_record& record, bool refuses) {
        using ssekit::append_end;
        if (refuses || record.entry.empty() ||
            (!log_->refused_.empty() && record.entry.find(log_->refused_) != record.entry.npos)) {
            error_ = "the engine does not take it";
            return {append_end::refused, 0};
        }
        auto last = log_->producers_.find(producer);
        if (last == log_->producers_.end()) {
            last = log_->producers_.emplace(std::string(producer), 0).first;
        }
        if (number <= last->second) return {append_end::duplicate, 0};
        last->second = number;
        const auto known = log_->onces_.find(record.once);
        if (!record.once.empty() && known != log_->onces_.end() &&
            known->second.until > log_->now_) {
            return {append_end::duplicate, known->second.offset};
        }
        log_->entries_.emplace_back(record.entry);
        if (!record.once.empty()) {
            log_->onces_.insert_or_assign(
                std::string(record.once),
                fake_log::once{log_->newest(), log_->now_ + record.once_for});
        }
        return {append_end::stored, log_->newest()};
    }

    fake_log* log_;
    std::uint64_t term_ = 0;
    std::string_view error_;
};

static_assert(ssekit::journal<fake_journal>);

} // namespace support

#endif
