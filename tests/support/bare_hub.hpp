// SPDX-License-Identifier: MIT
//
// A hub without its faces: the state, and what a test asks of it in few words.
#ifndef SSEKIT_TESTS_SUPPORT_BARE_HUB_HPP
#define SSEKIT_TESTS_SUPPORT_BARE_HUB_HPP

#include "support/counted_memory.hpp"
#include "support/gap_range.hpp"
#include "support/recorder.hpp"

#include <ssekit/detail/hub/joining.hpp>
#include <ssekit/detail/hub/publishing.hpp>
#include <ssekit/detail/hub/state.hpp>
#include <ssekit/detail/hub/stream.hpp>
#include <ssekit/detail/hub/transient.hpp>
#include <ssekit/detail/hub/turn.hpp>
#include <ssekit/detail/hub/view.hpp>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

namespace support {

namespace sse = ssekit::detail;

inline constexpr std::array<std::string_view, 2> ab = {"a", "b"};
inline constexpr std::array<std::string_view, 3> abc = {"a", "b", "c"};
inline constexpr ssekit::retention keep_two{.events = 2,
                                            .burst = {.within = std::chrono::milliseconds(0)}};

/// A hub's state in memory that is counted; all of it has to be back when this ends.
class bare_hub {
  public:
    explicit bare_hub(ssekit::hub_options options = {},
                      ssekit::time_point now = ssekit::time_point(std::chrono::hours(1)),
                      std::uint64_t epoch = 1) {
        options.memory = &memory;
        made_ = std::make_unique<sse::hub_state>(epoch, now, options);
    }
    bare_hub(const bare_hub&) = delete;
    bare_hub& operator=(const bare_hub&) = delete;

    sse::hub_state& operator*() { return *made_; }
    sse::hub_state* operator->() { return made_.get(); }

    /// \returns what is left in use once the hub has gone.
    std::size_t end() {
        made_.reset();
        return memory.live();
    }

    std::uint32_t join(const ssekit::subscribe_options& options, ssekit::waker wake = {}) {
        last = sse::join(*made_, options, wake);
        return last.stream;
    }
    void leave(std::uint32_t stream) { sse::leave(*made_, stream); }
    ssekit::publish_result say(const ssekit::topic_list& topics, std::string_view data,
                               std::string_view key = {}) {
        return sse::publish(*made_, sse::topic_kind::name, topics, {.data = data}, key);
    }
    /// An event for each character. \returns whether all were taken.
    [[nodiscard]] bool say_each(std::string_view topic, std::string_view characters) {
        return std::all_of(characters.begin(), characters.end(), [&](const char& data) {
            return say(topic, {&data, 1}).ec == ssekit::errc::ok;
        });
    }
    ssekit::publish_result say_transient(const ssekit::topic_list& topics, std::string_view data,
                                         std::string_view key = {}) {
        return sse::publish_transient(*made_, sse::topic_kind::name, topics, {.data = data}, key);
    }
    ssekit::publish_result say_to_tag(std::string_view tag, std::string_view data) {
        return sse::publish(*made_, sse::topic_kind::tag, tag, {.data = data}, {});
    }
    void wait(std::chrono::nanoseconds time) { sse::tick(*made_, made_->clock.now + time); }

    /// The first slice of what the stream has to give now. \returns how many there are: 0 or 1.
    std::size_t prepare_one(std::uint32_t stream, std::string_view& slice) {
        ssekit::stream_end seen{};
        return sse::prepare(*made_, stream, {&slice, 1}, seen);
    }
    /// Everything that the stream has to give now.
    std::string take(std::uint32_t stream) {
        std::string out;
        std::array<std::string_view, 4> slices;
        ssekit::stream_end seen{};
        while (const std::size_t count = sse::prepare(*made_, stream, slices, seen)) {
            std::size_t size = 0;
            for (std::size_t i = 0; i < count; ++i) {
                out += slices[i];
                size += slices[i].size();
            }
            sse::consume(*made_, stream, size);
        }
        return out;
    }
    /// The same as events: "1 2 gap:{...}"; "id=7" for a change of the id that comes without one.
    std::string events(std::uint32_t stream) {
        const std::string bytes = take(stream);
        std::string out;
        for (const seen_event& event : run_feed({bytes}).events) {
            if (!out.empty()) out += ' ';
            const std::string data = without_range(event.data);
            out += event.type == "message" ? data : event.type + ":" + data;
        }
        return out;
    }

    counted_memory memory;
    sse::joined last;

  private:
    std::unique_ptr<sse::hub_state> made_;
};

/// A waker that counts.
struct rung {
    int times = 0;
    [[nodiscard]] ssekit::waker waker() {
        return {[](void* self) noexcept { ++static_cast<rung*>(self)->times; }, this};
    }
};

} // namespace support

#endif
