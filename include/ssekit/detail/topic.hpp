// SPDX-License-Identifier: MIT
//
// Whatever has a log is a topic: a name that events are published to; a pattern, which the topics
// that match it feed; a tag, which the streams of one user read besides their topics. So replay,
// merging, limits and retention are one mechanism for all three.
#ifndef SSEKIT_DETAIL_TOPIC_HPP
#define SSEKIT_DETAIL_TOPIC_HPP

#include <ssekit/detail/buffer.hpp>
#include <ssekit/detail/links.hpp>
#include <ssekit/detail/slab.hpp>
#include <ssekit/event_log.hpp>
#include <ssekit/time.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <new>
#include <string_view>
#include <utility>

namespace ssekit::detail {

enum class topic_kind : std::uint8_t { name, pattern, tag };

struct topic {
    topic(const retention& keep, std::uint64_t lost_through) noexcept : log(keep, lost_through) {}

    [[nodiscard]] std::string_view name() const noexcept { return name_text.view(); }

    event_log log;
    link parked{};        // ring: idle readers that the hub's ready list reports
    link parked_wakers{}; // ring: idle readers that have wakers of their own
    link readers{};       // ring: of a tag
    link timer{};         // in the wheel of what expires
    std::size_t subscribers = 0;
    std::uint32_t feeds = 0; // the first of its patterns
    std::uint32_t next = 0;  // in its bucket
    std::size_t hash = 0;
    topic_kind kind = topic_kind::name;
    bool closed = false;
    bool kept = false; // hub::keep has given it bounds of its own
    time_point forget_at = never;
    buffer name_text;
};

/// One link from a topic to a pattern that matches it.
struct feed {
    std::uint32_t pattern;
    std::uint32_t next;
};

/// "*" stands for one segment between slashes, and "**" at the end for one or more.
[[nodiscard]] inline bool is_pattern(std::string_view text) noexcept {
    for (;;) {
        const std::size_t slash = text.find('/');
        if (text.substr(0, slash) == "**") return slash == text.npos;
        if (slash == text.npos) return true;
        text.remove_prefix(slash + 1);
    }
}

[[nodiscard]] inline bool matches(std::string_view pattern, std::string_view name) noexcept {
    for (;;) {
        const std::size_t pattern_end = pattern.find('/');
        const std::size_t name_end = name.find('/');
        const std::string_view wanted = pattern.substr(0, pattern_end);
        if (wanted == "**") return true;
        if (wanted != "*" && wanted != name.substr(0, name_end)) return false;
        if (pattern_end == pattern.npos || name_end == name.npos) return pattern_end == name_end;
        pattern.remove_prefix(pattern_end + 1);
        name.remove_prefix(name_end + 1);
    }
}

/// Topics by kind and name, and by number. Not a standard map, because publish must report
/// exhaustion without exceptions.
class topic_table {
  public:
    topic_table() noexcept = default;
    topic_table(const topic_table&) = delete;
    topic_table& operator=(const topic_table&) = delete;
    ~topic_table() { delete[] buckets_; }

    [[nodiscard]] std::size_t size(topic_kind kind) const noexcept {
        return sizes_[static_cast<std::size_t>(kind)];
    }
    [[nodiscard]] topic& operator[](std::uint32_t number) const noexcept { return topics_[number]; }

    /// \returns the number, 0 when there is none.
    [[nodiscard]] std::uint32_t find(topic_kind kind, std::string_view name) const noexcept {
        if (total_ == 0) return 0;
        const std::size_t hash = hash_of(kind, name);
        std::uint32_t number = bucket(hash);
        while (number != 0) {
            const topic& item = topics_[number];
            if (item.hash == hash && item.kind == kind && item.name() == name) break;
            number = item.next;
        }
        return number;
    }

    /// Preconditions: there is none of that name. \returns 0 when there is no memory.
    std::uint32_t insert(topic_kind kind, std::string_view name, const retention& keep,
                         std::uint64_t lost_through) noexcept {
        if (total_ == bucket_count_ && !grow()) return 0;
        const std::uint32_t number = topics_.make(keep, lost_through);
        if (number == 0) return 0;
        topic& item = topics_[number];
        if (!item.name_text.append(name)) {
            topics_.destroy(number);
            return 0;
        }
        item.kind = kind;
        item.hash = hash_of(kind, name);
        item.next = std::exchange(bucket(item.hash), number);
        ++sizes_[static_cast<std::size_t>(kind)];
        ++total_;
        return number;
    }

    void erase(std::uint32_t number) noexcept {
        const topic& gone = topics_[number];
        std::uint32_t* at = &bucket(gone.hash);
        while (*at != number) at = &topics_[*at].next;
        *at = gone.next;
        --sizes_[static_cast<std::size_t>(gone.kind)];
        --total_;
        topics_.destroy(number);
    }

    /// `call(number)` may erase the topic it is given.
    template <class Call>
    void for_each(Call&& call) const {
        topics_.for_each(std::forward<Call>(call));
    }

  private:
    static std::size_t hash_of(topic_kind kind, std::string_view name) noexcept {
        return std::hash<std::string_view>{}(name) + static_cast<std::size_t>(kind) * 0x9e3779b9u;
    }

    std::uint32_t& bucket(std::size_t hash) const noexcept {
        return buckets_[hash & (bucket_count_ - 1)];
    }

    bool grow() noexcept {
        const std::size_t count = bucket_count_ == 0 ? 16 : bucket_count_ * 2;
        auto* const buckets = new (std::nothrow) std::uint32_t[count]();
        if (buckets == nullptr) return false;
        delete[] std::exchange(buckets_, buckets);
        bucket_count_ = count;
        topics_.for_each([this](std::uint32_t number) {
            topics_[number].next = std::exchange(bucket(topics_[number].hash), number);
        });
        return true;
    }

    slab<topic, 16> topics_;
    std::uint32_t* buckets_ = nullptr;
    std::size_t bucket_count_ = 0; // zero or a power of two
    std::size_t total_ = 0;
    std::array<std::size_t, 3> sizes_{};
};

} // namespace ssekit::detail

#endif
