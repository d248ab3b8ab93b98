// SPDX-License-Identifier: MIT
#include <ssekit/journal.hpp>

#include "support/fake_journal.hpp"
#include "support/journal_contract.hpp"

#include <doctest/doctest.h>

#include <chrono>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

using ssekit::append_end;
using ssekit::appended;
using ssekit::journal_bounds;
using ssekit::journal_page;
using ssekit::journal_record;
using ssekit::journal_status;
using ssekit::journal_visitor;
using std::chrono::milliseconds;
using support::append_fault;
using support::append_some;
using support::append_to;
using support::fake_journal;
using support::fake_log;
using support::read_from;

namespace {

// ---- what the concept accepts and what it does not

struct exemplary_journal {
    journal_bounds open() noexcept;
    journal_status append(std::string_view, std::uint64_t, std::span<const journal_record>,
                          std::span<appended>) noexcept;
    journal_page read(std::uint64_t, std::uint64_t, journal_visitor) noexcept;
    journal_status wait(std::uint64_t, milliseconds) noexcept;
    journal_status trim(std::uint64_t) noexcept;
    [[nodiscard]] std::string_view error() const noexcept;
};
struct generic_journal : exemplary_journal { // takes whatever can be called
    template <class Visit>
    journal_page read(std::uint64_t, std::uint64_t, Visit) noexcept;
};
struct wordy_journal : exemplary_journal {
    [[nodiscard]] const std::string& error() const noexcept;
};
struct throwing_open : exemplary_journal {
    journal_bounds open();
};
struct boolean_open : exemplary_journal {
    bool open() noexcept;
};
struct listing_append : exemplary_journal { // allocates its answer
    std::vector<appended> append(std::string_view, std::uint64_t,
                                 std::span<const journal_record>) noexcept;
};
struct single_append : exemplary_journal { // cannot commit several together
    journal_status append(std::string_view, std::uint64_t, const journal_record&,
                          appended&) noexcept;
};
struct numberless_append : exemplary_journal { // cannot tell a duplicate
    journal_status append(std::span<const journal_record>, std::span<appended>) noexcept;
};
struct throwing_append : exemplary_journal {
    journal_status append(std::string_view, std::uint64_t, std::span<const journal_record>,
                          std::span<appended>);
};
struct greedy_append : exemplary_journal { // wants to change the records
    journal_status append(std::string_view, std::uint64_t, std::span<journal_record>,
                          std::span<appended>) noexcept;
};
struct endless_read : exemplary_journal { // without a bound
    journal_page read(std::uint64_t, journal_visitor) noexcept;
};
struct vague_read : exemplary_journal { // does not say up to where
    journal_status read(std::uint64_t, std::uint64_t, journal_visitor) noexcept;
};
struct throwing_read : exemplary_journal {
    journal_page read(std::uint64_t, std::uint64_t, journal_visitor);
};
struct endless_wait : exemplary_journal {
    journal_status wait(std::uint64_t) noexcept;
};
struct silent_wait : exemplary_journal {
    void wait(std::uint64_t, milliseconds) noexcept;
};
struct silent_trim : exemplary_journal {
    void trim(std::uint64_t) noexcept;
};
struct mutable_error : exemplary_journal {
    [[nodiscard]] std::string_view error() noexcept;
};
struct numeric_error : exemplary_journal {
    [[nodiscard]] int error() const noexcept;
};

static_assert(ssekit::journal<exemplary_journal>);
static_assert(ssekit::journal<generic_journal>);
static_assert(ssekit::journal<wordy_journal>);
static_assert(ssekit::journal<fake_journal>);
static_assert(!ssekit::journal<throwing_open>);
static_assert(!ssekit::journal<boolean_open>);
static_assert(!ssekit::journal<listing_append>);
static_assert(!ssekit::journal<single_append>);
static_assert(!ssekit::journal<numberless_append>);
static_assert(!ssekit::journal<throwing_append>);
static_assert(!ssekit::journal<greedy_append>);
static_assert(!ssekit::journal<endless_read>);
static_assert(!ssekit::journal<vague_read>);
static_assert(!ssekit::journal<throwing_read>);
static_assert(!ssekit::journal<endless_wait>);
static_assert(!ssekit::journal<silent_wait>);
static_assert(!ssekit::journal<silent_trim>);
static_assert(!ssekit::journal<mutable_error>);
static_assert(!ssekit::journal<numeric_error>);
static_assert(!ssekit::journal<const exemplary_journal>);
static_assert(!ssekit::journal<int>);

struct fake_engine {
    [[nodiscard]] std::unique_ptr<fake_journal> connect() {
        return std::make_unique<fake_journal>(log);
    }
    void erase() { log.erase(); }

    fake_log log;
};

} // namespace

TEST_CASE("bounds and pages that nobody has filled in are away") {
    CHECK(journal_bounds().status == journal_status::away);
    CHECK(journal_page().status == journal_status::away);
    CHECK(appended().how == append_end::in_doubt);
}

TEST_CASE("the fake journal keeps the contract") {
    support::keeps_the_contract([] { return std::make_unique<fake_engine>(); }, milliseconds(1),
                                20);
}

TEST_CASE("the fake engine can be away, for some calls or until it comes back") {
    fake_log log;
    fake_journal one(log);
    REQUIRE(one.open().status == journal_status::ok);
    log.go_away();
    CHECK(one.open().status == journal_status::away);
    CHECK(!one.error().empty());
    CHECK(append_some(one, "a", 1, 1).status == journal_status::away);
    CHECK(append_some(one, "a", 1, 1).ends[0].how == append_end::unsent);
    CHECK(read_from(one, 0).page.status == journal_status::away);
    CHECK(one.wait(0, milliseconds(0)) == journal_status::away);
    CHECK(one.trim(0) == journal_status::away);
    log.come_back();
    CHECK(one.wait(0, milliseconds(0)) == journal_status::away); // it has to be opened again
    CHECK(one.open().status == journal_status::ok);
    log.go_away(1);
    CHECK(read_from(one, 0).page.status == journal_status::away);
    CHECK(read_from(one, 0).page.status == journal_status::ok);
}

TEST_CASE("an append of the fake can go wrong in each way, and again it is right") {
    for (const append_fault fault : {append_fault::unsent, append_fault::lost_ack,
                                     append_fault::halfway, append_fault::lost_query}) {
        CAPTURE(int(fault));
        fake_log log;
        fake_journal one(log);
        REQUIRE(one.open().status == journal_status::ok);
        log.fail_append(fault);
        const support::appending made = append_some(one, "a", 1, 4);
        CHECK(made.status == journal_status::away);
        const bool sent = fault != append_fault::unsent;
        for (const appended& each : made.ends) {
            CHECK(each.how == (sent ? append_end::in_doubt : append_end::unsent));
        }
        const std::size_t there = log.entries().size();
        CHECK(there == (fault == append_fault::lost_ack  ? 4u
                        : fault == append_fault::halfway ? 2u
                                                         : 0u));
        const support::appending again = append_some(one, "a", 1, 4);
        CHECK(again.status == journal_status::ok);
        for (std::size_t i = 0; i < 4; ++i) {
            CHECK(again.ends[i].how == (i < there ? append_end::duplicate : append_end::stored));
        }
        CHECK(log.entries() == std::vector<std::string>{"a 1", "a 2", "a 3", "a 4"});
    }
}

TEST_CASE("a record that the fake refuses is skipped, and the others are stored") {
    fake_log log;
    fake_journal one(log);
    REQUIRE(one.open().status == journal_status::ok);
    log.refuse("bad");
    const support::appending made = append_to(one, "a", 1, {{"good"}, {"a bad one"}, {"fine"}});
    CHECK(made.status == journal_status::ok);
    CHECK(made.ends[1].how == append_end::refused);
    CHECK(log.entries() == std::vector<std::string>{"good", "fine"});
    log.fail_append(append_fault::refused);
    CHECK(append_some(one, "a", 4, 1).ends[0].how == append_end::refused);
}

TEST_CASE("a fake log that is rolled back has another term, and forgets numbers") {
    fake_log log;
    fake_journal one(log);
    const std::uint64_t term = one.open().term;
    static_cast<void>(append_some(one, "a", 1, 5));
    log.roll_back(2);
    CHECK(read_from(one, 3).page.status == journal_status::other_term);
    const support::appending late = append_some(one, "a", 6, 1);
    CHECK(late.status == journal_status::other_term);
    CHECK(late.ends[0].how == append_end::unsent);
    const journal_bounds now = one.open();
    CHECK(now.term != term);
    CHECK(now.newest == 3);
    CHECK(now.since == 3);
    CHECK(support::all_stored(append_some(one, "a", 4, 2), 4));
}

TEST_CASE("what comes once in the fake may come again when its time is over") {
    using namespace std::chrono_literals;
    fake_log log;
    fake_journal one(log);
    REQUIRE(one.open().status == journal_status::ok);
    log.set_time(1s);
    CHECK(append_to(one, "a", 1, {{"x", "k", 10ms}}).ends[0].how == append_end::stored);
    log.set_time(1009ms);
    CHECK(append_to(one, "a", 2, {{"x", "k", 10ms}}).ends[0].how == append_end::duplicate);
    log.set_time(1010ms);
    CHECK(append_to(one, "a", 3, {{"x", "k", 10ms}}).ends[0].how == append_end::stored);
}
