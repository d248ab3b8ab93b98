// SPDX-License-Identifier: MIT
//
// A connection to an SQLite file as a journal needs it: every wait for another process has a
// deadline, a statement that is not in use holds no lock, and errors are in SQLite's own words.
#ifndef SSEKIT_ADAPTERS_DETAIL_SQLITE_FILE_HPP
#define SSEKIT_ADAPTERS_DETAIL_SQLITE_FILE_HPP

#include <ssekit/version.hpp>

#include <algorithm>
#include <chrono>
#include <climits>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <thread>

#include <sqlite3.h>

namespace ssekit::inline SSEKIT_ABI::detail {

struct sqlite_finalize {
    void operator()(sqlite3_stmt* statement) const noexcept { sqlite3_finalize(statement); }
};
using sqlite_statement = std::unique_ptr<sqlite3_stmt, sqlite_finalize>;

/// A statement while it is used. Texts that are bound live as long as it does.
class sqlite_query {
  public:
    explicit sqlite_query(const sqlite_statement& statement) noexcept
        : statement_(statement.get()) {}
    sqlite_query(const sqlite_query&) = delete;
    sqlite_query& operator=(const sqlite_query&) = delete;
    ~sqlite_query() {
        sqlite3_reset(statement_);
        sqlite3_clear_bindings(statement_);
    }

    sqlite_query& bind(int place, std::int64_t number) noexcept {
        sqlite3_bind_int64(statement_, place, number);
        return *this;
    }
    sqlite_query& bind_bytes(int place, std::string_view bytes) noexcept {
        const char* const begin = bytes.data() == nullptr ? "" : bytes.data(); // null would be NULL
        sqlite3_bind_blob64(statement_, place, begin, bytes.size(), SQLITE_STATIC);
        return *this;
    }
    /// \returns SQLITE_ROW, SQLITE_DONE, or what is wrong.
    int step() noexcept { return sqlite3_step(statement_); }
    /// Effects: makes it ready to be stepped again, with what is bound.
    void again() noexcept { sqlite3_reset(statement_); }

    [[nodiscard]] std::int64_t number(int column) const noexcept {
        return sqlite3_column_int64(statement_, column);
    }
    /// Lifetime: until the next step.
    [[nodiscard]] std::string_view bytes(int column) const noexcept {
        const void* const begin = sqlite3_column_blob(statement_, column);
        const int size = sqlite3_column_bytes(statement_, column);
        if (begin == nullptr || size <= 0) return {};
        return {static_cast<const char*>(begin), static_cast<std::size_t>(size)};
    }

  private:
    sqlite3_stmt* statement_;
};

/// Thread safety: as an int.
class sqlite_file {
    using clock = std::chrono::steady_clock;

  public:
    sqlite_file() noexcept = default;
    sqlite_file(const sqlite_file&) = delete;
    sqlite_file& operator=(const sqlite_file&) = delete;
    ~sqlite_file() { close(); }

    [[nodiscard]] bool is_open() const noexcept { return connection_ != nullptr; }

    /// Effects: connects, and makes the file where there is none. \returns SQLITE_OK, or what is
    /// wrong; then `words` says it, and it is not open.
    int open(const std::string& name) noexcept {
        close();
        const int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX;
        const int code = sqlite3_open_v2(name.c_str(), &connection_, flags, nullptr);
        if (code != SQLITE_OK) return code;
        sqlite3_extended_result_codes(connection_, 1);
        sqlite3_busy_handler(connection_, &wait_for_others, this);
        return SQLITE_OK;
    }
    /// Preconditions: its statements are gone.
    void close() noexcept {
        sqlite3_close(connection_);
        connection_ = nullptr;
    }

    /// Effects: until the next call of this, waiting for others ends then.
    void set_deadline(clock::time_point deadline) noexcept { deadline_ = deadline; }

    /// Whether the last call has failed because of another process, so that later it may not.
    [[nodiscard]] bool is_busy() const noexcept {
        return connection_ != nullptr && (sqlite3_errcode(connection_) & 0xff) == SQLITE_BUSY;
    }
    /// Another process has the file, and nobody is told when it lets go. The journal's thread may
    /// wait, up to the deadline.
    static void sleep() noexcept { std::this_thread::sleep_for(std::chrono::milliseconds(1)); }
    [[nodiscard]] bool is_late() const noexcept { return clock::now() >= deadline_; }

    /// The longest text that fits, with room for the rest of its row. In bytes.
    [[nodiscard]] std::size_t longest() const noexcept {
        const int most = sqlite3_limit(connection_, SQLITE_LIMIT_LENGTH, -1);
        return static_cast<std::size_t>(std::max(most - 1000, 0));
    }

    /// \returns SQLITE_OK, or what is wrong.
    int run(const char* statements) noexcept {
        return sqlite3_exec(connection_, statements, nullptr, nullptr, nullptr);
    }
    /// \returns an empty one where it is not understood.
    [[nodiscard]] sqlite_statement prepare(std::string_view text) noexcept {
        sqlite3_stmt* made = nullptr;
        sqlite3_prepare_v3(connection_, text.data(), static_cast<int>(text.size()),
                           SQLITE_PREPARE_PERSISTENT, &made, nullptr);
        return sqlite_statement(made);
    }
    [[nodiscard]] bool is_in_transaction() const noexcept {
        return sqlite3_get_autocommit(connection_) == 0;
    }
    /// In words, what was wrong at last. Lifetime: until the next call.
    [[nodiscard]] const char* words() const noexcept {
        return connection_ == nullptr ? "out of memory" : sqlite3_errmsg(connection_);
    }

  private:
    // SQLite asks this again and again while another process holds the lock.
    static int wait_for_others(void* self, int asked) noexcept {
        const clock::time_point deadline = static_cast<sqlite_file*>(self)->deadline_;
        const clock::time_point now = clock::now();
        if (now >= deadline) return 0;
        const clock::duration longer = std::chrono::microseconds(100) * std::min(asked + 1, 50);
        std::this_thread::sleep_for(std::min(longer, deadline - now));
        return 1;
    }

    sqlite3* connection_ = nullptr;
    clock::time_point deadline_ = {};
};

/// \returns an offset or number as SQLite keeps it; what is too large is larger than all others.
[[nodiscard]] constexpr std::int64_t sqlite_number(std::uint64_t number) noexcept {
    constexpr std::uint64_t most = INT64_MAX;
    return static_cast<std::int64_t>(std::min(number, most));
}

} // namespace ssekit::inline SSEKIT_ABI::detail

#endif
