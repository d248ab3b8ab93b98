// SPDX-License-Identifier: MIT
//
// Where the toolkit meets a socket. Two concepts and one loop:
//
// A `buffers_generator` knows what has to leave next (a subscription is one). A `writer` puts bytes
// on some transport and says how many went. `drain` runs the one into the other until one of them
// stops. A transport that completes later needs no writer: its owner calls the generator directly,
// that is prepare, start the write, consume on completion.
//
// buffers_generator: g is a value of the type, s a std::span<std::string_view>, n a std::size_t
//
// | expression   | type        | semantics                                                        |
// |--------------|-------------|------------------------------------------------------------------|
// | g.prepare(s) | std::size_t | fills up to s.size() slices, in order, with what leaves next and |
// |              |             | returns how many; 0: nothing now. Repeated without consume it    |
// |              |             | gives the same bytes, perhaps more after them.  The bytes stay   |
// |              |             | where they are until they are consumed.                          |
// | g.consume(n) | void        | the first n prepared bytes have left                             |
// | g.is_done()  | bool        | nothing will ever leave again                                    |
// | g.is_abrupt()| bool        | it is done, and bytes or events were lost: what has left must    |
// |              |             | not look whole to the peer                                       |
//
// writer: w is a value of the type, s a std::span<const std::string_view> that is not empty
//
// | expression      | type         | semantics                                                    |
// |-----------------|--------------|--------------------------------------------------------------|
// | w.write_some(s) | write_result | hands bytes over in order; never blocks for long; noexcept   |
//
// `bytes` counts what was taken, whatever the status says: bytes may go together with would_block
// or closed. `ready` means "call me again at once" and comes with at least one byte. After
// would_block the owner drains again when the transport has room; after closed, never.
#ifndef SSEKIT_WRITER_HPP
#define SSEKIT_WRITER_HPP

#include <ssekit/version.hpp>

#include <array>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

namespace ssekit::inline SSEKIT_ABI {

enum class io_status : std::uint8_t {
    ready,       ///< there is room for more
    would_block, ///< no room now: come again when the transport says so
    closed,      ///< the peer is gone, or the transport is broken
};

struct write_result {
    std::size_t bytes; ///< taken by this call
    io_status status;
};

// clang-format 14 takes the arrows for members.
// clang-format off
template <class W>
concept writer = requires(W& w, std::span<const std::string_view> slices) {
    { w.write_some(slices) } noexcept -> std::same_as<write_result>;
};

template <class G>
concept buffers_generator =
    requires(G& g, const G& c, std::span<std::string_view> slices, std::size_t n) {
        { g.prepare(slices) } noexcept -> std::same_as<std::size_t>;
        { g.consume(n) } noexcept -> std::same_as<void>;
        { c.is_done() } noexcept -> std::same_as<bool>;
        { c.is_abrupt() } noexcept -> std::same_as<bool>;
    };
// clang-format on

enum class drain_status : std::uint8_t {
    idle,         ///< everything has left: wait until the hub reports the subscriber again
    would_block,  ///< drain again when the transport is writable
    closed,       ///< the transport is gone: destroy the subscription
    budget_spent, ///< there may be more to send, but others want their turn: drain again soon
    done,         ///< the stream has ended and all of it has left: end the response
    cut,          ///< the stream has broken off: drop the connection, and do not end the response,
                  ///< or it would look whole
};

/// What one stream may take in its turn before the others get theirs, in bytes.
inline constexpr std::size_t default_drain_budget = std::size_t{256} << 10;

/// Slices given to one write_some.
inline constexpr std::size_t drain_slices = 32;

/// \returns why the generator has nothing to write: idle, done or cut.
template <buffers_generator G>
[[nodiscard]] drain_status drained(const G& generator) noexcept {
    if (!generator.is_done()) return drain_status::idle;
    return generator.is_abrupt() ? drain_status::cut : drain_status::done;
}

/// Effects: writes what the generator has until it is idle or done, the writer would block or is
/// closed, or `budget` bytes have left (by at most one write more).
/// A writer that breaks its contract with a `ready` of zero bytes counts as would_block.
template <buffers_generator G, writer W>
[[nodiscard]] drain_status drain(G& generator, W& out,
                                 std::size_t budget = default_drain_budget) noexcept {
    for (;;) {
        // Mostly one event waits, and clearing room for many would cost more than sending it.
        std::array<std::string_view, 2> few;
        std::size_t count = generator.prepare(few);
        if (count == 0) return drained(generator);
        write_result wrote{};
        if (count < few.size()) {
            wrote = out.write_some(std::span<const std::string_view>(few).first(count));
        } else {
            std::array<std::string_view, drain_slices> slices;
            count = generator.prepare(slices);
            wrote = out.write_some(std::span<const std::string_view>(slices).first(count));
        }
        generator.consume(wrote.bytes);
        if (wrote.status == io_status::closed) return drain_status::closed;
        if (wrote.status == io_status::would_block || wrote.bytes == 0) {
            return drain_status::would_block;
        }
        if (wrote.bytes >= budget) return drain_status::budget_spent;
        budget -= wrote.bytes;
    }
}

} // namespace ssekit::inline SSEKIT_ABI

#endif
