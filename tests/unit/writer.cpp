// SPDX-License-Identifier: MIT
#include <ssekit/writer.hpp>

#include "support/scripted_writer.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cstddef>
#include <numeric>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

using ssekit::drain;
using ssekit::drain_status;
using ssekit::io_status;
using support::everything;
using support::scripted_writer;

namespace {

// ---- what the concepts accept and what they do not

using slices_in = std::span<const std::string_view>;
using slices_out = std::span<std::string_view>;

struct exemplary_writer {
    ssekit::write_result write_some(slices_in) noexcept;
};
struct throwing_writer {
    ssekit::write_result write_some(slices_in);
};
struct counting_writer {
    std::size_t write_some(slices_in) noexcept;
};
struct pair_writer {
    std::pair<std::size_t, io_status> write_some(slices_in) noexcept;
};
struct single_buffer_writer {
    ssekit::write_result write_some(std::string_view) noexcept;
};
struct greedy_writer { // wants to change the slices
    ssekit::write_result write_some(slices_out) noexcept;
};
struct lvalue_writer {
    ssekit::write_result write_some(std::vector<std::string_view>&) noexcept;
};
struct secret_writer {
  private:
    [[maybe_unused]] ssekit::write_result write_some(slices_in) noexcept;
};
struct misnamed_writer {
    ssekit::write_result write(slices_in) noexcept;
};

static_assert(ssekit::writer<exemplary_writer>);
static_assert(!ssekit::writer<throwing_writer>);
static_assert(!ssekit::writer<counting_writer>);
static_assert(!ssekit::writer<pair_writer>);
static_assert(!ssekit::writer<single_buffer_writer>);
static_assert(!ssekit::writer<greedy_writer>);
static_assert(!ssekit::writer<lvalue_writer>);
static_assert(!ssekit::writer<secret_writer>);
static_assert(!ssekit::writer<misnamed_writer>);
static_assert(!ssekit::writer<const exemplary_writer>);
static_assert(!ssekit::writer<int>);

struct exemplary_generator {
    std::size_t prepare(slices_out) noexcept;
    void consume(std::size_t) noexcept;
    [[nodiscard]] bool is_done() const noexcept;
    [[nodiscard]] bool is_abrupt() const noexcept;
};
struct throwing_prepare : exemplary_generator {
    std::size_t prepare(slices_out);
};
struct spanning_prepare : exemplary_generator {
    slices_in prepare(slices_out) noexcept;
};
struct int_prepare : exemplary_generator {
    int prepare(slices_out) noexcept;
};
struct readonly_prepare : exemplary_generator {
    std::size_t prepare(slices_in) = delete;
    std::size_t prepare(std::string_view&) noexcept;
};
struct throwing_consume : exemplary_generator {
    void consume(std::size_t);
};
struct returning_consume : exemplary_generator {
    std::size_t consume(std::size_t) noexcept;
};
struct mutable_is_done : exemplary_generator {
    bool is_done() noexcept;
};
struct throwing_is_done : exemplary_generator {
    [[nodiscard]] bool is_done() const;
};
struct int_is_done : exemplary_generator {
    [[nodiscard]] int is_done() const noexcept;
};
struct mutable_is_abrupt : exemplary_generator {
    bool is_abrupt() noexcept;
};
struct throwing_is_abrupt : exemplary_generator {
    [[nodiscard]] bool is_abrupt() const;
};
struct never_abrupt {
    std::size_t prepare(slices_out) noexcept;
    void consume(std::size_t) noexcept;
    [[nodiscard]] bool is_done() const noexcept;
};
struct endless {
    std::size_t prepare(slices_out) noexcept;
    void consume(std::size_t) noexcept;
    [[nodiscard]] bool is_abrupt() const noexcept;
};

static_assert(ssekit::buffers_generator<exemplary_generator>);
static_assert(!ssekit::buffers_generator<throwing_prepare>);
static_assert(!ssekit::buffers_generator<spanning_prepare>);
static_assert(!ssekit::buffers_generator<int_prepare>);
static_assert(!ssekit::buffers_generator<readonly_prepare>);
static_assert(!ssekit::buffers_generator<throwing_consume>);
static_assert(!ssekit::buffers_generator<returning_consume>);
static_assert(!ssekit::buffers_generator<mutable_is_done>);
static_assert(!ssekit::buffers_generator<throwing_is_done>);
static_assert(!ssekit::buffers_generator<int_is_done>);
static_assert(!ssekit::buffers_generator<mutable_is_abrupt>);
static_assert(!ssekit::buffers_generator<throwing_is_abrupt>);
static_assert(!ssekit::buffers_generator<never_abrupt>);
static_assert(!ssekit::buffers_generator<endless>);
static_assert(!ssekit::buffers_generator<exemplary_writer>);

// ---- a generator that has these pieces to give

struct pieces_generator {
    std::vector<std::string> pieces;
    bool ends = false;
    bool breaks = false; // and then not as it was meant to
    std::size_t piece = 0;
    std::size_t offset = 0;
    std::size_t prepares = 0;

    std::size_t prepare(slices_out slices) noexcept {
        ++prepares;
        std::size_t count = 0;
        for (std::size_t i = piece; i < pieces.size() && count < slices.size(); ++i) {
            slices[count++] = pieces[i];
        }
        if (count != 0) slices[0].remove_prefix(offset);
        return count;
    }
    void consume(std::size_t bytes) noexcept {
        for (offset += bytes; piece < pieces.size() && offset >= pieces[piece].size(); ++piece) {
            offset -= pieces[piece].size();
        }
    }
    [[nodiscard]] bool is_done() const noexcept { return ends && piece == pieces.size(); }
    [[nodiscard]] bool is_abrupt() const noexcept { return breaks && is_done(); }
    [[nodiscard]] std::string all() const {
        return std::accumulate(pieces.begin(), pieces.end(), std::string());
    }
};

static_assert(ssekit::buffers_generator<pieces_generator>);

const std::vector<std::string> words{"one", "second", "3", "the fourth", "5"};
const std::string sentence = "onesecond3the fourth5";

} // namespace

TEST_CASE("drain writes everything in order and says that it is idle") {
    pieces_generator source{.pieces = words};
    scripted_writer out;
    CHECK(drain(source, out) == drain_status::idle);
    CHECK(out.got == sentence);
    CHECK(out.slices == std::vector<std::size_t>{5});
    CHECK(drain(source, out) == drain_status::idle);
    CHECK(out.calls == 1);
}

TEST_CASE("drain says done when the stream has ended and all of it has left") {
    pieces_generator source{.pieces = words, .ends = true};
    scripted_writer out{.script = {{4}}};
    CHECK(drain(source, out) == drain_status::done);
    CHECK(out.got == sentence);
    pieces_generator nothing{.pieces = {}, .ends = true};
    CHECK(drain(nothing, out) == drain_status::done);
    CHECK(out.calls == 2);
}

TEST_CASE("the same bytes leave however many a writer takes at a time") {
    for (std::size_t most = 1; most <= sentence.size() + 1; ++most) {
        for (const io_status status : {io_status::ready, io_status::would_block}) {
            CAPTURE(most);
            pieces_generator source{.pieces = words, .ends = true};
            scripted_writer out{.afterwards = {most, status}};
            std::size_t turns = 0;
            while (drain(source, out) == drain_status::would_block) ++turns;
            CHECK(out.got == sentence);
            CHECK(turns == (status == io_status::ready ? 0 : out.calls));
        }
    }
}

TEST_CASE("bytes that go together with would_block or closed are consumed first") {
    for (std::size_t taken = 0; taken <= sentence.size(); ++taken) {
        CAPTURE(taken);
        pieces_generator source{.pieces = words};
        scripted_writer out{.script = {{taken, io_status::would_block}}};
        CHECK(drain(source, out) == drain_status::would_block);
        CHECK(out.calls == 1);
        CHECK(out.got == sentence.substr(0, taken));
        CHECK(drain(source, out) == drain_status::idle);
        CHECK(out.got == sentence);

        source = {.pieces = words};
        out = {.script = {{taken, io_status::closed}}};
        CHECK(drain(source, out) == drain_status::closed);
        CHECK(out.calls == 1);
        std::string_view next[1];
        const std::size_t count = source.prepare(next);
        CHECK(count == (taken == sentence.size() ? 0 : 1));
        if (count == 1) CHECK(sentence.substr(taken).starts_with(next[0]));
    }
}

TEST_CASE("a ready of zero bytes counts as would_block") {
    pieces_generator source{.pieces = words};
    scripted_writer out{.script = {{3}, {0}, {}}};
    CHECK(drain(source, out) == drain_status::would_block);
    CHECK(out.calls == 2);
    CHECK(drain(source, out) == drain_status::idle);
    CHECK(out.got == sentence);
}

TEST_CASE("every order of answers gives the same stream") {
    // Each script of four answers, each answer taking 0, 1, 4 or all bytes.
    constexpr std::size_t amounts[] = {0, 1, 4, everything};
    constexpr io_status statuses[] = {io_status::ready, io_status::would_block, io_status::closed};
    for (std::size_t code = 0; code < 12 * 12 * 12 * 12; ++code) {
        scripted_writer out;
        std::size_t rest = code;
        for (int i = 0; i < 4; ++i, rest /= 12) {
            out.script.push_back({amounts[rest % 12 / 3], statuses[rest % 3]});
        }
        pieces_generator source{.pieces = words, .ends = true};
        drain_status status = drain(source, out);
        while (status == drain_status::would_block) status = drain(source, out);
        const bool closed =
            out.script[out.calls <= 4 ? out.calls - 1 : 0].status == io_status::closed &&
            out.calls <= 4;
        REQUIRE(status == (closed ? drain_status::closed : drain_status::done));
        REQUIRE(sentence.starts_with(out.got));
        if (!closed) REQUIRE(out.got == sentence);
    }
}

TEST_CASE("the budget is exceeded by at most one write") {
    for (std::size_t budget = 0; budget <= sentence.size() + 1; ++budget) {
        for (std::size_t most = 1; most <= 5; ++most) {
            CAPTURE(budget);
            CAPTURE(most);
            pieces_generator source{.pieces = words};
            scripted_writer out{.afterwards = {most}};
            const drain_status status = drain(source, out, budget);
            const std::size_t left = out.got.size();
            if (status == drain_status::idle) {
                CHECK(budget > sentence.size());
                CHECK(left == sentence.size());
            } else {
                CHECK(status == drain_status::budget_spent);
                CHECK(left >= budget);
                CHECK(left < std::max<std::size_t>(budget, 1) + most);
                CHECK(drain(source, out) == drain_status::idle);
                CHECK(out.got == sentence);
            }
        }
    }
}

TEST_CASE("a write is given at most drain_slices slices") {
    pieces_generator source;
    for (int i = 0; i < 100; ++i) source.pieces.push_back(std::to_string(i));
    scripted_writer out;
    CHECK(drain(source, out) == drain_status::idle);
    CHECK(out.got == source.all());
    CHECK(out.slices == std::vector<std::size_t>{32, 32, 32, 4});
}

TEST_CASE("a generator that ended abruptly is not done but cut") {
    for (const bool breaks : {false, true}) {
        pieces_generator broken{.pieces = words, .ends = true, .breaks = breaks};
        scripted_writer out({});
        CHECK(drain(broken, out) ==
              (breaks ? ssekit::drain_status::cut : ssekit::drain_status::done));
    }
}

TEST_CASE("drain asks nothing of a transport when there is nothing to send") {
    pieces_generator source;
    scripted_writer out{.afterwards = {0, io_status::closed}};
    CHECK(drain(source, out) == drain_status::idle);
    CHECK(out.calls == 0);
    CHECK(source.prepares == 1);
}
