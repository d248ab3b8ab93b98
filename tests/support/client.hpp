// SPDX-License-Identifier: MIT
//
// A client of a hub: a subscription, the socket it is drained into, and what the browser at the far
// end has seen.
#ifndef SSEKIT_TESTS_SUPPORT_CLIENT_HPP
#define SSEKIT_TESTS_SUPPORT_CLIENT_HPP

#include "support/gap_range.hpp"
#include "support/recorder.hpp"
#include "support/scripted_writer.hpp"

#include <ssekit/hub.hpp>

#include <algorithm>
#include <charconv>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <ostream>
#include <span>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

namespace support {

struct dechunked {
    std::string body = {};
    bool ended = false; // the last chunk has come
    bool intact = true; // what has come is a chunked body, or the beginning of one
};

/// What an HTTP/1.1 client makes of a chunked body, or of the part that has come.
[[nodiscard]] inline dechunked dechunk(std::string_view bytes) {
    dechunked out;
    while (!bytes.empty()) {
        const std::size_t line = bytes.find("\r\n");
        if (line == bytes.npos) return out;
        std::size_t size = 0;
        const auto parsed = std::from_chars(bytes.data(), bytes.data() + line, size, 16);
        out.intact = parsed.ec == std::errc() && parsed.ptr == bytes.data() + line && !out.ended;
        if (!out.intact) return out;
        bytes.remove_prefix(line + 2);
        out.body.append(bytes.substr(0, size));
        const std::string_view tail = bytes.substr(std::min(size, bytes.size())).substr(0, 2);
        out.intact = std::string_view("\r\n").starts_with(tail);
        out.ended = size == 0 && tail.size() == 2;
        if (!out.intact || tail.size() < 2) return out;
        bytes.remove_prefix(size + 2);
    }
    return out;
}

/// Subscribe options for a list of topics; both lists live until the end of the full expression.
[[nodiscard]] inline ssekit::subscribe_options
to(const std::initializer_list<std::string_view>& topics, ssekit::subscribe_options options = {}) {
    options.topics = std::span(topics.begin(), topics.size());
    return options;
}

/// A list that a test prints.
struct texts : std::vector<std::string> {
    using vector::vector;

    friend std::ostream& operator<<(std::ostream& out, const texts& list) {
        for (const std::string& text : list) out << in_quotes(text) << ' ';
        return out;
    }
};

class client {
  public:
    client(ssekit::hub& hub, const ssekit::subscribe_options& options, ssekit::waker wake = {})
        : framing_(options.framing) {
        ssekit::subscribe_result made = hub.subscribe(options, wake);
        stream = std::move(made.subscription);
        ec = made.ec;
    }

    ssekit::subscription stream;
    ssekit::errc ec;
    scripted_writer socket = {};

    ssekit::drain_status drain(std::size_t budget = ssekit::default_drain_budget) {
        return ssekit::drain(stream, socket, budget);
    }

    /// Takes at most `bytes` into a socket that is full then.
    ssekit::drain_status drain_bytes(std::size_t bytes) {
        std::swap(socket.afterwards, full_);
        socket.afterwards.bytes = bytes;
        const ssekit::drain_status status = drain();
        std::swap(socket.afterwards, full_);
        return status;
    }

    /// Takes the frame that is next, whole, if there is one.
    bool drain_one_frame() {
        std::string_view slice;
        if (stream.prepare({&slice, 1}) == 0) return false;
        socket.got += slice;
        stream.consume(slice.size());
        return true;
    }

    [[nodiscard]] std::string body() const {
        return framing_ == ssekit::framing::chunked ? dechunk(socket.got).body : socket.got;
    }
    [[nodiscard]] recording seen() const {
        const std::string bytes = body();
        return run_feed({bytes});
    }
    [[nodiscard]] std::string last_event_id() const { return seen().last_event_id; }
    /// Comments, which is what heartbeats are unless a test says otherwise.
    [[nodiscard]] std::size_t heartbeats() const { return seen().comments.size(); }

    /// The events: data alone where the type is "message", else "type:data"; gaps without ranges.
    [[nodiscard]] texts events() const {
        texts out;
        for (const seen_event& event : seen().events) {
            const std::string data = without_range(event.data);
            out.push_back(event.type == "message" ? data : event.type + ":" + data);
        }
        return out;
    }
    /// The data of the last event.
    [[nodiscard]] std::string last_data() const { return seen().events.back().data; }

  private:
    ssekit::framing framing_;
    step full_{0, ssekit::io_status::would_block};
};

/// Options of a hub that does nothing by itself.
inline constexpr ssekit::hub_options untimed{
    .heartbeat = {.interval = std::chrono::milliseconds(0)},
    .write_deadline = std::chrono::milliseconds(0)};

/// These bounds, and nothing beyond them for a burst.
[[nodiscard]] inline ssekit::retention exactly(ssekit::retention keep) {
    keep.burst.within = std::chrono::milliseconds(0);
    return keep;
}
[[nodiscard]] inline ssekit::retention exactly(std::size_t events) {
    return exactly({.events = events});
}

/// Publishes what is not refused, or is where the test does not mind. \returns its offset.
inline std::uint64_t say(ssekit::hub& hub, const ssekit::topic_list& topics,
                         const ssekit::event_view& event, std::string_view key = {}) {
    return hub.publish(topics, event, key).offset;
}
/// The same with plain data.
inline std::uint64_t say(ssekit::hub& hub, const ssekit::topic_list& topics,
                         std::string_view data) {
    return say(hub, topics, {.data = data});
}
/// Publishes data to those who read the topics now, and that is not kept. \returns its offset.
inline std::uint64_t hint(ssekit::hub& hub, const ssekit::topic_list& topics, std::string_view data,
                          std::string_view key = {}) {
    return hub.publish_transient(topics, {.data = data}, key).offset;
}
/// Publishes each number from `first` to `last`, as data.
inline void say_numbers(ssekit::hub& hub, std::string_view topic, int first, int last) {
    for (int i = first; i <= last; ++i) say(hub, topic, std::to_string(i));
}

[[nodiscard]] inline std::string gap(std::string_view reason, std::size_t missed = 0) {
    std::string out = "gap:{\"reason\":\"" + std::string(reason) + "\"";
    if (missed != 0) out += ",\"missed\":" + std::to_string(missed);
    return out + "}";
}

} // namespace support

#endif
