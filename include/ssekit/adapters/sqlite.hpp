// SPDX-License-Identifier: MIT
//
// A journal in one SQLite file, for several processes of one machine, and for one process that
// restarts. It needs nothing but libsqlite3, from 3.24 on.
//
// The file is in WAL mode, so that readers and the writer do not wait for each other. What one call
// appends is one transaction: the records, the last number of their producer, and what has to come
// once. So a producer that hands over all that has come while the last call was under way commits
// it as a group, with one sync. Offsets are counted in the same transaction and never given twice,
// also not after everything has been trimmed. A page is read into memory before it is shown, so a
// slow reader holds no snapshot open, and the WAL does not grow.
//
// What is acknowledged survives depends on `sync`. Under sqlite_sync::full `append` returns when
// the disk has it, and the term stays for as long as the file does. Under sqlite_sync::normal it
// returns when the operating system has it: it survives the death of all processes, but a loss of
// power may take the newest. So the file remembers by which run of the machine it was written in
// this way, and has a new term after a restart of the machine. Put back from a backup, the file has
// an old end and the same term: call `renew`.
//
// Tables, for those who look: entry(n, bytes), once, head with one row, and producer, whose row
// without a name has the newest offset, where that costs no further page of the WAL. Rows that
// somebody else writes into entry are shown as they are if they are blobs of no more than
// `max_entry` bytes, and else as entries of no bytes; where rows are missing, `read` says lost.
#ifndef SSEKIT_ADAPTERS_SQLITE_HPP
#define SSEKIT_ADAPTERS_SQLITE_HPP

#include <ssekit/adapters/detail/sqlite_file.hpp>
#include <ssekit/adapters/detail/sqlite_tables.hpp>
#include <ssekit/adapters/sqlite_options.hpp>
#include <ssekit/journal.hpp>

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <mutex>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <sqlite3.h>

namespace ssekit::inline SSEKIT_ABI {

/// Thread safety: as an int; any number of them, in any processes, may have the same file, which is
/// not on a network share.
class sqlite_journal : detail::sqlite_tables {
  public:
    static constexpr int application_id = application; ///< "SSEK": `PRAGMA application_id`
    static constexpr int schema_version = schema;      ///< `PRAGMA user_version`

    /// Effects: none before `open`. Throws std::bad_alloc.
    explicit sqlite_journal(std::string file, sqlite_journal_options options = {})
        : sqlite_tables(std::move(file), std::move(options)) {}

    /// Effects: as `journal` has it. A file that belongs to another application, or to a newer
    /// version of this one, is left as it is: `away`, and `error` says which.
    journal_bounds open() noexcept;
    journal_status append(std::string_view producer, std::uint64_t first,
                          std::span<const journal_record> records,
                          std::span<appended> ends) noexcept;
    journal_page read(std::uint64_t after, std::uint64_t most, journal_visitor visit) noexcept;
    journal_status wait(std::uint64_t after, std::chrono::milliseconds time) noexcept;
    /// Effects: as `journal` has it, in transactions of a thousand records, so that others can
    /// append meanwhile. Numbers of producers that have been silent for a day go as well.
    journal_status trim(std::uint64_t keep) noexcept;

    /// Effects: gives the log another term, as after it has been put back from a backup. All that
    /// have it open, this object as well, have to open it again. \returns ok or away.
    journal_status renew() noexcept;

    [[nodiscard]] std::string_view error() const noexcept { return error_; }

  private:
    struct place {
        std::uint64_t offset;
        std::size_t size;
    };

    [[nodiscard]] int store(std::string_view producer, std::uint64_t first,
                            std::span<const journal_record> records, std::span<appended> ends,
                            std::uint64_t newest);
    [[nodiscard]] int find_once(std::string_view key, std::int64_t now, appended& end);
    [[nodiscard]] int remember_once(const journal_record& record, std::int64_t now,
                                    std::uint64_t offset);
    [[nodiscard]] journal_status take_page(std::uint64_t after, std::uint64_t most,
                                           journal_page& page);
    static std::int64_t system_time() noexcept; // in milliseconds

    std::string bytes_; // of the page that is read
    std::vector<place> places_;
};

static_assert(journal<sqlite_journal>);

// ---- how

namespace detail {

/// Who waits for records in this process is woken when one is written, whatever the file.
struct sqlite_bell {
    void ring() noexcept {
        {
            const std::lock_guard locked(lock);
            ++rings;
        }
        changed.notify_all();
    }
    static sqlite_bell& of_process() noexcept {
        static sqlite_bell bell;
        return bell;
    }

    std::mutex lock;
    std::condition_variable changed;
    std::uint64_t rings = 0;
};

} // namespace detail

inline std::int64_t sqlite_journal::system_time() noexcept {
    return std::chrono::duration_cast<std::chrono::milliseconds>(
               std::chrono::system_clock::now().time_since_epoch())
        .count();
}

inline journal_bounds sqlite_journal::open() noexcept {
    return within_timeout([this]() -> journal_bounds {
        // Two that make a file at the same time get in each other's way, and SQLite does not wait.
        for (close(); !connect(); close()) {
            const bool again = file_.is_busy() && !file_.is_late();
            if (!again) {
                close();
                return {};
            }
            file_.sleep();
        }
        const head_row head = look();
        if (head.term == 0) {
            fails(file_.words());
            close();
            return {};
        }
        term_ = head.term;
        error_.clear();
        return {journal_status::ok, head.term, head.oldest, head.newest, head.since};
    });
}

inline int sqlite_journal::store(std::string_view producer, std::uint64_t first,
                                 std::span<const journal_record> records, std::span<appended> ends,
                                 std::uint64_t newest) {
    std::uint64_t last = 0;
    {
        detail::sqlite_query query(last_);
        const int code = query.bind_bytes(1, producer).step();
        if (code == SQLITE_ROW) {
            last = static_cast<std::uint64_t>(query.number(0));
        } else if (code != SQLITE_DONE) {
            return code;
        }
    }
    const std::int64_t now = system_time();
    const std::uint64_t before = newest;
    const std::uint64_t most = std::min(options_.max_entry, file_.longest());
    detail::sqlite_query insert(insert_);
    detail::sqlite_query insert_next(insert_next_);
    for (std::size_t i = 0; i < records.size(); ++i) {
        const journal_record& record = records[i];
        const std::uint64_t number = first + i;
        const bool bare = record.entry.empty() || producer.empty();
        if (bare || record.entry.size() > most || record.once.size() > most) {
            error_ =
                bare ? "a record has no bytes, or its producer no name" : "a record is too large";
            ends[i].how = append_end::refused;
            continue;
        }
        if (number <= last) {
            ends[i].how = append_end::duplicate;
            continue;
        }
        last = number;
        if (!record.once.empty()) {
            const int code = find_once(record.once, now, ends[i]);
            if (code == SQLITE_ROW) continue;
            if (code != SQLITE_DONE) return code;
        }
        if (newest >= static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max())) {
            error_ = "the log has no offsets left";
            ends[i].how = append_end::refused;
            continue;
        }
        int code = SQLITE_OK;
        if (newest == before) {
            insert.bind(1, detail::sqlite_number(newest + 1)).bind_bytes(2, record.entry);
            code = insert.step();
        } else { // SQLite finds the next one faster than one that it is told
            insert_next.bind_bytes(1, record.entry);
            code = insert_next.step();
            insert_next.again();
        }
        if (code != SQLITE_DONE) return code;
        ends[i] = {append_end::stored, ++newest};
        if (record.once.empty()) continue;
        code = remember_once(record, now, newest);
        if (code != SQLITE_DONE) return code;
    }
    detail::sqlite_query remember(set_last_);
    remember.bind_bytes(1, producer).bind(2, detail::sqlite_number(last)).bind(3, now);
    if (const int code = remember.step(); code != SQLITE_DONE) return code;
    if (newest == before) return SQLITE_DONE;
    return detail::sqlite_query(set_newest_).bind(1, detail::sqlite_number(newest)).step();
}

inline int sqlite_journal::find_once(std::string_view key, std::int64_t now, appended& end) {
    detail::sqlite_query query(once_);
    const int code = query.bind_bytes(1, key).bind(2, now).step();
    if (code == SQLITE_ROW) {
        end = {append_end::duplicate, static_cast<std::uint64_t>(query.number(0))};
    }
    return code;
}

inline int sqlite_journal::remember_once(const journal_record& record, std::int64_t now,
                                         std::uint64_t offset) {
    const int expired = detail::sqlite_query(expire_).bind(1, now).step();
    if (expired != SQLITE_DONE) return expired;
    const std::int64_t room = std::numeric_limits<std::int64_t>::max() - now;
    const std::int64_t life = std::clamp<std::int64_t>(record.once_for.count(), 0, room);
    detail::sqlite_query query(set_once_);
    query.bind_bytes(1, record.once).bind(2, detail::sqlite_number(offset)).bind(3, now + life);
    return query.step();
}

inline journal_status sqlite_journal::append(std::string_view producer, std::uint64_t first,
                                             std::span<const journal_record> records,
                                             std::span<appended> ends) noexcept {
    const auto all_unsent = [ends] {
        std::fill(ends.begin(), ends.end(), appended{append_end::unsent, 0});
    };
    all_unsent();
    bool committing = false;
    const journal_status status = within_timeout([&] {
        head_row head;
        const journal_status begun = begin_writing(head);
        if (begun != journal_status::ok) return begun;
        error_.clear();
        int code = store(producer, first, records, ends, head.newest);
        committing = code == SQLITE_DONE;
        if (committing) code = detail::sqlite_query(commit_).step();
        if (code == SQLITE_DONE) {
            detail::sqlite_bell::of_process().ring();
            return journal_status::ok;
        }
        static_cast<void>(away()); // which rolls back
        if ((code & 0xff) != SQLITE_FULL) return journal_status::away;
        for (appended& each : ends) { // a duplicate of what has been in the log before stays one
            if (each.how != append_end::duplicate || each.offset > head.newest) {
                each = {append_end::refused, 0};
            }
        }
        return journal_status::ok;
    });
    if (status == journal_status::ok) return status;
    all_unsent();
    // A commit that failed may yet be found in the WAL by whoever opens the file next.
    if (committing) std::fill(ends.begin(), ends.end(), appended());
    return status;
}

inline journal_page sqlite_journal::read(std::uint64_t after, std::uint64_t most,
                                         journal_visitor visit) noexcept {
    const journal_page page = within_timeout([&] {
        journal_page found;
        found.status = take_page(after, most, found);
        return found;
    });
    if (page.status != journal_status::ok && page.status != journal_status::lost) return page;
    const char* next = bytes_.data();
    for (const place& each : places_) {
        visit(each.offset, {next, each.size});
        next += each.size;
    }
    return page;
}

// Reads in a transaction that is over before anybody sees what it has read.
inline journal_status sqlite_journal::take_page(std::uint64_t after, std::uint64_t most,
                                                journal_page& page) {
    places_.clear();
    bytes_.clear();
    if (term_ == 0) return away("it is not open");
    if (detail::sqlite_query(begin_reading_).step() != SQLITE_DONE) return away();
    const head_row head = look();
    if (head.term == 0) return away();
    page.newest = head.newest;
    page.through = after;
    if (head.term != term_ || after > head.newest) return other_term();
    bool lost = most == 0 && head.oldest > after + 1;
    int code = SQLITE_ROW;
    if (most != 0 && after < head.newest) {
        detail::sqlite_query query(page_);
        query.bind(1, detail::sqlite_number(after)).bind(2, detail::sqlite_number(most));
        query.bind(3, detail::sqlite_number(options_.max_entry));
        while (bytes_.size() < std::max<std::size_t>(options_.max_page, 1)) {
            code = query.step();
            if (code != SQLITE_ROW) break;
            const auto offset = static_cast<std::uint64_t>(query.number(0));
            if (offset != page.through + 1) {
                if (!places_.empty()) break; // the next page begins with the hole
                lost = true;
            }
            const std::string_view entry = query.bytes(1);
            bytes_.append(entry);
            places_.push_back({offset, entry.size()});
            page.through = offset;
        }
        if (code == SQLITE_DONE && places_.empty()) { // and nothing is kept of them
            page.through = head.newest;
            lost = true;
        }
    }
    if (code != SQLITE_ROW && code != SQLITE_DONE) return away();
    if (detail::sqlite_query(commit_).step() != SQLITE_DONE) return away();
    return lost ? journal_status::lost : journal_status::ok;
}

inline journal_status sqlite_journal::wait(std::uint64_t after,
                                           std::chrono::milliseconds time) noexcept {
    const auto most = std::chrono::milliseconds(std::chrono::hours(24));
    const clock::time_point until = clock::now() + std::clamp(time, most * 0, most);
    const auto poll = std::clamp(options_.poll, std::chrono::milliseconds(1), most);
    detail::sqlite_bell& bell = detail::sqlite_bell::of_process();
    for (;;) {
        std::unique_lock locked(bell.lock);
        const std::uint64_t heard = bell.rings;
        locked.unlock();
        const journal_status seen = within_timeout([&] {
            if (term_ == 0) return away("it is not open");
            const head_row head = look();
            if (head.term == 0) return away();
            // Of another term `read` tells.
            const bool news = head.newest > after || head.term != term_;
            return news ? journal_status::ok : journal_status::lost;
        });
        if (seen != journal_status::lost) return seen;
        const clock::time_point now = clock::now();
        if (now >= until) return journal_status::ok;
        locked.lock();
        bell.changed.wait_until(locked, std::min(until, now + poll),
                                [&] { return bell.rings != heard; });
    }
}

inline journal_status sqlite_journal::trim(std::uint64_t keep) noexcept {
    return within_timeout([&] {
        constexpr std::uint64_t at_once = 1000; // records
        constexpr std::chrono::milliseconds day = std::chrono::hours(24);
        for (;;) {
            head_row head;
            const journal_status begun = begin_writing(head);
            if (begun != journal_status::ok) return begun;
            const std::uint64_t last = head.newest > keep ? head.newest - keep : 0;
            const std::uint64_t through = std::min(last, head.oldest + at_once - 1);
            const bool all = through == last;
            const std::int64_t newest = detail::sqlite_number(head.newest);
            const std::int64_t end = detail::sqlite_number(through);
            const std::string silent = "DELETE FROM producer WHERE name <> x'' AND seen < " +
                                       std::to_string(system_time() - day.count());
            if (detail::sqlite_query(delete_).bind(1, end).step() != SQLITE_DONE ||
                detail::sqlite_query(set_newest_).bind(1, newest).step() != SQLITE_DONE ||
                (all && file_.run(silent.c_str()) != SQLITE_OK) ||
                detail::sqlite_query(commit_).step() != SQLITE_DONE) {
                return away();
            }
            if (all) return journal_status::ok;
            if (file_.is_late()) return away("there was no time to let all of it go");
        }
    });
}

inline journal_status sqlite_journal::renew() noexcept {
    return within_timeout([&] {
        head_row head;
        journal_status status = begin_writing(head);
        if (status != journal_status::ok) return journal_status::away;
        if (file_.run(new_term) != SQLITE_OK ||
            detail::sqlite_query(commit_).step() != SQLITE_DONE) {
            return away();
        }
        term_ = 0;
        detail::sqlite_bell::of_process().ring();
        return journal_status::ok;
    });
}

} // namespace ssekit::inline SSEKIT_ABI

#endif
