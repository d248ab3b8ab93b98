// SPDX-License-Identifier: MIT
//
// What leaves: writers that take what they are told to take, and the far end, which gets it.
#ifndef SSEKIT_FUZZ_HUB_WIRE_HPP
#define SSEKIT_FUZZ_HUB_WIRE_HPP

#include "hub_client.hpp"
#include "hub_endings.hpp"

#include <ssekit/hub.hpp>
#include <ssekit/writer.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace fuzz {

using ssekit::drain_status;

class wire : protected endings {
  protected:
    // A writer that takes what it is told to, and sees what it is shown.
    struct socket {
        wire& self;
        connection& c;
        std::vector<std::size_t> takes; // by each call; what is left then ends with `status`
        ssekit::io_status status = ssekit::io_status::would_block;
        std::size_t calls = 0;
        bool everything = false;

        ssekit::write_result write_some(std::span<const std::string_view> slices) noexcept {
            self.shown(c, slices, ssekit::drain_slices);
            std::size_t all = 0;
            for (const std::string_view slice : slices) all += slice.size();
            const bool last = !everything && calls + 1 >= takes.size();
            const std::size_t bytes = everything ? all : std::min(all, takes[calls]);
            ++calls;
            self.took(c, bytes);
            return {bytes, last || bytes == 0 ? status : ssekit::io_status::ready};
        }
    };

    static void check_held(const connection& c) {
        for (const connection::piece& each : c.hand) {
            check(std::string_view(each.at, each.text.size()) == each.text,
                  "what is prepared stays as it is");
        }
    }

    // \param room for how many there was room
    void shown(connection& c, std::span<const std::string_view> slices, std::size_t room) {
        for (std::size_t i = 0; i != slices.size(); ++i) {
            if (i < c.hand.size()) {
                check(slices[i].data() == c.hand[i].at && slices[i] == c.hand[i].text,
                      "what is prepared stays where it is, and leaves next");
            } else {
                check(!slices[i].empty(), "there are no empty slices");
                if (c.hand.empty() && !c.opening_due && !c.gives_way) c.since = now_;
                c.hand.push_back({slices[i].data(), std::string(slices[i])});
                ++c.in_hand;
                give_out(c, slices[i]);
            }
        }
        // Where there was room for more the hub has looked for more, and passed what it passes over.
        const bool looked = slices.size() < room && c.in_hand < most_in_hand;
        if (looked && !slices.empty() && !c.orphan && c.stream.end() == stream_end::open) look(c);
    }

    void took(connection& c, std::size_t bytes) {
        std::string out;
        c.bytes += bytes;
        bytes_ += bytes;
        if (bytes != 0) c.progress = c.since = now_;
        while (bytes != 0) {
            connection::piece& first = c.hand.front();
            const std::size_t here = std::min(bytes, first.text.size());
            out += first.text.substr(0, here);
            first.at += here;
            first.text.erase(0, here);
            bytes -= here;
            if (first.text.empty()) c.hand.pop_front();
        }
        if (c.hand.empty()) c.in_hand = 0;
        receive(c, out);
    }

    // The far end.
    void receive(connection& c, const std::string& bytes) {
        person& who = person_of(c);
        c.wire.take(c.with.framing == ssekit::framing::chunked ? c.chunks.take(bytes) : bytes,
                    [&](const seen_block& block) {
                        const bool opening = c.blocks == 0 && c.opens;
                        const bool first = c.blocks++ == 0 && c.worth != resumption::fresh;
                        const std::uint64_t offset = block.has_id ? offset_of(block.id) : 0;
                        const bool gap =
                            opening ? c.worth > resumption::resumed : block.type == "gap";
                        const bool data = block.has_data && !gap && !opening &&
                                          block.type != "beat" && block.type != "now";
                        if (block.has_id) who.last_id = block.id;
                        if (block.has_id && (data || block.retry == "7")) {
                            who.got(offset);
                        } else if (block.has_id) {
                            who.pass(offset);
                        }
                        if (gap) who.told();
                        if (first) who.nothing_untold();
                    });
    }
    person& person_of(const connection& c) {
        return *std::find_if(people_.begin(), people_.end(),
                             [&](const person& each) { return each.link.get() == &c; });
    }

    void nothing_to_prepare(connection& c) {
        person& who = person_of(c);
        const bool whole = c.with.framing == ssekit::framing::raw || c.chunks.ended();
        if (c.stream.is_done()) {
            if (c.orphan) return;
            end(c);
            const bool abrupt = ssekit::is_abrupt(c.stream.end());
            check(c.stream.is_abrupt() == abrupt, "an end says whether something was lost");
            check(abrupt || (c.hand.empty() && whole && !c.wire.is_torn()),
                  "a proper end is whole");
            check(abrupt || c.words.empty() || c.words_may_lack, "one that gives way says so");
            check(abrupt || options_.end_type.view().empty() || c.terminated,
                  "a proper end is said where that is asked for");
            // It may be stalled while its last chunk, which nobody takes back, is under way.
            check(c.with.framing == ssekit::framing::raw || !c.chunks.ended() ||
                      (c.terminated && c.hand.empty() && !c.wire.is_torn()),
                  "what is not whole does not look so");
            c.over = true;
            c.rescheduled = false;
            return;
        }
        check(c.hand.empty() && !c.wire.is_torn(), "no block is torn when a stream is idle");
        check(c.stream.end() == stream_end::open, "a stream that has ended gets done");
        if (c.stream.needs()) { // it is idle until it is fed
            check(c.fetching, "a stream that lags is not fed");
            c.told = 0;
            c.may_be_told = 1;
            c.asleep = true;
            c.idle_since = now_;
            return;
        }
        c.fetching = false;
        idle(c);
        if (c.model.holding) return;
        if (!sequence_ && c.with.heartbeat.value_or(0ms) == 0ms) who.nothing_more();
    }

    drain_status drain(connection& c, std::vector<std::size_t> takes,
                       ssekit::io_status then = ssekit::io_status::would_block) {
        check_held(c);
        c.asleep = c.must_be_told = false;
        socket out{*this, c, std::move(takes), then};
        out.everything = out.takes.empty();
        const drain_status status = ssekit::drain(c.stream, out, 1000);
        struck_ = memory_.struck;
        if (!c.orphan) end(c);
        if (status == drain_status::idle || status == drain_status::done ||
            status == drain_status::cut) {
            const drain_status right = !c.stream.is_done()    ? drain_status::idle
                                       : c.stream.is_abrupt() ? drain_status::cut
                                                              : drain_status::done;
            check(status == right, "drain says how it is");
            nothing_to_prepare(c);
        }
        return status;
    }

    void drain_all(connection& c) {
        while (drain(c, {}) == drain_status::budget_spent) {
        }
    }

    void prepare(connection& c, std::size_t count) {
        check_held(c);
        c.asleep = c.must_be_told = false;
        std::vector<std::string_view> slices(count);
        slices.resize(c.stream.prepare(slices));
        struck_ = memory_.struck;
        shown(c, slices, count);
        if (!c.orphan) end(c);
        if (slices.empty()) nothing_to_prepare(c);
    }

    void consume(connection& c, std::size_t most) {
        std::size_t held = 0;
        for (const connection::piece& each : c.hand) held += each.text.size();
        check_held(c);
        const std::size_t bytes = c.orphan ? 0 : std::min(most, held);
        took(c, bytes);
        c.stream.consume(bytes);
    }
};

} // namespace fuzz

#endif
