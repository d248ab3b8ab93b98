// SPDX-License-Identifier: MIT
//
// What a hub is told at its beginning, as the input chooses, and what ids it gives.
#ifndef SSEKIT_FUZZ_HUB_SETTING_HPP
#define SSEKIT_FUZZ_HUB_SETTING_HPP

#include "check.hpp"
#include "hub_log.hpp"

#include <ssekit/event_sequence.hpp>
#include <ssekit/hub_options.hpp>
#include <ssekit/memory.hpp>

#include <algorithm>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace fuzz {

/// Memory that fails when it is told to, and knows what has not come back.
class scarce_memory final : public ssekit::memory_resource {
  public:
    void* allocate(std::size_t size, std::size_t alignment) noexcept override {
        if (grace != 0 || fails == 0) {
            if (grace != 0) --grace;
            void* const made = ssekit::heap()->allocate(size, alignment);
            live += made != nullptr ? 1 : 0;
            return made;
        }
        --fails;
        struck = true;
        return nullptr;
    }
    void deallocate(void* memory, std::size_t size, std::size_t alignment) noexcept override {
        --live;
        ssekit::heap()->deallocate(memory, size, alignment);
    }

    std::size_t grace = 0, fails = 0, live = 0;
    bool struck = false;
};

struct setting {
    enum class id_kind { by_hub, none, by_sequence, by_publisher, in_order };

    time_point now_{10h};
    std::uint64_t epoch_ = 0;
    std::uint64_t last_ = 0; // offset of the newest event
    // How far the sequence is, as the hub has been told, and how often.
    std::uint64_t noted_ = 0, times_noted_ = 0;
    ssekit::hub_options options_;
    id_kind ids_ = id_kind::by_hub;
    std::optional<ssekit::event_sequence> sequence_;
    std::vector<std::pair<std::string, std::uint64_t>> given_ids_; // by publishers
    std::string beat_;
    scarce_memory memory_;

    void choose_options(choices& choose) {
        const auto pick = [&](std::size_t end) { return choose.below(end); };
        ++epoch_;
        last_ = noted_ = times_noted_ = 0;
        given_ids_.clear();
        const std::size_t shape = pick(256), limits = pick(256), burst = pick(256);
        const std::size_t more = pick(256);
        const std::size_t last = (limits & 128) == 0 ? 0 : pick(256);
        const std::size_t newer = (last & 12) == 8 ? pick(256) : 0; // which say nothing else
        options_ = {};
        options_.memory = &memory_;
        options_.keep = {
            .events = 1 + shape % 8,
            .bytes = (shape & 8) == 0 ? 1u << 20 : 40 + 2 * limits,
            .age = std::array{0ms, 2000ms, 0ms, -1ms}[(shape >> 4 & 1) | (burst == 255 ? 2 : 0)]};
        options_.keep.burst = {.within = std::array{0ms, 50ms, 1000ms, 3000ms}[burst & 3],
                               .events = 1 + (burst >> 2 & 15),
                               .bytes = (burst & 64) == 0 ? 1u << 20 : 300};
        options_.keep.values = {.keys = std::array<std::size_t, 4>{0, 1, 2, 1000}[newer & 3],
                                .bytes = (newer & 4) == 0 ? 1u << 20 : 200};
        constexpr std::size_t few = 2, many = 64;
        options_.keep_transient = {.events = std::array{many, few, few, many}[newer >> 6],
                                   .age = (newer >> 6) == 3 ? 1000ms : 0ms};
        options_.keep_transient.burst = {.within = (newer >> 6) == 2 ? 1h : 0h, .events = 3};
        options_.keep_tagged = {.events = 1 + limits % 4, .bytes = 1u << 20, .age = 3s};
        options_.keep_tagged.burst = {.within = (burst & 128) == 0 ? 0ms : 500ms, .events = 6};
        ids_ = static_cast<id_kind>((shape >> 5 & 3) + ((shape >> 5 & 3) == 3 && (more & 1) != 0));
        if (ids_ >= id_kind::by_publisher) options_.ids = ssekit::event_ids::by_publisher;
        if (ids_ == id_kind::in_order) options_.id_less = ssekit::numeric_ids();
        if (ids_ == id_kind::none && (more & 16) != 0) options_.ids = ssekit::event_ids::none;
        options_.opening =
            std::array{ssekit::opening_form::quiet, ssekit::opening_form::quiet,
                       ssekit::opening_form::empty_data, ssekit::opening_form::verdict}[more >> 6];
        if ((burst & 3) == 3) options_.end_type = "end";
        options_.max_ids = (more & 2) == 0 ? 3 : 1000;
        sequence_.reset();
        if (ids_ == id_kind::by_sequence) {
            options_.ids = ssekit::event_ids::by_sequence;
            options_.keep = options_.keep_tagged = {}; // what is lost is what the sequence skips
            options_.max_ahead = (more & 2) == 0 ? 2 : 1024;
            options_.max_fed = (more & 1) == 0 ? 2 : 512;
            sequence_.emplace(epoch_);
        }
        options_.max_forgotten = (more & 4) == 0 ? 100 : more >> 3 & 3;
        if ((more & 12) == 8) { // which say nothing else
            options_.order = ssekit::field_order::type_first;
            options_.comments = ssekit::comment_form::line;
        }
        options_.heartbeat_id = (more & 32) == 0;
        options_.heartbeat.interval = (shape & 128) == 0 ? 0s : 1s;
        if ((limits & 1) != 0) options_.heartbeat_type = "beat";
        options_.write_deadline = (limits & 2) == 0 ? 0s : 3s;
        if ((limits & 4) != 0) options_.max_age = 10s;
        if (more == 64) options_.max_age = 0s;
        if ((limits & 8) != 0) options_.retry = 1s;
        if ((limits & 16) != 0) options_.max_subscribers = 3;
        if ((limits & 32) != 0) {
            options_.max_subscribers_per_topic = options_.max_subscribers_per_tag = 2;
        }
        if ((limits & 64) != 0) options_.max_topics = 4;
        options_.max_sent = 2;
        if ((newer & 16) != 0) {
            options_.presence.emplace();
            options_.presence->grace = (newer & 32) == 0 ? 500ms : 0ms;
        }
        if ((newer & 8) != 0) options_.caught_up_type = "now";
        options_.keep_idle = std::array{0ms, -1ms, 500ms, 2500ms}[last & 3];
        if ((last & 4) != 0) {
            options_.on_full_tag = ssekit::full_tag::oldest_gives_way;
            options_.max_subscribers_per_tag = (last & 64) == 0 ? 1 : 2;
        }
        if ((last & 8) != 0) options_.give_way_type = "moved";
        options_.give_way_retry = std::array{0ms, 1000ms, 1000ms, 4000ms}[last >> 4 & 3];
        options_.give_way_retry_max = (last & 128) == 0 ? 3000ms : 2000ms;
        beat_ = (limits & 1) != 0 ? encoded({.type = "beat", .data = ""}) : ":\n\n";
    }

    /// How exact a stream's own heartbeat is: subscribe_options::heartbeat says that.
    [[nodiscard]] std::chrono::milliseconds accuracy() const {
        std::chrono::milliseconds shortest = 1min;
        for (const auto each :
             {options_.heartbeat.interval, options_.write_deadline, options_.max_age.value_or(0ms)})
            if (each > 0ms) shortest = std::min(shortest, each);
        return shortest / 32 + 20ms; // times in a record are coarse
    }

    // ---- ids

    static std::string digit(std::size_t n) {
        return {"0123456789abcdefghijklmnopqrstuvwxyz"[n % 36]};
    }
    [[nodiscard]] std::string id_text(std::uint64_t offset) const {
        if (ids_ == id_kind::in_order) return std::to_string(epoch_ * 100'000 + 2 * offset);
        return (ids_ == id_kind::by_publisher ? "#" : "") + digit(epoch_) + "." +
               std::to_string(offset);
    }
    [[nodiscard]] bool has_ids() const { return options_.ids != ssekit::event_ids::none; }
    [[nodiscard]] std::size_t first_id() const {
        return given_ids_.size() - std::min(given_ids_.size(), options_.max_ids);
    }
    /// The offset that an id of this hub stands for.
    [[nodiscard]] std::uint64_t offset_of(const std::string& id) const {
        const std::uint64_t all = sequence_ ? sequence_->last() : last_;
        for (std::uint64_t n = all + 4; n != 0; --n) {
            if (id == id_text(n)) return n;
        }
        return 0;
    }

    [[nodiscard]] ssekit::resumption worth_of(const std::string& id, std::uint64_t& seen) const {
        using ssekit::resumption;
        seen = 0;
        if (id.empty()) return resumption::fresh;
        if (options_.ids == ssekit::event_ids::none) return resumption::unknown;
        if (options_.ids == ssekit::event_ids::by_publisher) {
            const std::size_t first = first_id();
            for (std::size_t i = first; i < given_ids_.size(); ++i) {
                if (given_ids_[i].first == id) {
                    return seen = given_ids_[i].second, resumption::resumed;
                }
            }
            if (ids_ != id_kind::in_order || given_ids_.empty()) return resumption::unknown;
            const auto less = [](const std::string& a, const std::string& b) {
                return a.size() != b.size() ? a.size() < b.size() : a < b;
            };
            if (less(given_ids_.back().first, id)) return resumption::future;
            if (less(id, given_ids_[first].first)) return resumption::unknown;
            for (std::size_t i = first; i < given_ids_.size(); ++i) {
                if (!less(id, given_ids_[i].first)) seen = given_ids_[i].second;
            }
            return resumption::resumed;
        }
        if (id.size() < 3 || id.find('.') != 1 || id == "1.01" || id[0] == '#') {
            return resumption::malformed;
        }
        if (id[0] != digit(epoch_)[0]) return resumption::unknown;
        const std::uint64_t ahead = sequence_ ? options_.max_ahead : 0;
        const char* const end = id.data() + id.size();
        std::from_chars(id.data() + 2, end, seen);
        if (seen <= std::max(last_, noted_) + ahead) return resumption::resumed;
        return seen = 0, resumption::future;
    }
};

} // namespace fuzz

#endif
