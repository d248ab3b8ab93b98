// SPDX-License-Identifier: MIT
#include <ssekit/detail/source/state.hpp>

#include <doctest/doctest.h>

#include <chrono>
#include <utility>

using namespace std::chrono_literals;
using ssekit::never;
using ssekit::ready_state;
using ssekit::source_action;
using ssekit::source_end;
using ssekit::time_point;
using ssekit::detail::source_phase;
using ssekit::detail::source_state;

namespace {

constexpr time_point now{1h};

source_state connecting(time_point deadline = never) {
    source_state state;
    CHECK(state.next(now) == source_action::connect);
    state.connect(deadline);
    return state;
}

} // namespace

TEST_CASE("source state: it goes from waiting over connecting to open and back") {
    source_state state;
    CHECK(state.ready() == ready_state::connecting);
    CHECK(state.next_deadline() == time_point());
    CHECK_FALSE(state.has_transfer());
    state.wait_until(now + 1s);
    CHECK(state.next_deadline() == now + 1s);
    CHECK(state.next(now) == source_action::wait);
    CHECK(state.next(now + 1s) == source_action::connect);
    state.connect(now + 5s);
    CHECK(state.ready() == ready_state::connecting);
    CHECK(state.has_transfer());
    CHECK(state.next_deadline() == now + 5s);
    CHECK(state.next(now + 1s) == source_action::wait);
    state.open(now + 2s, now + 9s);
    CHECK(state.ready() == ready_state::open);
    CHECK(state.is_open());
    CHECK(state.opened() == now + 2s);
    CHECK(state.due() == now + 9s);
    state.put_off(now + 10s);
    CHECK(state.next_deadline() == now + 10s);
    CHECK(state.next(now + 10s) == source_action::wait);
    state.wait_until(now + 11s);
    CHECK(state.ready() == ready_state::connecting);
    CHECK_FALSE(state.has_transfer());
    CHECK(state.next(now + 11s) == source_action::connect);
}

TEST_CASE("source state: a peer is late when its deadline has passed, and only once") {
    source_state state = connecting(now + 5s);
    CHECK_FALSE(state.is_late(now + 5s - 1ns));
    CHECK(state.is_late(now + 5s));
    state.drop_transfer();
    CHECK_FALSE(state.is_late(now + 5s));
    CHECK_FALSE(connecting().is_late(never));
    source_state waiting;
    CHECK_FALSE(waiting.is_late(now)); // there is no peer
}

TEST_CASE("source state: a transfer that is of no use is ended once, before anything else") {
    source_state state = connecting();
    state.drop_transfer();
    state.wait_until(now);
    CHECK(state.next_deadline() == time_point());
    CHECK(state.next(now) == source_action::disconnect);
    CHECK(state.next_deadline() == now);
    CHECK(state.next(now) == source_action::connect);
}

TEST_CASE("source state: it is over once, after its transfer, and then nothing is due") {
    source_state state = connecting();
    CHECK(state.finish(source_end::bad_status));
    CHECK_FALSE(state.finish(source_end::closed));
    CHECK(state.end() == source_end::bad_status);
    CHECK(state.ready() == ready_state::closed);
    CHECK(state.next_deadline() == time_point());
    CHECK(state.next(now) == source_action::disconnect);
    CHECK(state.next_deadline() == time_point());
    CHECK(state.next(now) == source_action::stop);
    CHECK(state.next_deadline() == never);
    CHECK(state.next(never) == source_action::wait);
    source_state waiting;
    CHECK(waiting.finish(source_end::closed));
    CHECK(waiting.next(now) == source_action::stop); // there was no transfer
}

TEST_CASE("source state: only one goes on after a move") {
    source_state state = connecting(now + 5s);
    state.drop_transfer();
    source_state moved = std::move(state);
    CHECK(state.phase() == source_phase::closed);
    CHECK(state.end() == source_end::closed);
    CHECK(state.next_deadline() == never);
    CHECK(state.next(now) == source_action::wait);
    CHECK(moved.phase() == source_phase::connecting);
    CHECK(moved.due() == now + 5s);
    CHECK(moved.next(now) == source_action::disconnect);
    source_state assigned;
    assigned = std::move(moved);
    CHECK(moved.phase() == source_phase::closed);
    CHECK(moved.next(now) == source_action::wait);
    CHECK(assigned.phase() == source_phase::connecting);
    CHECK(assigned.finish(source_end::no_content));
    source_state last = std::move(assigned);
    CHECK(last.end() == source_end::no_content);
    CHECK(last.next(now) == source_action::disconnect);
    CHECK(last.next(now) == source_action::stop);
}
