// SPDX-License-Identifier: MIT
//
// The files of tests/conformance, as tests/conformance/README.md describes them.
#ifndef SSEKIT_TESTS_SUPPORT_CASES_HPP
#define SSEKIT_TESTS_SUPPORT_CASES_HPP

#include "support/json.hpp"
#include "support/recorder.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace support {

[[nodiscard]] inline std::vector<json::value> load_cases(std::string_view file) {
    return json::load(SSEKIT_TEST_DATA "/conformance/" + std::string(file)).items;
}

[[nodiscard]] inline std::string name_of(const json::value& test) {
    return test.at("id").string() + ": " + test.at("title").string();
}

/// The bytes of an input; the readable form, where there is one, has to agree.
[[nodiscard]] inline std::string input_of(const json::value& part) {
    const std::string bytes = json::bytes_of(part);
    const json::value* const readable = part.find("bytes");
    if (readable != nullptr && readable->string() != bytes) {
        json::give_up("bytes and b64 differ: " + in_quotes(bytes));
    }
    return bytes;
}

[[nodiscard]] inline std::vector<std::string> strings_of(const json::value* list) {
    std::vector<std::string> strings;
    if (list == nullptr) return strings;
    for (const json::value& item : list->items) strings.push_back(item.string());
    return strings;
}

/// What every client has to see of an event.
struct expected_event {
    std::string type;
    std::string data;
    std::string last_event_id;
    bool operator==(const expected_event&) const = default;
};

[[nodiscard]] inline std::vector<expected_event> events_of(const json::value* list) {
    std::vector<expected_event> events;
    if (list == nullptr) return events;
    for (const json::value& item : list->items) {
        events.push_back(
            {item.at("type").string(), item.at("data").string(), item.at("id").string()});
    }
    return events;
}

[[nodiscard]] inline std::vector<expected_event> events_of(const recording& seen) {
    std::vector<expected_event> events;
    for (const seen_event& event : seen.events) {
        events.push_back({event.type, event.data, event.last_event_id});
    }
    return events;
}

inline std::ostream& operator<<(std::ostream& out, const std::vector<expected_event>& events) {
    for (const expected_event& event : events) {
        out << seen_event{event.type, event.data, event.last_event_id} << ' ';
    }
    return out;
}

} // namespace support

#endif
