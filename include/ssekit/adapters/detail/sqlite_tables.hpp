// SPDX-License-Identifier: MIT
//
// The file of a journal: whether it is one, its tables, its term, and the statements that are asked
// of it. A file is looked at before anything is written, so one that is somebody else's stays as it
// is. What decides about the term is written with a sync, before anything is appended without one.
#ifndef SSEKIT_ADAPTERS_DETAIL_SQLITE_TABLES_HPP
#define SSEKIT_ADAPTERS_DETAIL_SQLITE_TABLES_HPP

#include <ssekit/adapters/detail/sqlite_file.hpp>
#include <ssekit/adapters/sqlite_options.hpp>
#include <ssekit/journal.hpp>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <fstream>
#include <new>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

#include <sqlite3.h>

namespace ssekit::inline SSEKIT_ABI::detail {

/// \returns what Linux calls this run of the machine, or "".
[[nodiscard]] inline std::string name_of_boot() {
    std::string name;
    std::ifstream file("/proc/sys/kernel/random/boot_id");
    std::getline(file, name);
    return name;
}

/// Thread safety: as an int.
class sqlite_tables {
  protected:
    using clock = std::chrono::steady_clock;
    static constexpr int application = 0x5353'454b; // "SSEK"
    static constexpr int schema = 1;
    // What came from earlier producers is of no use to another term.
    static constexpr const char* new_term =
        "UPDATE head SET term = 1 + (random() & 9223372036854775806),"
        " since = max((SELECT last FROM producer WHERE name = x''),"
        " ifnull((SELECT max(n) FROM entry), 0));"
        "DELETE FROM producer WHERE name <> x''; DELETE FROM once";

    struct head_row {
        std::uint64_t term = 0; // 0: it could not be read
        std::uint64_t oldest = 1;
        std::uint64_t newest = 0;
        std::uint64_t since = 0;
    };

    sqlite_tables(std::string file, sqlite_journal_options options)
        : name_(std::move(file)), options_(std::move(options)) {}

    /// Effects: gives the call the time that the options allow for others. Where it runs out of
    /// memory the answer is away.
    template <class Call>
    auto within_timeout(Call&& call) noexcept -> decltype(call());

    /// Effects: opens the file, and makes the tables where there are none.
    /// \returns false where that cannot be: `error_` says why.
    [[nodiscard]] bool connect();
    void close() noexcept;

    /// \returns a term of 0 where it cannot be read.
    [[nodiscard]] head_row look();
    /// Effects: begins a transaction. The wait for another writer is here, where nothing is lost
    /// when it is too long.
    [[nodiscard]] journal_status begin_writing(head_row& head);

    /// Effects: notes what is wrong, and ends the transaction if there is one.
    journal_status away(); // in SQLite's words
    journal_status away(std::string_view why);
    journal_status other_term();
    bool fails(std::string_view why) { return away(why) == journal_status::ok; }
    void undo() noexcept {
        if (file_.is_open() && file_.is_in_transaction()) file_.run("ROLLBACK");
    }

    std::string name_;
    sqlite_journal_options options_;
    sqlite_file file_;
    sqlite_statement begin_, begin_reading_, commit_, head_, last_, set_last_, insert_,
        insert_next_, set_newest_, once_, set_once_, expire_, page_, delete_;
    std::uint64_t term_ = 0; // 0: not open
    std::string error_;

  private:
    [[nodiscard]] bool has_wal();
    [[nodiscard]] bool is_ours(bool& empty);
    [[nodiscard]] bool make_tables(bool empty);
    [[nodiscard]] bool check_boot(std::string_view boot);
    [[nodiscard]] bool prepare_all();
    [[nodiscard]] bool ask(const char* text, std::int64_t& answer);
};

// ---- how

template <class Call>
auto sqlite_tables::within_timeout(Call&& call) noexcept -> decltype(call()) {
    const auto most = std::chrono::milliseconds(std::chrono::hours(24));
    file_.set_deadline(clock::now() + std::clamp(options_.timeout, most * 0, most));
    try {
        return call();
    } catch (const std::bad_alloc&) {
        undo();
        error_ = "out of memory"; // short enough to need none
        if constexpr (std::is_same_v<decltype(call()), journal_status>) return journal_status::away;
        return {};
    }
}

inline journal_status sqlite_tables::away() {
    return away(file_.words());
}
inline journal_status sqlite_tables::away(std::string_view why) {
    error_.assign(why); // before the statement that says it is gone
    undo();
    return journal_status::away;
}
inline journal_status sqlite_tables::other_term() {
    undo();
    error_ = "the log is another one than was opened";
    return journal_status::other_term;
}

inline void sqlite_tables::close() noexcept {
    for (sqlite_statement* each :
         {&begin_, &begin_reading_, &commit_, &head_, &last_, &set_last_, &insert_, &insert_next_,
          &set_newest_, &once_, &set_once_, &expire_, &page_, &delete_}) {
        each->reset();
    }
    file_.close();
    term_ = 0;
}

inline bool sqlite_tables::ask(const char* text, std::int64_t& answer) {
    const sqlite_statement made = file_.prepare(text);
    if (!made) return false;
    sqlite_query query(made);
    if (query.step() != SQLITE_ROW) return false;
    answer = query.number(0);
    return true;
}

inline bool sqlite_tables::is_ours(bool& empty) {
    std::int64_t tables = 0;
    std::int64_t owner = 0;
    std::int64_t edition = 0;
    if (!ask("SELECT count(*) FROM sqlite_master", tables) ||
        !ask("PRAGMA application_id", owner) || !ask("PRAGMA user_version", edition)) {
        return fails(file_.words());
    }
    empty = tables == 0 && owner == 0 && edition == 0;
    if (empty) return true;
    if (owner != application) {
        return fails("the file belongs to another application");
    }
    if (edition != schema) {
        return fails("the file is of version " + std::to_string(edition) +
                     ", and this program knows " + std::to_string(schema));
    }
    return true;
}

inline bool sqlite_tables::make_tables(bool empty) {
    if (!empty) return true;
    const std::string text =
        "CREATE TABLE entry(n INTEGER PRIMARY KEY, bytes BLOB NOT NULL);"
        "CREATE TABLE head(one INTEGER PRIMARY KEY CHECK(one = 1), term INTEGER NOT NULL,"
        " since INTEGER NOT NULL, boot BLOB NOT NULL);"
        "CREATE TABLE producer(name BLOB PRIMARY KEY, last INTEGER NOT NULL,"
        " seen INTEGER NOT NULL) WITHOUT ROWID;"
        "CREATE TABLE once(key BLOB PRIMARY KEY, n INTEGER NOT NULL, until INTEGER NOT NULL)"
        " WITHOUT ROWID;"
        "CREATE INDEX once_until ON once(until);"
        "INSERT INTO head VALUES(1, 1 + (random() & 9223372036854775806), 0, x'');"
        "INSERT INTO producer VALUES(x'', 0, 0);"
        "PRAGMA application_id = " +
        std::to_string(application) +
        ";"
        "PRAGMA user_version = " +
        std::to_string(schema);
    return file_.run(text.c_str()) == SQLITE_OK;
}

// In a transaction that is synced. A file that was written without syncs, in another run of the
// machine, may have lost its newest records.
inline bool sqlite_tables::check_boot(std::string_view boot) {
    const bool loose = options_.sync == sqlite_sync::normal;
    const sqlite_statement find = file_.prepare("SELECT boot FROM head");
    if (!find) return false;
    std::string before;
    {
        sqlite_query query(find);
        if (query.step() != SQLITE_ROW) return false;
        before = query.bytes(0);
    }
    const bool restarted = !before.empty() && before != boot;
    if (restarted && file_.run(new_term) != SQLITE_OK) return false;
    if (!restarted && (!loose || before == boot)) return true;
    const sqlite_statement set = file_.prepare("UPDATE head SET boot = ?");
    if (!set) return false;
    sqlite_query query(set);
    return query.bind_bytes(1, loose ? boot : std::string_view()).step() == SQLITE_DONE;
}

inline bool sqlite_tables::prepare_all() {
    const auto make = [this](sqlite_statement& into, std::string_view text) {
        into = file_.prepare(text);
        return bool(into);
    };
    return make(begin_, "BEGIN IMMEDIATE") && make(begin_reading_, "BEGIN") &&
           make(commit_, "COMMIT") &&
           // Rows that somebody else has added at the end count.
           make(head_, "SELECT term, (SELECT last FROM producer WHERE name = x''),"
                       " (SELECT max(n) FROM entry),"
                       " (SELECT min(n) FROM entry WHERE n > 0), since FROM head") &&
           make(last_, "SELECT last FROM producer WHERE name = ?") &&
           make(set_last_, "INSERT INTO producer VALUES(?1, ?2, ?3) ON CONFLICT(name)"
                           " DO UPDATE SET last = ?2, seen = ?3") &&
           make(insert_, "INSERT INTO entry VALUES(?, ?)") &&
           make(insert_next_, "INSERT INTO entry(bytes) VALUES(?)") &&
           make(set_newest_, "UPDATE producer SET last = ? WHERE name = x''") &&
           make(once_, "SELECT n FROM once WHERE key = ? AND until > ?") &&
           make(set_once_, "INSERT OR REPLACE INTO once VALUES(?, ?, ?)") &&
           make(expire_, "DELETE FROM once WHERE key IN"
                         " (SELECT key FROM once WHERE until <= ? ORDER BY until LIMIT 64)") &&
           make(page_, "SELECT n, CASE WHEN typeof(bytes) = 'blob' AND length(bytes) <= ?3"
                       " THEN bytes END FROM entry WHERE n > ?1 ORDER BY n LIMIT ?2") &&
           make(delete_, "DELETE FROM entry WHERE n <= ?");
}

inline bool sqlite_tables::connect() {
    const std::string boot = options_.boot.empty() ? name_of_boot() : options_.boot;
    const bool loose = options_.sync == sqlite_sync::normal;
    if (loose && boot.empty()) {
        return fails("sqlite_sync::normal needs to know this run of the machine: options.boot");
    }
    bool empty = false;
    if (file_.open(name_) != SQLITE_OK) return fails(file_.words());
    if (!is_ours(empty)) return false; // before anything is written
    if (!has_wal()) return false;
    // What is decided here is on the disk before anything is appended.
    if (file_.run("PRAGMA synchronous = FULL; PRAGMA trusted_schema = OFF;"
                  "PRAGMA journal_size_limit = 16777216; BEGIN IMMEDIATE") != SQLITE_OK) {
        return fails(file_.words());
    }
    if (!is_ours(empty)) return false; // another process may have come first
    if (!make_tables(empty) || !check_boot(boot) || file_.run("COMMIT") != SQLITE_OK ||
        !prepare_all()) {
        return fails(file_.words());
    }
    return !loose || file_.run("PRAGMA synchronous = NORMAL") == SQLITE_OK || fails(file_.words());
}

inline bool sqlite_tables::has_wal() {
    const sqlite_statement mode = file_.prepare("PRAGMA journal_mode = WAL");
    if (!mode) return fails(file_.words());
    sqlite_query query(mode);
    if (query.step() != SQLITE_ROW) return fails(file_.words());
    if (query.bytes(0) == "wal") return true;
    return fails("the file cannot be in WAL mode: is it on a disk of this machine?");
}

inline sqlite_tables::head_row sqlite_tables::look() {
    sqlite_query query(head_);
    if (query.step() != SQLITE_ROW || query.number(0) <= 0) return {};
    head_row head;
    head.term = static_cast<std::uint64_t>(query.number(0));
    const std::int64_t newest = std::max({query.number(1), query.number(2), std::int64_t{0}});
    head.newest = static_cast<std::uint64_t>(newest);
    const std::int64_t oldest = query.number(3); // 0 where there is none
    head.oldest = oldest == 0 ? head.newest + 1 : static_cast<std::uint64_t>(oldest);
    head.since = static_cast<std::uint64_t>(std::max(query.number(4), std::int64_t{0}));
    return head;
}

// The wait for another writer is at the beginning, where nothing is lost when it is too long.
inline journal_status sqlite_tables::begin_writing(head_row& head) {
    if (term_ == 0) return away("it is not open");
    const int begun = sqlite_query(begin_).step();
    if (begun != SQLITE_DONE) return away();
    head = look();
    if (head.term == 0) return away();
    return head.term == term_ ? journal_status::ok : other_term();
}

} // namespace ssekit::inline SSEKIT_ABI::detail

#endif
