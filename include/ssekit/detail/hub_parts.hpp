// SPDX-License-Identifier: MIT
//
// What a hub is made of: ids, topics and their table, cursors, and the hands that hold what has
// been given out.
#ifndef SSEKIT_DETAIL_HUB_PARTS_HPP
#define SSEKIT_DETAIL_HUB_PARTS_HPP

#include <ssekit/detail/list.hpp>
#include <ssekit/encoder.hpp>
#include <ssekit/event_log.hpp>
#include <ssekit/frame.hpp>
#include <ssekit/heartbeat.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <new>
#include <optional>
#include <string_view>
#include <utility>

namespace ssekit::detail {

/// The epoch in base 36: short, and free of bytes that would make a cross-origin request unsafe.
class epoch_text {
  public:
    explicit epoch_text(std::uint64_t number) noexcept {
        do {
            digits_[--first_] = "0123456789abcdefghijklmnopqrstuvwxyz"[number % 36];
            number /= 36;
        } while (number != 0);
    }
    [[nodiscard]] std::string_view view() const noexcept {
        return {digits_.data() + first_, digits_.size() - first_};
    }

  private:
    std::array<char, 13> digits_{};
    std::size_t first_ = digits_.size();
};

/// "epoch.offset".
class event_id_text {
  public:
    event_id_text(const epoch_text& epoch, std::uint64_t offset) noexcept {
        unchecked_out out{text_.data()};
        put(out, epoch.view());
        put(out, ".");
        put(out, decimal(offset).view());
        size_ = static_cast<std::size_t>(out.p - text_.data());
    }
    [[nodiscard]] std::string_view view() const noexcept { return {text_.data(), size_}; }
    operator std::string_view() const noexcept { return view(); }

  private:
    std::array<char, 40> text_{};
    std::size_t size_ = 0;
};

/// An id that a client brought.
struct parsed_id {
    std::string_view epoch;
    std::uint64_t offset = 0;
};

/// \returns nullopt unless the text has the form of an id.
[[nodiscard]] inline std::optional<parsed_id> parse_id(std::string_view text) noexcept {
    const std::size_t dot = text.find('.');
    if (dot == text.npos || dot == 0 || dot > 13) return std::nullopt;
    parsed_id id{text.substr(0, dot)};
    for (const char c : id.epoch) {
        if (!(c >= '0' && c <= '9') && !(c >= 'a' && c <= 'z')) return std::nullopt;
    }
    const std::string_view digits = text.substr(dot + 1);
    if (digits.empty() || (digits.size() > 1 && digits[0] == '0')) return std::nullopt;
    for (const char c : digits) {
        if (c < '0' || c > '9') return std::nullopt;
        const auto digit = static_cast<std::uint64_t>(c - '0');
        if (id.offset > (~std::uint64_t{0} - digit) / 10) return std::nullopt;
        id.offset = id.offset * 10 + digit;
    }
    return id;
}

struct subscriber;
struct topic;

/// A reader of one topic: parked there, or in the hub's ready list, or in its owner's care.
struct cursor : list_node<cursor> {
    subscriber* owner = nullptr;
    topic* where = nullptr;
    std::uint64_t next = 0; // position in the topic's log
};

struct topic {
    topic(const retention& keep, std::size_t name_hash) noexcept : log(keep), hash(name_hash) {}

    [[nodiscard]] std::string_view name() const noexcept { return name_text.view(); }

    event_log log;
    list<cursor> parked;        // reported by the hub's ready list
    list<cursor> parked_wakers; // reported by their own wakers
    std::size_t cursors = 0;
    std::size_t hash;
    topic* next = nullptr; // in its bucket
    buffer name_text;
};

/// Topics by name. Not a standard map, because publish must report exhaustion without exceptions.
class topic_table {
  public:
    topic_table() noexcept = default;
    topic_table(const topic_table&) = delete;
    topic_table& operator=(const topic_table&) = delete;
    ~topic_table() {
        for_each([](topic& item) { delete &item; });
        delete[] buckets_;
    }

    [[nodiscard]] std::size_t size() const noexcept { return size_; }

    [[nodiscard]] topic* find(std::string_view name) const noexcept {
        if (size_ == 0) return nullptr;
        const std::size_t hash = std::hash<std::string_view>{}(name);
        topic* item = bucket(hash);
        while (item != nullptr && !(item->hash == hash && item->name() == name)) item = item->next;
        return item;
    }

    /// Preconditions: there is none of that name. \returns nullptr when there is no memory.
    topic* insert(std::string_view name, const retention& keep) noexcept {
        if (size_ == bucket_count_ && !grow()) return nullptr;
        const std::size_t hash = std::hash<std::string_view>{}(name);
        auto* const item = new (std::nothrow) topic(keep, hash);
        if (item == nullptr) return nullptr;
        if (!item->name_text.append(name)) {
            delete item;
            return nullptr;
        }
        item->next = std::exchange(bucket(hash), item);
        ++size_;
        return item;
    }

    void erase(topic& gone) noexcept {
        topic** link = &bucket(gone.hash);
        while (*link != &gone) link = &(*link)->next;
        *link = gone.next;
        --size_;
        delete &gone;
    }

    /// `call` may delete the topic it is given.
    template <class Call>
    void for_each(Call&& call) const noexcept {
        for (std::size_t i = 0; i < bucket_count_; ++i) {
            for (topic* item = buckets_[i]; item != nullptr;)
                call(*std::exchange(item, item->next));
        }
    }

  private:
    topic*& bucket(std::size_t hash) const noexcept { return buckets_[hash & (bucket_count_ - 1)]; }

    bool grow() noexcept {
        const std::size_t count = bucket_count_ == 0 ? 16 : bucket_count_ * 2;
        auto** const buckets = new (std::nothrow) topic*[count]();
        if (buckets == nullptr) return false;
        for_each([&](topic& item) {
            item.next = std::exchange(buckets[item.hash & (count - 1)], &item);
        });
        delete[] buckets_;
        buckets_ = buckets;
        bucket_count_ = count;
        return true;
    }

    topic** buckets_ = nullptr;
    std::size_t bucket_count_ = 0; // zero or a power of two
    std::size_t size_ = 0;
};

/// What has been given out by `prepare` and is not consumed yet. A hand is needed only while bytes
/// are under way, so idle subscribers have none, and a drained one goes back to the pool.
struct hand {
    static constexpr std::size_t capacity = 32;

    std::array<frame, capacity> frames;
    std::size_t first = 0;
    std::size_t size = 0;   // frames held: [first, size)
    std::size_t offset = 0; // bytes of the first that have left
    hand* next = nullptr;   // in the pool
};

class hand_pool {
  public:
    hand_pool() noexcept = default;
    hand_pool(const hand_pool&) = delete;
    hand_pool& operator=(const hand_pool&) = delete;
    ~hand_pool() {
        while (free_ != nullptr) delete std::exchange(free_, free_->next);
    }

    [[nodiscard]] hand* take() noexcept {
        if (free_ == nullptr) return new (std::nothrow) hand;
        return std::exchange(free_, free_->next);
    }

    void give_back(hand* used) noexcept {
        while (used->first != used->size) used->frames[used->first++] = {};
        used->first = used->size = used->offset = 0;
        used->next = std::exchange(free_, used);
    }

  private:
    hand* free_ = nullptr;
};

} // namespace ssekit::detail

#endif
