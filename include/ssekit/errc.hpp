// SPDX-License-Identifier: MIT
#ifndef SSEKIT_ERRC_HPP
#define SSEKIT_ERRC_HPP

#include <ssekit/version.hpp>

#include <cstdint>
#include <string_view>

namespace ssekit::inline SSEKIT_ABI {

/// What went wrong. "Needs more input" and "would block" are not errors and have no place here.
/// error_code.hpp turns it into a std::error_code.
// Version 14 takes the braces for an initialiser.
// clang-format off
enum class [[nodiscard]] errc : std::uint8_t {
    ok,

    // Encoding: nothing has been written.
    invalid_id,       ///< the id holds CR, LF or NUL: refuse it where it comes from
    invalid_type,     ///< the type holds CR or LF: refuse it where it comes from
    invalid_retry,    ///< the reconnection time is negative; in a hub, 0 or beyond 31 bits as well
    buffer_too_small, ///< ask `encoded_size`, and repeat with that many bytes
    unfinished,       ///< a frame_builder's bytes end inside an event: call `data_writer::finish`
    not_one_event,    ///< a frame to be published holds one event, but this one holds more

    // Parsing: the event is dropped, the parser goes on after the next blank line.
    data_too_long,    ///< past `parser_limits::data`; also what is too long to be encoded
    id_too_long,      ///< past `parser_limits::id`; the last event ID stays what it was
    type_too_long,    ///< past `parser_limits::type`
    comment_too_long, ///< past `parser_limits::comment`: only the comment is dropped
    incomplete,       ///< the stream ended inside an event, which is dropped as the standard says

    // Both.
    malformed_utf8, ///< under `utf8_policy::report` only
    out_of_memory,  ///< no memory for one event: it is dropped, the object stays usable

    // Publishing and subscribing.
    closed,               ///< the hub is closed for good
    topic_closed,         ///< the topic is closed, and there is nothing left to replay
    too_many_topics,      ///< `hub_options::max_topics` or `max_tags`
    too_many_subscribers, ///< `hub_options::max_subscribers`
    topic_is_full,        ///< `hub_options::max_subscribers_per_topic`
    tag_is_full,          ///< `hub_options::max_subscribers_per_tag`
    invalid_topic,        ///< no topic is named, or an impossible one: empty, longer than
                          ///< `hub_options::max_topic_length`, no pattern where one is asked for,
                          ///< or the last that a stream reads, which it cannot stop reading
    no_such_topic,        ///< `subscribe_options::must_exist`, hub::reopen_topic: there is no topic
                          ///< of this name, or no longer
    replay_refused,       ///< what the client missed is gone and the gap policy says refuse
    id_is_assigned,       ///< the event brings an id, but the hub gives the ids
    id_is_missing,        ///< the event brings no id, but the publisher gives the ids
    out_of_sequence,      ///< an event older than the newest, or of another sequence
    label_too_long,       ///< a topic or key of 64 KiB or more
    queue_is_full,        ///< a bound on what waits, `hub_options::max_sent` for instance: try
                          ///< again once some of it has left
    expired,              ///< the stream's time was over before it began
    id_is_taken,          ///< another event has had this id: a repeated publish has no effect
    unreturnable_id,      ///< no client could bring the id back in a header: a control byte, a
                          ///< space at an edge, or longer than `hub_options::max_id_length`
    nothing_to_send,      ///< no data, and no other field that may be sent without: id and retry
                          ///< when it is encoded, retry when it is published
    key_is_missing,       ///< removal_of an empty key
    malformed_id,         ///< parse_event_id: not the text of an id
    in_doubt,             ///< it is not known whether the event was stored: publish it again in a
                          ///< way that makes a repetition harmless, or ask for it
    not_stored,           ///< the journal did not take the event, and says why: `relay`
};
// clang-format on

/// A short English text for logs.
/// Lifetime: static.
[[nodiscard]] constexpr std::string_view message(errc code) noexcept {
    switch (code) {
    case errc::ok: return "ok";
    case errc::invalid_id: return "an id must not hold CR, LF or NUL";
    case errc::invalid_type: return "a type must not hold CR or LF";
    case errc::invalid_retry:
        return "a reconnection time must be at least 0, and in a hub 1 to 2^31-1 ms";
    case errc::buffer_too_small: return "the buffer is too small for the event";
    case errc::unfinished: return "an event was begun and not finished";
    case errc::not_one_event: return "a frame to be published must hold one event, not several";
    case errc::data_too_long: return "the data of an event is too long";
    case errc::id_too_long: return "the id of an event exceeds the limit";
    case errc::type_too_long: return "the type of an event exceeds the limit";
    case errc::comment_too_long: return "a comment is too long";
    case errc::incomplete: return "the stream ended inside an event";
    case errc::malformed_utf8: return "malformed UTF-8";
    case errc::out_of_memory: return "out of memory";
    case errc::closed: return "the hub is closed";
    case errc::too_many_topics: return "too many topics or tags";
    case errc::too_many_subscribers: return "too many subscribers";
    case errc::invalid_topic: return "no topic, a topic name that is not allowed, or not a pattern";
    case errc::no_such_topic: return "there is no topic of this name, or no longer";
    case errc::topic_closed: return "the topic is closed";
    case errc::topic_is_full: return "too many subscribers of this topic";
    case errc::tag_is_full: return "too many subscribers with this tag";
    case errc::id_is_missing: return "the publisher assigns the ids, and gave none";
    case errc::out_of_sequence: return "the event is older than the newest, or of another sequence";
    case errc::label_too_long: return "a topic or key must be shorter than 64 KiB";
    case errc::queue_is_full: return "what was sent before has not left yet, and no more may wait";
    case errc::replay_refused: return "the missed events are no longer kept";
    case errc::id_is_assigned: return "the event brings an id, but the hub assigns the ids";
    case errc::key_is_missing: return "a removal needs the key that it removes";
    case errc::malformed_id: return "not the text of an event id";
    case errc::in_doubt: return "it is not known whether the event was stored";
    case errc::not_stored: return "the journal did not take the event";
    case errc::nothing_to_send: return "no data, and no other field that may be sent without";
    case errc::expired: return "the time that the stream may live is over";
    case errc::id_is_taken: return "another event has had this id";
    case errc::unreturnable_id:
        return "no header could bring the id back: edge spaces, control bytes, length";
    }
    return "unknown";
}

} // namespace ssekit::inline SSEKIT_ABI

#endif
