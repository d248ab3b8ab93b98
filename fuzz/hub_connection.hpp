// SPDX-License-Identifier: MIT
//
// A stream with what the model knows of it, and the client at the other end, who comes and goes.
#ifndef SSEKIT_FUZZ_HUB_CONNECTION_HPP
#define SSEKIT_FUZZ_HUB_CONNECTION_HPP

#include "hub_client.hpp"
#include "hub_log.hpp"
#include "hub_stream.hpp"

#include <ssekit/hub.hpp>

#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <string>

namespace fuzz {

using ssekit::errc;
using ssekit::gap_policy;
using ssekit::resumption;
using ssekit::stream_end;

/// So many events a stream has in hand at most, until all of them have left.
inline constexpr std::size_t most_in_hand = 32;

struct connection {
    ssekit::subscription stream = {};
    ssekit::subscribe_options with = {};
    name_list topics = {}, patterns = {};
    stream_model model = {};
    bool wakes = false, orphan = false, evicted = false, seated = true;
    resumption worth = resumption::fresh;

    struct piece {
        const char* at;
        std::string text;
    };
    std::deque<piece> hand = {}; // what it has given out, and what of it has not left
    std::size_t in_hand = 0;     // what it has given out since nothing was left
    bool opens = false;          // with a block of its own
    bool opening_due = true, retried = false, bye = false, detached = false, terminated = false;
    bool ended = false, over = false;
    std::string opening_id = {};
    std::string told_id = {};
    std::uint64_t told_offset = 0;  // what that id stands for
    std::uint64_t begins_after = 0; // what came before is not to be told by an id

    dechunker chunks = {};
    wire_reader wire = {};
    std::size_t blocks = 0, bytes = 0;
    bool fetching = false;         // it has to be fed from below its logs
    std::uint64_t fed = 0;         // up to here it has been
    std::uint64_t times_noted = 0; // setting::times_noted_ when it came
    std::size_t order = 0;         // among the streams of its hub, by their beginnings
    bool gives_way = false;        // to a newer one of its tag
    std::string words = {};        // that it still has to say then
    bool words_may_lack = false;   // memory was missing
    bool dropped = false;          // its client has gone

    bool sent_to = false; // since it was idle
    bool changed = false; // its topics, since it was idle, so that it has been told
    bool asleep = false, rescheduled = false, must_be_told = false, aborted = false;
    unsigned told = 0, told_before = 0, may_be_told = 0;
    time_point idle_since{}, born{}, progress{}, since{}; // since: of the hand
};

struct person : visitor {
    std::unique_ptr<connection> link = {};
    std::size_t what = 0, how = 0; // of the last visit
};

} // namespace fuzz

#endif
