// SPDX-License-Identifier: MIT
//
// A journal in SQLite against the least that could be done: the same rows, inserted by a bare loop
// of prepared statements with the same durability and as many rows in each transaction. And how
// fast a node catches up. Turn by turn in one run, because the disk is not the same at all times;
// what is printed are medians, and their ratio.

#include <ssekit/adapters/sqlite.hpp>

#include <sqlite3.h>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace {

constexpr std::size_t batch = 256;
constexpr std::size_t turns = 15;
const std::string row(100, 'x');

[[noreturn]] void fail(std::string_view what) {
    std::fprintf(stderr, "%.*s\n", static_cast<int>(what.size()), what.data());
    std::exit(1);
}

/// How much of it is done in a second.
double per_second(std::size_t rows, const std::function<void()>& work) {
    const auto begin = std::chrono::steady_clock::now();
    work();
    const std::chrono::duration<double> took = std::chrono::steady_clock::now() - begin;
    return static_cast<double>(rows) / took.count();
}

double median(std::vector<double> of) {
    std::sort(of.begin(), of.end());
    return of[of.size() / 2];
}

class bare_loop {
  public:
    bare_loop(const std::string& file, bool full) {
        if (sqlite3_open(file.c_str(), &connection_) != SQLITE_OK) fail("open");
        run("PRAGMA journal_mode = WAL");
        run(full ? "PRAGMA synchronous = FULL" : "PRAGMA synchronous = NORMAL");
        run("CREATE TABLE entry(n INTEGER PRIMARY KEY, bytes BLOB NOT NULL)");
        begin_ = prepare("BEGIN IMMEDIATE");
        insert_ = prepare("INSERT INTO entry(bytes) VALUES(?)");
        commit_ = prepare("COMMIT");
    }
    bare_loop(const bare_loop&) = delete;
    bare_loop& operator=(const bare_loop&) = delete;
    ~bare_loop() {
        for (sqlite3_stmt* each : {begin_, insert_, commit_}) sqlite3_finalize(each);
        sqlite3_close(connection_);
    }

    void append(std::size_t rows) {
        step(begin_);
        for (std::size_t i = 0; i < rows; ++i) {
            sqlite3_bind_blob(insert_, 1, row.data(), static_cast<int>(row.size()), SQLITE_STATIC);
            step(insert_);
        }
        step(commit_);
    }

  private:
    void run(const char* text) {
        if (sqlite3_exec(connection_, text, nullptr, nullptr, nullptr) != SQLITE_OK) fail(text);
    }
    sqlite3_stmt* prepare(const char* text) {
        sqlite3_stmt* made = nullptr;
        if (sqlite3_prepare_v2(connection_, text, -1, &made, nullptr) != SQLITE_OK) fail(text);
        return made;
    }
    void step(sqlite3_stmt* statement) {
        if (sqlite3_step(statement) != SQLITE_DONE) fail(sqlite3_errmsg(connection_));
        sqlite3_reset(statement);
    }

    sqlite3* connection_ = nullptr;
    sqlite3_stmt* begin_ = nullptr;
    sqlite3_stmt* insert_ = nullptr;
    sqlite3_stmt* commit_ = nullptr;
};

void compare(const std::string& folder, bool full, std::size_t calls) {
    const ssekit::sqlite_sync sync = full ? ssekit::sqlite_sync::full : ssekit::sqlite_sync::normal;
    const std::string kind = full ? "full" : "normal";
    ssekit::sqlite_journal journal(folder + "/journal-" + kind, {.sync = sync});
    if (journal.open().status != ssekit::journal_status::ok) fail(journal.error());
    bare_loop bare(folder + "/bare-" + kind, full);
    const std::vector<ssekit::journal_record> records(batch, {row});
    std::vector<ssekit::appended> ends(batch);
    std::uint64_t number = 1;
    const std::size_t rows = batch * calls;
    std::vector<double> ours;
    std::vector<double> theirs;
    std::vector<double> read;
    for (std::size_t turn = 0; turn < turns; ++turn) {
        ours.push_back(per_second(rows, [&] {
            for (std::size_t i = 0; i < calls; ++i, number += batch) {
                const auto status = journal.append("bench", number, records, ends);
                if (status != ssekit::journal_status::ok) fail(journal.error());
            }
        }));
        theirs.push_back(per_second(rows, [&] {
            for (std::size_t i = 0; i < calls; ++i) bare.append(batch);
        }));
        const std::uint64_t newest = number - 1;
        std::uint64_t after = newest - std::min<std::uint64_t>(newest, 20'000);
        std::size_t seen = 0;
        const auto count = [&seen](std::uint64_t, std::string_view entry) noexcept {
            seen += entry.size() == row.size();
        };
        const std::size_t expected = newest - after;
        read.push_back(per_second(expected, [&] {
            while (after != newest) after = journal.read(after, 1000, count).through;
        }));
        if (seen != expected) fail("rows are missing");
    }
    std::printf("%-6s append %8.0f/s, bare %8.0f/s, ratio %.2f; read %8.0f/s\n", kind.c_str(),
                median(ours), median(theirs), median(ours) / median(theirs), median(read));
}

} // namespace

int main() {
    std::string folder = (std::filesystem::temp_directory_path() / "ssekit-XXXXXX").string();
    if (mkdtemp(folder.data()) == nullptr) fail("no temporary folder");
    std::printf("%zu rows of %zu bytes a commit, medians of %zu turns\n", batch, row.size(), turns);
    compare(folder, true, 20);
    compare(folder, false, 20);
    std::filesystem::remove_all(folder);
}
