// SPDX-License-Identifier: MIT
#include <ssekit/adapters/sqlite.hpp>

#include "support/journal_contract.hpp"

#include <doctest/doctest.h>
#include <sqlite3.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include <poll.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>

namespace fs = std::filesystem;
using namespace std::chrono_literals;
using ssekit::append_end;
using ssekit::journal_bounds;
using ssekit::journal_status;
using ssekit::sqlite_journal;
using ssekit::sqlite_journal_options;
using ssekit::sqlite_sync;
using support::append_some;
using support::append_to;
using support::read_from;

namespace {

/// A folder for one test, gone with it.
class sqlite_folder {
  public:
    sqlite_folder() {
        std::string name = (fs::temp_directory_path() / "ssekit-XXXXXX").string();
        if (mkdtemp(name.data()) == nullptr) throw std::runtime_error("no temporary folder");
        path_ = name;
    }
    sqlite_folder(const sqlite_folder&) = delete;
    sqlite_folder& operator=(const sqlite_folder&) = delete;
    ~sqlite_folder() {
        std::error_code ignored;
        fs::remove_all(path_, ignored);
    }
    [[nodiscard]] std::string file() const { return path_ / "journal.db"; }

  private:
    fs::path path_;
};

/// Somebody else who has the file open.
class other_program {
  public:
    explicit other_program(const std::string& file) {
        if (sqlite3_open(file.c_str(), &connection_) != SQLITE_OK) throw std::runtime_error("open");
        sqlite3_busy_timeout(connection_, 10000);
    }
    other_program(const other_program&) = delete;
    other_program& operator=(const other_program&) = delete;
    ~other_program() { sqlite3_close(connection_); }
    void run(const char* statements) {
        char* error = nullptr;
        sqlite3_exec(connection_, statements, nullptr, nullptr, &error);
        INFO(std::string(error == nullptr ? "" : error));
        CHECK(error == nullptr);
        sqlite3_free(error);
    }
    std::string ask(const char* text) {
        sqlite3_stmt* made = nullptr;
        CHECK(sqlite3_prepare_v2(connection_, text, -1, &made, nullptr) == SQLITE_OK);
        std::string answer;
        if (sqlite3_step(made) == SQLITE_ROW && sqlite3_column_text(made, 0) != nullptr) {
            answer = reinterpret_cast<const char*>(sqlite3_column_text(made, 0));
        }
        sqlite3_finalize(made);
        return answer;
    }

  private:
    sqlite3* connection_ = nullptr;
};

/// The system's pwrite of SQLite's unix VFS, which fails while it is told to.
class failing_writes {
  public:
    explicit failing_writes(int error) {
        vfs_ = sqlite3_vfs_find(nullptr);
        for (const char* name : {"pwrite", "pwrite64", "write"}) {
            const sqlite3_syscall_ptr real = vfs_->xGetSystemCall(vfs_, name);
            if (real == nullptr) continue;
            vfs_->xSetSystemCall(
                vfs_, name,
                reinterpret_cast<sqlite3_syscall_ptr>(std::string_view(name) == "write"
                                                          ? reinterpret_cast<void (*)()>(&write)
                                                          : reinterpret_cast<void (*)()>(&pwrite)));
        }
        errno_of_writes = error;
    }
    failing_writes(const failing_writes&) = delete;
    failing_writes& operator=(const failing_writes&) = delete;
    ~failing_writes() { vfs_->xSetSystemCall(vfs_, nullptr, nullptr); }

  private:
    static ssize_t pwrite(int, const void*, size_t, off_t) { return fail(); }
    static ssize_t write(int, const void*, size_t) { return fail(); }
    static ssize_t fail() {
        errno = errno_of_writes;
        return -1;
    }

    sqlite3_vfs* vfs_;
    static inline int errno_of_writes = 0;
};

struct sqlite_log {
    explicit sqlite_log(sqlite_sync sync) { options.sync = sync; }
    [[nodiscard]] std::unique_ptr<sqlite_journal> connect() const {
        return std::make_unique<sqlite_journal>(folder.file(), options);
    }
    void erase() const {
        other_program(folder.file())
            .run("DROP TABLE entry; DROP TABLE head; DROP TABLE producer; DROP TABLE once;"
                 "PRAGMA application_id = 0; PRAGMA user_version = 0");
    }

    sqlite_folder folder;
    sqlite_journal_options options;
};

} // namespace

TEST_CASE("relay: SQLite keeps the contract of a journal, however it is synced") {
    for (const sqlite_sync sync : {sqlite_sync::full, sqlite_sync::normal}) {
        CAPTURE(int(sync));
        support::keeps_the_contract([sync] { return std::make_unique<sqlite_log>(sync); }, 50ms,
                                    40);
    }
}

TEST_CASE("relay: a file that is not ours, or not yet, is left as it is") {
    const auto refused_with = [](const char* statements, std::string_view words,
                                 bool ours = false) {
        const sqlite_folder folder;
        other_program(folder.file()).run(statements);
        const auto content = [&] {
            std::ifstream in(folder.file(), std::ios::binary);
            return std::string(std::istreambuf_iterator<char>(in), {});
        };
        const std::string before = content();
        sqlite_journal journal(folder.file());
        CAPTURE(std::string(statements));
        CHECK(journal.open().status == journal_status::away);
        const std::string error(journal.error());
        CAPTURE(error);
        CHECK(error.find(words) != std::string::npos);
        CHECK(append_some(journal, "a", 1, 1).ends[0].how == append_end::unsent);
        CHECK((ours || content() == before));
    };
    refused_with("PRAGMA application_id = 1; CREATE TABLE theirs(x)", "another application");
    refused_with("CREATE TABLE theirs(x)", "another application");
    refused_with("PRAGMA application_id = -1", "another application");
    refused_with("PRAGMA user_version = 7; CREATE TABLE entry(n, bytes)", "another application");
    refused_with(
        "PRAGMA application_id = 1397966155; PRAGMA user_version = 2; CREATE TABLE entry(n)",
        "version 2, and this program knows 1");
    refused_with(
        "PRAGMA application_id = 1397966155; PRAGMA user_version = 0; CREATE TABLE entry(n)",
        "version 0, and this program knows 1");
    refused_with("PRAGMA application_id = 1397966155; PRAGMA user_version = 1", "no such table",
                 true);

    const sqlite_folder folder;
    std::ofstream(folder.file()) << std::string(5000, 'x');
    sqlite_journal text(folder.file());
    CHECK(text.open().status == journal_status::away);
    CHECK(text.error() == "file is not a database");
    sqlite_journal nowhere(folder.file() + "/no/such");
    CHECK(nowhere.open().status == journal_status::away);
    CHECK(nowhere.error() == "unable to open database file");
    sqlite_journal memory(":memory:");
    CHECK(memory.open().status == journal_status::away);
    CHECK(memory.error().find("WAL") != std::string_view::npos);
}

TEST_CASE("relay: a journal in SQLite that is not open is away") {
    const sqlite_folder folder;
    sqlite_journal journal(folder.file());
    CHECK(append_some(journal, "a", 1, 1).status == journal_status::away);
    CHECK(append_some(journal, "a", 1, 1).ends[0].how == append_end::unsent);
    CHECK(read_from(journal, 0).page.status == journal_status::away);
    CHECK(journal.wait(0, 0ms) == journal_status::away);
    CHECK(journal.trim(0) == journal_status::away);
    CHECK(journal.renew() == journal_status::away);
    CHECK(journal.error() == "it is not open");
}

TEST_CASE(
    "relay: SQLite says that another writer has the file for too long, and nothing is stored") {
    const sqlite_folder folder;
    sqlite_journal journal(folder.file(), {.timeout = 20ms});
    REQUIRE(journal.open().status == journal_status::ok);
    REQUIRE(support::all_stored(append_some(journal, "a", 1, 1), 1));
    other_program other(folder.file());
    other.run("BEGIN IMMEDIATE");
    const support::appending made = append_some(journal, "a", 2, 2);
    CHECK(made.status == journal_status::away);
    for (const ssekit::appended& each : made.ends) CHECK(each.how == append_end::unsent);
    CHECK(journal.error() == "database is locked");
    CHECK(journal.trim(0) == journal_status::away);
    CHECK(read_from(journal, 0).entries.size() == 1); // readers do not wait for a writer
    other.run("ROLLBACK");
    CHECK(support::all_stored(append_some(journal, "a", 2, 2), 2));
}

TEST_CASE(
    "relay: on a full disk records are refused with SQLite's words, and later ones are taken") {
    const sqlite_folder folder;
    sqlite_journal journal(folder.file());
    REQUIRE(journal.open().status == journal_status::ok);
    REQUIRE(append_to(journal, "a", 1, {{"x", "k"}, {"y"}}).status == journal_status::ok);
    {
        const failing_writes full(ENOSPC);
        const support::appending made =
            append_to(journal, "a", 2, {{"y"}, {"z"}, {"x", "k"}, {"v", "l"}, {"v", "l"}});
        CHECK(made.status == journal_status::ok);
        CHECK(journal.error() == "database or disk is full");
        CHECK(made.ends[0].how == append_end::duplicate);
        CHECK(made.ends[1].how == append_end::refused);
        CHECK(made.ends[2].how == append_end::duplicate); // which it was before
        CHECK(made.ends[3].how == append_end::refused);
        CHECK(made.ends[4].how == append_end::refused); // not a duplicate of what is not there
        CHECK(read_from(journal, 0).entries.size() == 2);
    }
    CHECK(support::all_stored(append_to(journal, "a", 7, {{"later"}}), 3));
    sqlite_journal other(folder.file());
    REQUIRE(other.open().newest == 3);
    CHECK(read_from(other, 0).entries == std::vector<std::string>{"x", "y", "later"});
}

TEST_CASE("relay: a commit that the disk has broken is in doubt, and again it is stored once") {
    const sqlite_folder folder;
    sqlite_journal journal(folder.file());
    REQUIRE(journal.open().status == journal_status::ok);
    {
        const failing_writes broken(EIO);
        const support::appending made = append_some(journal, "a", 1, 2);
        CHECK(made.status == journal_status::away);
        CHECK(journal.error() == "disk I/O error");
        for (const ssekit::appended& each : made.ends) CHECK(each.how == append_end::in_doubt);
    }
    REQUIRE(journal.open().status == journal_status::ok);
    CHECK(append_some(journal, "a", 1, 2).status == journal_status::ok);
    CHECK(read_from(journal, 0).entries == std::vector<std::string>{"a 1", "a 2"});
}

TEST_CASE("relay: who shows a page slowly holds no snapshot, so the WAL can be emptied") {
    const sqlite_folder folder;
    sqlite_journal journal(folder.file());
    REQUIRE(journal.open().status == journal_status::ok);
    REQUIRE(append_some(journal, "a", 1, 100).status == journal_status::ok);
    other_program other(folder.file());
    std::size_t seen = 0;
    const auto visit = [&](std::uint64_t, std::string_view) {
        ++seen;
        CHECK(other.ask("PRAGMA wal_checkpoint(TRUNCATE)") == "0");
        CHECK(fs::file_size(folder.file() + "-wal") == 0);
    };
    CHECK(
        journal.read(0, 3, [&visit](std::uint64_t n, std::string_view e) noexcept { visit(n, e); })
            .status == journal_status::ok);
    CHECK(seen == 3);
}

TEST_CASE("relay: the WAL stays small while somebody reads all the time") {
    const sqlite_folder folder;
    const sqlite_journal_options options{.sync = sqlite_sync::normal};
    sqlite_journal writer(folder.file(), options);
    REQUIRE(writer.open().status == journal_status::ok);
    std::atomic<bool> over = false;
    std::thread reading([&] {
        sqlite_journal reader(folder.file(), options);
        std::uint64_t last = reader.open().newest;
        while (!over) {
            last = reader.read(last, 100, [](std::uint64_t, std::string_view) noexcept {}).through;
            static_cast<void>(reader.wait(last, 1ms));
        }
    });
    const std::string text(1000, 'x');
    const std::vector<ssekit::journal_record> records(100, {text});
    std::uintmax_t largest = 0;
    for (std::uint64_t i = 0; i < 300; ++i) { // 30 MB
        REQUIRE(append_to(writer, "a", 1 + i * 100, records).status == journal_status::ok);
        largest = std::max(largest, fs::file_size(folder.file() + "-wal"));
    }
    over = true;
    reading.join();
    CHECK(largest < 16'000'000);
}

TEST_CASE("relay: the term lives as long as all that was acknowledged") {
    const sqlite_folder folder;
    const auto opened = [&](sqlite_sync sync, const char* boot) {
        sqlite_journal journal(folder.file(), {.sync = sync, .boot = boot});
        const journal_bounds seen = journal.open();
        CHECK(seen.status == journal_status::ok);
        static std::uint64_t number = 0;
        CHECK(append_some(journal, "p", ++number, 1).ends[0].how == append_end::stored);
        return seen.term;
    };
    const std::uint64_t first = opened(sqlite_sync::full, "one");
    CHECK(opened(sqlite_sync::full, "two") == first); // every append was on the disk
    CHECK(opened(sqlite_sync::normal, "two") == first);
    CHECK(opened(sqlite_sync::full, "two") == first);
    CHECK(opened(sqlite_sync::normal, "two") == first);
    const std::uint64_t second = opened(sqlite_sync::full, "three"); // power may have been lost
    CHECK(second != first);
    CHECK(opened(sqlite_sync::full, "four") == second);
    CHECK(opened(sqlite_sync::normal, "four") == second);
    const std::uint64_t third = opened(sqlite_sync::normal, "five");
    CHECK(third != second);
    CHECK(opened(sqlite_sync::normal, "five") == third);
    sqlite_journal journal(folder.file(), {.sync = sqlite_sync::normal, .boot = "five"});
    CHECK(journal.open().oldest == 1); // what is left is kept, and offsets go on
    CHECK(journal.open().newest == 10);
    CHECK(journal.open().since == 8); // and five began after them
}

TEST_CASE("relay: a log that is renewed has another term, and all who have it open are told") {
    const sqlite_folder folder;
    sqlite_journal one(folder.file());
    sqlite_journal other(folder.file());
    const std::uint64_t term = one.open().term;
    REQUIRE(other.open().term == term);
    REQUIRE(support::all_stored(append_some(one, "a", 1, 3), 1));
    CHECK(one.renew() == journal_status::ok);
    CHECK(append_some(one, "a", 4, 1).status == journal_status::away);
    CHECK(append_some(other, "b", 1, 1).status == journal_status::other_term);
    CHECK(other.wait(3, 24h) == journal_status::ok); // which does not wait for what never comes
    CHECK(read_from(other, 3).page.status == journal_status::other_term);
    CHECK(other.trim(0) == journal_status::other_term);
    const journal_bounds now = other.open();
    CHECK(now.term != term);
    CHECK(now.newest == 3);
    CHECK(now.since == 3);
    CHECK(support::all_stored(append_some(other, "a", 1, 1), 4));
}

TEST_CASE("relay: rows that somebody else writes or deletes do no harm, and are told") {
    const sqlite_folder folder;
    sqlite_journal journal(folder.file(), {.max_entry = 1000});
    REQUIRE(journal.open().status == journal_status::ok);
    REQUIRE(support::all_stored(append_some(journal, "a", 1, 2), 1));
    other_program other(folder.file());
    other.run(
        "INSERT INTO entry(bytes) VALUES('a text'), (5), (x'616263'), (zeroblob(2000)), (x'')");
    other.run("INSERT INTO entry VALUES(-5, x'61'), (0, x'61')");
    CHECK(journal.open().newest == 7);
    CHECK(support::all_stored(append_some(journal, "a", 3, 1), 8));
    support::journal_reading seen = read_from(journal, 0);
    CHECK(seen.page.status == journal_status::ok);
    CHECK(seen.entries == std::vector<std::string>{"a 1", "a 2", "", "", "abc", "", "", "a 3"});

    other.run("DELETE FROM entry WHERE n IN (3, 4, 8)");
    seen = read_from(journal, 0);
    CHECK(seen.page.status == journal_status::ok);
    CHECK(seen.page.through == 2); // up to the hole
    seen = read_from(journal, 2);
    CHECK(seen.page.status == journal_status::lost);
    CHECK(seen.offsets == std::vector<std::uint64_t>{5, 6, 7});
    seen = read_from(journal, 7);
    CHECK(seen.page.status == journal_status::lost);
    CHECK(seen.page.through == 8);
    CHECK(support::all_stored(append_some(journal, "a", 4, 1), 9)); // no offset twice

    other.run("INSERT INTO entry VALUES(9223372036854775807, x'7a')");
    seen = read_from(journal, 9);
    CHECK(seen.page.status == journal_status::lost);
    CHECK(seen.page.through == 9223372036854775807u);
    const support::appending made = append_some(journal, "a", 5, 1);
    CHECK(made.ends[0].how == append_end::refused);
    CHECK(journal.error() == "the log has no offsets left");
    other.run("DELETE FROM head");
    CHECK(read_from(journal, 1).page.status == journal_status::away);
    CHECK(append_some(journal, "a", 6, 1).status == journal_status::away);
    CHECK(journal.wait(1, 24h) == journal_status::away);
    CHECK(journal.open().status == journal_status::away);
    CHECK(!journal.error().empty());
}

TEST_CASE("relay: a record that is too large is refused, and the others are stored") {
    const sqlite_folder folder;
    sqlite_journal journal(folder.file(), {.max_entry = 100, .max_page = 150});
    REQUIRE(journal.open().status == journal_status::ok);
    const std::string fits(100, 'x');
    const std::string large(101, 'x');
    const support::appending made =
        append_to(journal, "a", 1, {{fits}, {large}, {"x", large}, {fits, fits}, {fits}});
    CHECK(made.status == journal_status::ok);
    CHECK(made.ends[0].offset == 1);
    CHECK(made.ends[1].how == append_end::refused);
    CHECK(made.ends[2].how == append_end::refused);
    CHECK(journal.error() == "a record is too large");
    CHECK(made.ends[3].offset == 2);
    CHECK(made.ends[4].offset == 3);
    CHECK(append_to(journal, "", 1, {{fits}}).ends[0].how == append_end::refused);
    // A page is bounded in bytes as well.
    CHECK(read_from(journal, 0).offsets == std::vector<std::uint64_t>{1, 2});
    CHECK(read_from(journal, 2).offsets == std::vector<std::uint64_t>{3});
    sqlite_journal tiny(folder.file(), {.max_page = 0});
    REQUIRE(tiny.open().status == journal_status::ok);
    CHECK(read_from(tiny, 0).offsets == std::vector<std::uint64_t>{1});
}

TEST_CASE("relay: much is trimmed in several steps, and silent producers are forgotten") {
    const sqlite_folder folder;
    sqlite_journal journal(folder.file(), {.sync = sqlite_sync::normal});
    REQUIRE(journal.open().status == journal_status::ok);
    REQUIRE(append_some(journal, "old", 1, 5000).status == journal_status::ok);
    REQUIRE(append_some(journal, "new", 1, 1).status == journal_status::ok);
    other_program other(folder.file());
    other.run("UPDATE producer SET seen = 1 WHERE name = CAST('old' AS BLOB)");
    REQUIRE(journal.trim(10) == journal_status::ok);
    const journal_bounds left = journal.open();
    CHECK(left.oldest == 4992);
    CHECK(left.newest == 5001);
    CHECK(other.ask("SELECT count(*) FROM producer WHERE name <> x''") == "1");
    CHECK(append_some(journal, "new", 1, 1).ends[0].how == append_end::duplicate);
}

TEST_CASE("relay: keys of what comes once go when their time is over, a few with each new one") {
    const sqlite_folder folder;
    sqlite_journal journal(folder.file(), {.sync = sqlite_sync::normal});
    REQUIRE(journal.open().status == journal_status::ok);
    other_program other(folder.file());
    for (std::uint64_t i = 1; i <= 100; ++i) {
        const std::string key = "k" + std::to_string(i);
        REQUIRE(append_to(journal, "a", i, {{"x", key}}).ends[0].how == append_end::stored);
    }
    other.run("UPDATE once SET until = 1");
    CHECK(append_to(journal, "a", 101, {{"x", "k5"}}).ends[0].how == append_end::stored);
    CHECK(other.ask("SELECT count(*) FROM once") == "37");
    CHECK(append_to(journal, "a", 102, {{"x", "k6"}}).ends[0].how == append_end::stored);
    CHECK(other.ask("SELECT count(*) FROM once") == "2");
    CHECK(append_to(journal, "a", 103, {{"x", "k6"}}).ends[0].how == append_end::duplicate);
}

// ---- processes that are killed

namespace {

/// A process that appends until it is killed, and tells what has been acknowledged.
class doomed_writer {
  public:
    doomed_writer(const std::string& file, const std::string& name, sqlite_sync sync)
        : name_(name) {
        std::array<int, 2> ends{};
        if (pipe(ends.data()) != 0) throw std::runtime_error("pipe");
        pid_ = fork();
        if (pid_ == 0) {
            close(ends[0]);
            run(file, sync, ends[1]);
        }
        close(ends[1]);
        acks_ = ends[0];
    }
    doomed_writer(const doomed_writer&) = delete;
    doomed_writer& operator=(const doomed_writer&) = delete;
    ~doomed_writer() {
        stop();
        close(acks_);
    }

    [[nodiscard]] const std::string& name() const { return name_; }
    [[nodiscard]] std::uint64_t acknowledged() const { return acknowledged_; }

    /// Until so much is acknowledged. \returns whether it is.
    bool until(std::uint64_t number) {
        while (acknowledged_ < number) {
            pollfd waits{acks_, POLLIN, 0};
            if (poll(&waits, 1, 30000) <= 0 || !take()) return false;
        }
        return true;
    }
    /// Kills it, and hears what it had to tell.
    void stop() {
        if (pid_ <= 0) return;
        kill(pid_, SIGKILL);
        waitpid(pid_, nullptr, 0);
        pid_ = -1;
        while (take()) {
        }
    }

  private:
    bool take() {
        std::uint64_t number = 0;
        if (::read(acks_, &number, sizeof number) != sizeof number) return false;
        acknowledged_ = number;
        return true;
    }
    [[noreturn]] void run(const std::string& file, sqlite_sync sync, int out) const {
        sqlite_journal journal(file, {.sync = sync});
        if (journal.open().status != journal_status::ok) _exit(1);
        std::uint64_t number = 1;
        for (std::size_t i = 0;; ++i) {
            const std::size_t count = 1 + i % 7;
            if (append_some(journal, name_, number, count).status != journal_status::ok) continue;
            number += count;
            const std::uint64_t last = number - 1;
            if (::write(out, &last, sizeof last) != sizeof last) _exit(2);
        }
    }

    std::string name_;
    pid_t pid_ = -1;
    int acks_ = -1;
    std::uint64_t acknowledged_ = 0;
};

} // namespace

// SSEKIT_KILLS says how many are killed; some by default, and 200 where there is time.
TEST_CASE("relay: what SQLite has acknowledged is there after kill -9, in order and once") {
    const char* const asked = std::getenv("SSEKIT_KILLS");
    const int rounds = asked == nullptr ? 6 : std::max(1, std::atoi(asked) / 2);
    const sqlite_folder folder;
    std::uint64_t term = 0;
    std::map<std::string, std::uint64_t> numbers; // the newest of each that has been seen
    std::uint64_t last = 0;
    std::uint64_t in_doubt = 0;
    for (int round = 0; round < rounds; ++round) {
        const sqlite_sync sync = round % 3 == 0 ? sqlite_sync::full : sqlite_sync::normal;
        // Two at a time, which are stopped in the middle of whatever they do.
        doomed_writer one(folder.file(), "one " + std::to_string(round), sync);
        doomed_writer two(folder.file(), "two " + std::to_string(round), sync);
        REQUIRE(one.until(20 + static_cast<std::uint64_t>(round % 50)));
        REQUIRE(two.until(20));
        one.stop();
        two.stop();

        sqlite_journal journal(folder.file(), {.sync = sync});
        const journal_bounds seen = journal.open();
        INFO(std::string(journal.error()));
        REQUIRE(seen.status == journal_status::ok);
        if (term == 0) term = seen.term;
        CHECK(seen.term == term);
        // What was under way when they died is in doubt: sent again, it is there once.
        for (const doomed_writer* each : {&one, &two}) {
            const support::appending again =
                append_some(journal, each->name(), each->acknowledged() + 1, 7);
            REQUIRE(again.status == journal_status::ok);
            in_doubt += again.ends[0].how == append_end::duplicate;
        }
        for (;;) {
            const support::journal_reading page = read_from(journal, last);
            REQUIRE(page.page.status == journal_status::ok);
            if (page.offsets.empty()) break;
            for (std::size_t i = 0; i < page.offsets.size(); ++i) {
                CHECK(page.offsets[i] == ++last);
                const std::string& entry = page.entries[i];
                const std::size_t space = entry.rfind(' ');
                const std::uint64_t number = std::stoull(entry.substr(space));
                CHECK(number == ++numbers[entry.substr(0, space)]);
            }
        }
        CHECK(numbers[one.name()] == one.acknowledged() + 7);
        CHECK(numbers[two.name()] == two.acknowledged() + 7);
        if (round % 4 == 3) CHECK(journal.trim(50) == journal_status::ok);
    }
    MESSAGE(last << " records, " << in_doubt << " kills between commit and acknowledgement");
}
