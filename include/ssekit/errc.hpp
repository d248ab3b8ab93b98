// SPDX-License-Identifier: MIT
#ifndef SSEKIT_ERRC_HPP
#define SSEKIT_ERRC_HPP

#include <cstdint>
#include <string_view>

namespace ssekit {

/// What went wrong. "Needs more input" and "would block" are no errors and have no place here.
enum class errc : std::uint8_t {
    ok,

    // Encoding: nothing has been written.
    invalid_id,       ///< the id holds CR, LF or NUL: refuse it where it comes from
    invalid_type,     ///< the type holds CR or LF: refuse it where it comes from
    invalid_retry,    ///< the reconnection time is negative
    buffer_too_small, ///< ask `encoded_size` and come again with that many bytes

    // Parsing: the event is dropped, the parser goes on behind the next blank line.
    data_too_long,    ///< past `parser_limits::data`
    id_too_long,      ///< past `parser_limits::id`; the last event ID stays what it was
    type_too_long,    ///< past `parser_limits::type`
    comment_too_long, ///< past `parser_limits::comment`; only the comment is dropped
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
    invalid_topic,        ///< empty, or longer than `hub_options::max_topic_length`; no pattern
    replay_refused,       ///< what the client missed is gone and the gap policy says refuse
    id_is_assigned,       ///< the event brings an id, but the hub gives the ids
    id_is_missing,        ///< the event brings no id, but the publisher gives the ids
    out_of_sequence,      ///< an event older than the newest, or of another sequence
    label_too_long,       ///< a topic or key of 64 KiB or more
    queue_is_full,        ///< `hub_options::max_sent`: the subscriber has not read what it was sent
    nothing_to_send,      ///< the event has no data, no id and no retry
};

/// A short English text for logs.
/// Lifetime: static.
[[nodiscard]] constexpr std::string_view message(errc code) noexcept {
    switch (code) {
    case errc::ok: return "ok";
    case errc::invalid_id: return "an id must not hold CR, LF or NUL";
    case errc::invalid_type: return "a type must not hold CR or LF";
    case errc::invalid_retry: return "a reconnection time must not be negative";
    case errc::buffer_too_small: return "the buffer is too small for the event";
    case errc::data_too_long: return "the data of an event exceeds the limit";
    case errc::id_too_long: return "the id of an event exceeds the limit";
    case errc::type_too_long: return "the type of an event exceeds the limit";
    case errc::comment_too_long: return "a comment exceeds the limit";
    case errc::incomplete: return "the stream ended inside an event";
    case errc::malformed_utf8: return "malformed UTF-8";
    case errc::out_of_memory: return "out of memory";
    case errc::closed: return "closed";
    case errc::too_many_topics: return "too many topics";
    case errc::too_many_subscribers: return "too many subscribers";
    case errc::invalid_topic: return "a topic name must not be empty or too long";
    case errc::topic_closed: return "the topic is closed";
    case errc::topic_is_full: return "too many subscribers of this topic";
    case errc::tag_is_full: return "too many subscribers with this tag";
    case errc::id_is_missing: return "the publisher assigns the ids, and gave none";
    case errc::out_of_sequence: return "the event is older than the newest, or of another sequence";
    case errc::label_too_long: return "a topic or key must be shorter than 64 KiB";
    case errc::queue_is_full: return "the subscriber has not read what it was sent before";
    case errc::replay_refused: return "the missed events are no longer kept";
    case errc::id_is_assigned: return "the hub assigns the ids";
    case errc::nothing_to_send: return "the event has neither data nor id nor retry";
    }
    return "unknown";
}

} // namespace ssekit

#endif
