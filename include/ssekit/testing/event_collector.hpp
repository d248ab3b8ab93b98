// SPDX-License-Identifier: MIT
//
// What a browser would have seen of a stream, as values to compare: for tests of an endpoint that
// sends event streams.
#ifndef SSEKIT_TESTING_EVENT_COLLECTOR_HPP
#define SSEKIT_TESTING_EVENT_COLLECTOR_HPP

#include <ssekit/errc.hpp>
#include <ssekit/event.hpp>
#include <ssekit/parser.hpp>

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace ssekit::inline SSEKIT_ABI::testing {

struct collected_event {
    std::string type = "message";
    std::string data = {};
    std::string last_event_id = {}; ///< as the page sees it: of this event or one before

    bool operator==(const collected_event&) const = default;
};

/// Reads a response's body in whatever pieces it comes.
class event_collector {
  public:
    std::vector<collected_event> events = {};
    std::vector<std::string> comments = {}; ///< heartbeats are comments, mostly empty ones
    std::vector<errc> errors = {};          ///< of parser_limits

    void feed(std::string_view bytes) { ssekit::feed(parser_, bytes, sink{*this}); }

    /// What the client would come back with. Lifetime: until the next call of `feed`.
    [[nodiscard]] std::string_view last_event_id() const { return parser_.last_event_id(); }
    [[nodiscard]] std::optional<std::chrono::milliseconds> retry() const { return parser_.retry(); }

    /// The body has ended. \returns false when it was cut inside an event.
    bool finish() { return parser_.finish() != errc::incomplete; }

  private:
    struct sink {
        event_collector& into;

        void on_event(const event_view& event) {
            into.events.push_back({std::string(event.type), std::string(event.data.value_or("")),
                                   std::string(into.parser_.last_event_id())});
        }
        void on_comment(std::string_view text) { into.comments.emplace_back(text); }
        void on_error(errc code, std::uint64_t) { into.errors.push_back(code); }
    };

    parser parser_;
};

/// \returns the events of a whole body, without chunk framing.
[[nodiscard]] inline std::vector<collected_event> events_of(std::string_view body) {
    event_collector collector;
    collector.feed(body);
    return collector.events;
}

} // namespace ssekit::inline SSEKIT_ABI::testing

#endif
