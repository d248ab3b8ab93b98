// SPDX-License-Identifier: MIT
//
// Where events live on when a process ends: a log outside of it, which several processes share. A
// `journal` is one connection to such a log. Its calls block, so they belong on a thread of their
// own; each returns by a deadline that the journal has been given, also when the engine is gone.
//
// The log gives each record an offset, from 1 on and without holes, and has a term. An event's id
// is made of both, so a client may come back to any process that reads the log. The term is what
// keeps that true: it changes whenever records that were acknowledged may be gone. An offset of
// another term means nothing, and is told rather than taken for one of this term.
//
// A producer is one run of one program, by a name that no other run has. It numbers its records
// from 1 on. A record whose number is not above the last one that the log has of its producer is a
// duplicate, so a call that ended in doubt is simply made again.
//
// journal: j is a value of the type, c a const one, p a std::string_view, a, n, k std::uint64_t,
// r a std::span<const journal_record>, o a std::span<appended> of the same size, v a
// journal_visitor, t std::chrono::milliseconds. Nothing throws.
//
// | expression           | type           | semantics                                            |
// |----------------------|----------------|------------------------------------------------------|
// | j.open()             | journal_bounds | connects, makes the log where there is none, and     |
// |                      |                | agrees on the term with all others. The same term    |
// |                      |                | again only if none of its acknowledged records can   |
// |                      |                | be gone. Called before all else, and again after     |
// |                      |                | `away` and `other_term`; safe to repeat.             |
// | j.append(p, n, r, o) | journal_status | appends records in order, the first with number n.   |
// |                      |                | ok: o says of each stored, duplicate or refused.     |
// |                      |                | away: in_doubt or unsent for some; append them again |
// |                      |                | with their numbers, after `open`. other_term: none   |
// |                      |                | is stored, all are unsent.                           |
// | j.read(a, n, v)      | journal_page   | calls v for at most n records after offset a, in     |
// |                      |                | order. v may be called late, but holds nothing up in |
// |                      |                | the engine; it does not call the journal. n of 0 is  |
// |                      |                | a look at the newest.                                |
// | j.wait(a, t)         | journal_status | ok as soon as there is something after a, or the     |
// |                      |                | time is over. It may return for nothing, and sleeps  |
// |                      |                | past no append.                                      |
// | j.trim(k)            | journal_status | lets the oldest go, so that k are kept. The newest   |
// |                      |                | offset and the term stay. away: perhaps not all; do  |
// |                      |                | it again.                                            |
// | c.error()            | a text         | in words, what was not ok at last, or why a record   |
// |                      |                | was refused; until the next call                     |
//
// For all readers: offsets of one term grow by exactly 1, and when one has been seen nothing will
// ever appear below it.
#ifndef SSEKIT_JOURNAL_HPP
#define SSEKIT_JOURNAL_HPP

#include <ssekit/version.hpp>
#include <ssekit/waker.hpp>

#include <chrono>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

namespace ssekit::inline SSEKIT_ABI {

enum class journal_status : std::uint8_t {
    ok,
    lost,       ///< of `read`: the record after `after` is no longer kept; what was given is later
    other_term, ///< the log is not the one that was opened, or the offset was never given: `open`
    away,       ///< the engine did not do it in time, or at all: `error` says why; `open` later
};

/// What there is. `oldest` is the first that is kept, newest + 1 where nothing is.
struct journal_bounds {
    journal_status status = journal_status::away; ///< ok or away
    std::uint64_t term = 0;                       ///< never 0 when ok
    std::uint64_t oldest = 1;
    std::uint64_t newest = 0;
    /// Records up to this one were written in earlier terms: readers of those have seen them, or
    /// may have. 0 where the log had none when the term began.
    std::uint64_t since = 0;
};

struct journal_record {
    /// Any bytes, at least one.
    std::string_view entry;
    /// Whose repetition, by whatever producer, is a duplicate for `once_for`; "" for none. By the
    /// clock of the engine. Lifetime of both texts: the call.
    std::string_view once = {};
    std::chrono::milliseconds once_for = std::chrono::hours(24);
};

enum class append_end : std::uint8_t {
    in_doubt,  ///< stored or not, the engine did not say
    unsent,    ///< not stored by this call; that may be tried again
    stored,    ///< as durable as the engine has promised
    duplicate, ///< has been stored before, by its number or by `once`
    refused,   ///< not stored, and not to be repeated: the engine does not take it
};

struct appended {
    append_end how = append_end::in_doubt;
    /// Of `stored`; of a duplicate that of the first, or 0 where it is not known.
    std::uint64_t offset = 0;
};

struct journal_page {
    journal_status status = journal_status::away;
    /// Up to here the reader has now seen all or been told: read on after it.
    std::uint64_t through = 0;
    std::uint64_t newest = 0; ///< when it was read
};

/// Takes one record. The bytes are as somebody has written them, perhaps not this library; there
/// are none where the engine has something that is no record, or is too large for one.
/// Lifetime of the bytes: the call.
using journal_visitor = callback<void(std::uint64_t offset, std::string_view entry)>;

// clang-format 14 takes the arrows for members.
// clang-format off
template <class J>
concept journal =
    requires(J& j, const J& c, std::string_view producer, std::uint64_t number,
             std::span<const journal_record> records, std::span<appended> ends,
             journal_visitor visit, std::chrono::milliseconds time) {
        { j.open() } noexcept -> std::same_as<journal_bounds>;
        { j.append(producer, number, records, ends) } noexcept -> std::same_as<journal_status>;
        { j.read(number, number, visit) } noexcept -> std::same_as<journal_page>;
        { j.wait(number, time) } noexcept -> std::same_as<journal_status>;
        { j.trim(number) } noexcept -> std::same_as<journal_status>;
        { c.error() } noexcept -> std::convertible_to<std::string_view>;
    };
// clang-format on

} // namespace ssekit::inline SSEKIT_ABI

#endif
