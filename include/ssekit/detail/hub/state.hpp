// SPDX-License-Identifier: MIT
//
// All that a hub is, as plain data: the parts, each in its own file, and what is left between them.
// The functions that work on it are in the files next to it, by what they do:
//
//   joining.hpp     a stream comes, reads more or fewer topics, and goes
//   publishing.hpp  an event gets into the logs
//   sequencing.hpp  the same for the events of a sequence, and what becomes of its other offsets
//   ahead.hpp       how far the sequence is, and whose clients wait for it
//   epochs.hpp      a sequence that begins anew
//   transient.hpp   the same for events that are not kept
//   companions.hpp  how streams come to read those
//   waiting.hpp     which owners are told that there is something to read, and which readers wait
//   stream.hpp      what a stream gives out next, until its end
//   history.hpp     what it is fed from below its logs
//   turn.hpp        what the time brings
//   closing.hpp     how the hub closes; parting.hpp, what goes on meanwhile
//   presence.hpp    which tags are there, and who is told
//   view.hpp        what is seen from above
//
// The numbers of streams and of cursors share one space for the rings in which both wait.
#ifndef SSEKIT_DETAIL_HUB_STATE_HPP
#define SSEKIT_DETAIL_HUB_STATE_HPP

#include <ssekit/detail/base/links.hpp>
#include <ssekit/detail/base/random.hpp>
#include <ssekit/detail/base/slab.hpp>
#include <ssekit/detail/base/tuning.hpp>
#include <ssekit/detail/base/wheel.hpp>
#include <ssekit/detail/hub/deadlines.hpp>
#include <ssekit/detail/hub/departures.hpp>
#include <ssekit/detail/hub/given_ids.hpp>
#include <ssekit/detail/hub/hand.hpp>
#include <ssekit/detail/hub/merge.hpp>
#include <ssekit/detail/hub/parking.hpp>
#include <ssekit/detail/hub/subscriber.hpp>
#include <ssekit/detail/hub/topic_store.hpp>
#include <ssekit/detail/log/event_ids.hpp>
#include <ssekit/encoder.hpp>
#include <ssekit/frame.hpp>
#include <ssekit/hub_metrics.hpp>
#include <ssekit/hub_options.hpp>
#include <ssekit/time.hpp>

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace ssekit::inline SSEKIT_ABI::detail {

/// A number of a stream or, with this bit, of a cursor, among the readers that wait.
inline constexpr std::uint32_t cursor_bit = 1u << 29;

/// What the streams that end so give out last, where they are given an event.
struct last_words {
    ssekit::frame frame = {};
    stream_end why = stream_end::open;
    framing form = framing::raw;
};

/// What is known of a sequence beyond the newest event here; see ahead.hpp.
struct streams_ahead {
    std::uint64_t newest = 0;   // how far it has got, as its reader has said
    std::uint64_t asked = 0;    // how often he has said so
    std::uint64_t farthest = 0; // no stream waits for a later offset
};

struct hub_state {
    using number = std::uint32_t;

    hub_state(std::uint64_t epoch, time_point now, const hub_options& told) noexcept
        : options(sane(told)), epoch_number(epoch), epoch_words(epoch), clock(now),
          limits(limits_of(options)), random(told.heartbeat.seed + epoch),
          topics({options.keep, options.keep_tagged, options.keep_transient, options.max_topics,
                  options.max_tags, options.max_topic_length, options.max_forgotten, limits.idle,
                  options.on_topic},
                 options.memory),
          ids(options.max_ids, options.max_id_length, options.id_less, options.memory),
          leaving(options.max_tags, options.memory), streams(options.memory), sides(options.memory),
          cursors(options.memory), hands(options.memory), sent(options.memory),
          histories(options.memory), waiting(reader_links{this}),
          timers(limits.shortest() / (wheel_slots / 2), timer_links{this}, timer_head) {
        for (number i = 0; i < timer_heads.size(); ++i) {
            timer_heads[i] = {timer_head + i, timer_head + i};
        }
        static_cast<void>(make_frames());
    }
    hub_state(const hub_state&) = delete;
    hub_state& operator=(const hub_state&) = delete;

    void begin_closing() noexcept { closing = unusual = true; }

    /// Effects: what every stream may get is there. \returns false without memory.
    [[nodiscard]] bool make_frames() noexcept {
        if (!last_chunk) last_chunk = frame::verbatim("0\r\n\r\n", options.memory);
        if (!heartbeat) {
            const std::string_view beat = options.heartbeat_type.view();
            heartbeat = beat.empty() ? say_nothing()
                                     : say({.type = beat, .data = options.heartbeat_data}).frame;
        }
        return last_chunk && heartbeat;
    }

    /// \returns what is published or sent, as a frame.
    [[nodiscard]] frame_result encode(const event_view& event,
                                      const frame_label& label = {}) const noexcept {
        return frame::make(event, {options.utf8, options.order}, label, options.memory);
    }
    /// \returns what the hub itself has to say; the ids in it have been admitted before.
    [[nodiscard]] frame_result say(const event_view& event) const noexcept {
        return frame::make(event, options.order, {}, options.memory);
    }
    [[nodiscard]] frame say_nothing() const noexcept {
        return frame::comment("", options.comments, options.memory);
    }

    struct reader_links {
        hub_state* hub;
        SSEKIT_INLINED link& item(number reader) const noexcept {
            return (reader & cursor_bit) == 0 ? hub->streams[reader].queue
                                              : hub->cursors[reader & ~cursor_bit].queue;
        }
        SSEKIT_INLINED link& idle_at(number topic, bool has_waker) const noexcept {
            return has_waker ? hub->topics[topic].idle_wakers : hub->topics[topic].idle;
        }
    };
    static constexpr number timer_head = 1u << 31;
    struct timer_links {
        hub_state* hub;
        link& operator()(number item) const noexcept {
            return item < timer_head ? hub->streams[item].timer
                                     : hub->timer_heads[item - timer_head];
        }
    };
    // The ring of a tag's readers: cursors, and the topic as its head.
    static constexpr number tag_head = 1u << 31;
    struct tag_links {
        hub_state* hub;
        link& operator()(number item) const noexcept {
            return item < tag_head ? hub->cursors[item].tagged
                                   : hub->topics[item - tag_head].tagged;
        }
    };

    hub_options options;
    std::uint64_t epoch_number;
    epoch_text epoch_words;
    hub_clock clock;
    time_limits limits;
    random_sequence random;
    hub_metrics metrics;
    std::uint64_t last_offset = 0; // of the newest event
    streams_ahead ahead;
    std::size_t open_streams = 0;
    std::size_t all_streams = 0; // those that have ended as well
    std::uint32_t last_serial = 0;

    // What every stream may get.
    frame heartbeat;         // without an id
    frame heartbeat_with_id; // made for `heartbeat_offset`
    std::uint64_t heartbeat_offset = 0;
    frame farewell;
    frame last_chunk;
    last_words said_last;

    bool closing = false;
    bool unusual = false; // it is closing, or some topic has had a companion; see take_next
    std::chrono::milliseconds retry_min{}; // of close_options
    std::chrono::milliseconds retry_max{};
    time_point cut_at = never;

    topic_store topics;
    given_ids<id_order> ids; // event_ids::by_publisher
    departures leaving;      // tags in their grace: hub_options::presence
    slab<subscriber, 64> streams;
    side_table sides;
    slab<cursor, 64> cursors;
    hand_pool hands;
    slab<sent_event, 16> sent;
    slab<history_feed, 8> histories;
    parking<reader_links> waiting;
    std::array<link, wheel_slots + 1> timer_heads{};
    wheel<numbered_rings<timer_links>> timers;

  private:
    static hub_options sane(hub_options told) noexcept {
        if (told.retry && told.retry->count() < 0) told.retry.reset();
        if (told.retry) told.retry = time_limits::for_clients(*told.retry);
        told.detach_retry = time_limits::for_clients(told.detach_retry);
        if (told.memory == nullptr) told.memory = heap();
        return told;
    }
    static time_limits limits_of(const hub_options& told) noexcept {
        time_limits limits;
        limits.heartbeat = time_limits::bounded(told.heartbeat.interval);
        limits.jitter = (std::min)(told.heartbeat.jitter, 100u);
        limits.write = time_limits::bounded(told.write_deadline);
        // What has expired before it began does so at once, not never.
        constexpr std::chrono::milliseconds at_once(1);
        if (told.write_deadline.count() < 0) limits.write = at_once;
        if (told.max_age) limits.age = time_limits::bounded(*told.max_age);
        limits.age_jitter = (std::min)(told.max_age_jitter, 50u);
        limits.idle = told.keep_idle.count() < 0 ? at_once : time_limits::bounded(told.keep_idle);
        return limits;
    }
};

/// \returns a reconnection time between these, so that not all clients come back at once.
[[nodiscard]] inline std::chrono::milliseconds draw_retry(hub_state& hub,
                                                          std::chrono::milliseconds least,
                                                          std::chrono::milliseconds most) noexcept {
    const auto spread = static_cast<std::uint64_t>((most - least).count());
    return least + std::chrono::milliseconds(hub.random.up_to(spread));
}

/// Effects: `call(number, cursor&)` for each of the stream's cursors, the newest first.
template <class Call>
void for_each_cursor(const hub_state& hub, const subscriber& item, std::uint32_t stream,
                     Call&& call) noexcept {
    if (!item.has_side) return;
    for (std::uint32_t at = hub.sides.of(stream).cursors; at != 0; at = hub.cursors[at].next) {
        call(at, hub.cursors[at]);
    }
}

/// Effects: `call(log, position)` for each reader of the stream.
template <class Call>
void for_each_reader(const hub_state& hub, subscriber& item, std::uint32_t stream,
                     Call&& call) noexcept {
    if (item.topic != 0) call(hub.topics[item.topic].log, item.position);
    for_each_cursor(hub, item, stream, [&](std::uint32_t, cursor& reader) {
        call(hub.topics[reader.topic].log, reader.position);
    });
}

/// Effects: the same without those of companions: what the stream may come back for.
template <class Call>
void for_each_kept_reader(const hub_state& hub, subscriber& item, std::uint32_t stream,
                          Call&& call) noexcept {
    if (item.topic != 0) call(hub.topics[item.topic].log, item.position);
    for_each_cursor(hub, item, stream, [&](std::uint32_t, cursor& reader) {
        if (!reader.of_companion) call(hub.topics[reader.topic].log, reader.position);
    });
}

/// Effects: `call(number, topic)` for each reader of the stream, by its number among those that
/// wait. Readers of companions do not.
template <class Call>
void for_each_seat(const hub_state& hub, const subscriber& item, std::uint32_t stream,
                   Call&& call) noexcept {
    if (item.topic != 0) call(stream, item.topic);
    for_each_cursor(hub, item, stream, [&](std::uint32_t at, const cursor& reader) {
        if (!reader.of_companion) call(at | cursor_bit, reader.topic);
    });
}

/// \returns the offset of the newest event through this offset that the stream's own topics have,
/// or have let go last; 0 for none.
[[nodiscard]] inline std::uint64_t newest_own(hub_state& hub, std::uint32_t stream,
                                              std::uint64_t through) noexcept {
    std::uint64_t best = 0;
    const auto look = [&](const event_log& log, std::uint64_t&) {
        const std::uint64_t next = log.after(through);
        const std::uint64_t own = next != log.begin() ? log[next - 1].offset : log.newest_gone();
        if (own <= through) best = (std::max)(best, own);
    };
    for_each_kept_reader(hub, hub.streams[stream], stream, look);
    return best;
}

/// \returns the stream's side record, made if there is none; null without memory.
[[nodiscard]] inline side* side_of(hub_state& hub, std::uint32_t stream) noexcept {
    subscriber& item = hub.streams[stream];
    if (!item.has_side) {
        if (!hub.sides.make(stream)) return nullptr;
        item.has_side = 1;
        item.plain = 0;
        if (item.seated && hub.options.ids == event_ids::by_publisher) {
            // The client has an id at or after the last event of its topic that it has got.
            const auto each = [&](auto&& call) { for_each_reader(hub, item, stream, call); };
            hub.sides.of(stream).told_through = read_through(each, hub.last_offset);
        }
    }
    return &hub.sides.of(stream);
}

/// The id on the wire for a stream that has what was published through an offset. Where publishers
/// give ids it is the one that the client has brought, if that says so, or else that of an event of
/// its own topics, for ids may be anybody's data; "" if none is remembered, and where there are no
/// ids. Lifetime: until the next event is published, and that of the text brought.
class wire_id {
  public:
    wire_id(hub_state& hub, std::uint32_t stream, std::uint64_t through,
            std::string_view brought = {}) noexcept
        : wire_id(hub, through) {
        if (hub.options.ids != event_ids::by_publisher) return;
        given_ = brought;
        if (given_.empty()) given_ = hub.ids.id_at(newest_own(hub, stream, through));
    }
    /// \param own an event of the topics in question; where the hub numbers events, any offset
    [[nodiscard]] static wire_id of(const hub_state& hub, std::uint64_t own) noexcept {
        wire_id out(hub, own);
        if (hub.options.ids == event_ids::by_publisher) out.given_ = hub.ids.id_at(own);
        return out;
    }
    [[nodiscard]] static wire_id none(const hub_state& hub) noexcept {
        wire_id out(hub, 0);
        out.is_numbered_ = false;
        return out;
    }
    /// \param own the newest event of the topics in question
    [[nodiscard]] static wire_id newest(const hub_state& hub, std::uint64_t own) noexcept {
        wire_id out(hub, hub.last_offset);
        if (hub.options.ids == event_ids::by_publisher) out.given_ = hub.ids.id_at(own);
        return out;
    }

    [[nodiscard]] std::string_view view() const noexcept {
        return is_numbered_ ? numbered_.view() : given_;
    }

  private:
    wire_id(const hub_state& hub, std::uint64_t through) noexcept
        : numbered_(hub.epoch_words, through),
          is_numbered_(hub.options.ids != event_ids::by_publisher &&
                       hub.options.ids != event_ids::none) {}

    event_id_text numbered_;
    bool is_numbered_;
    std::string_view given_;
};

} // namespace ssekit::inline SSEKIT_ABI::detail

#endif
