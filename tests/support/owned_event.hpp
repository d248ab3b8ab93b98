// SPDX-License-Identifier: MIT
#ifndef SSEKIT_TESTS_SUPPORT_OWNED_EVENT_HPP
#define SSEKIT_TESTS_SUPPORT_OWNED_EVENT_HPP

#include "support/recorder.hpp"

#include <ssekit/event.hpp>

#include <chrono>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace support {

/// What an event_view looks at.
struct owned_event {
    std::optional<std::string> id = {};
    std::string type = {};
    std::optional<std::string> data = {};
    std::optional<std::chrono::milliseconds> retry = {};

    [[nodiscard]] ssekit::event_view view() const { return {id, type, data, retry}; }
};

/// Each CR, LF and CRLF turned into LF.
[[nodiscard]] inline std::string with_lf(std::string_view text) {
    std::string out;
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] == '\r') {
            out += '\n';
            if (text.substr(i + 1, 1) == "\n") ++i;
        } else {
            out += text[i];
        }
    }
    return out;
}

/// What a client that begins with this event has to see of it, and nothing else.
[[nodiscard]] inline recording received(const owned_event& event) {
    recording seen;
    seen.last_event_id = event.id.value_or("");
    if (event.retry) {
        seen.order += 'r';
        seen.retry = event.retry->count();
        seen.retries.push_back(*seen.retry);
    }
    if (event.id) {
        seen.order += 'i';
        seen.ids.push_back(*event.id);
    }
    if (event.data) {
        seen.order += 'e';
        seen.events.push_back({std::string(event.view().name()), with_lf(*event.data),
                               seen.last_event_id, event.id, seen.retry});
    }
    return seen;
}

} // namespace support

#endif
