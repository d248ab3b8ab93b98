// SPDX-License-Identifier: MIT
//
// A small device: it reads commands from one event stream and broadcasts readings to a few clients
// through a hub, on memory that is all there from the beginning. No heap, no exceptions, no RTTI;
// the size of its code is a test, see tests/packaging/device/device.cmake.
#undef NDEBUG // the asserts are the point

#include <ssekit/hub.hpp>
#include <ssekit/memory.hpp>
#include <ssekit/parser.hpp>
#include <ssekit/writer.hpp>

#include <array>
#include <cassert>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <new>
#include <span>
#include <string_view>

// Anything that asked the heap for memory would end the program.
void* operator new(std::size_t) {
    std::abort();
}
void* operator new[](std::size_t) {
    std::abort();
}
void* operator new(std::size_t, const std::nothrow_t&) noexcept {
    std::abort();
}
void* operator new[](std::size_t, const std::nothrow_t&) noexcept {
    std::abort();
}
void* operator new(std::size_t, std::align_val_t, const std::nothrow_t&) noexcept {
    std::abort();
}

namespace {

using namespace std::chrono_literals;

// [pool]
/// Memory in one piece: the first gap that is large enough. Gaps are linked in the order of their
/// addresses, and neighbours become one, so that what has been given back can be had again.
class pool final : public ssekit::memory_resource {
  public:
    /// Preconditions: the memory is aligned to `unit`.
    explicit pool(std::span<std::byte> memory) noexcept {
        if (memory.size() >= unit)
            put(memory.data(), memory.size() / unit * unit, nullptr, &first_);
    }

    void* allocate(std::size_t size, std::size_t alignment) noexcept override {
        size = rounded(size);
        if (alignment > unit || size == 0) return nullptr;
        for (gap** at = &first_; *at != nullptr; at = &(*at)->next) {
            gap* const found = *at;
            if (found->size < size) continue;
            used_ += size;
            if (used_ > most_used_) most_used_ = used_;
            found->size -= size; // from its end, so the gap stays where it is
            if (found->size == 0) *at = found->next;
            return reinterpret_cast<std::byte*>(found) + found->size;
        }
        return nullptr;
    }

    void deallocate(void* memory, std::size_t size, std::size_t) noexcept override {
        size = rounded(size);
        used_ -= size;
        gap** at = &first_;
        gap* before = nullptr;
        for (; *at != nullptr && *at < memory; at = &(*at)->next) before = *at;
        gap* here = put(static_cast<std::byte*>(memory), size, *at, at);
        if (here->next != nullptr && end_of(*here) == here->next) {
            here->size += here->next->size;
            here->next = here->next->next;
        }
        if (before != nullptr && end_of(*before) == here) {
            before->size += here->size;
            before->next = here->next;
        }
    }

    static constexpr std::size_t unit = 16;
    [[nodiscard]] std::size_t used() const noexcept { return used_; }
    [[nodiscard]] std::size_t most_used() const noexcept { return most_used_; }

  private:
    struct gap {
        gap* next;
        std::size_t size;
    };
    static_assert(sizeof(gap) <= unit);

    static std::size_t rounded(std::size_t size) noexcept {
        return (size + unit - 1) / unit * unit;
    }
    static void* end_of(gap& at) noexcept { return reinterpret_cast<std::byte*>(&at) + at.size; }
    static gap* put(std::byte* memory, std::size_t size, gap* next, gap** at) noexcept {
        return *at = ::new (static_cast<void*>(memory)) gap{next, size};
    }

    gap* first_ = nullptr;
    std::size_t used_ = 0;
    std::size_t most_used_ = 0;
};
// [pool]

/// A socket of the network stack, as far as this needs it.
struct small_socket {
    std::array<char, 512> bytes = {};
    std::size_t size = 0;
    std::size_t room = 512;

    ssekit::write_result write_some(std::span<const std::string_view> slices) noexcept {
        const std::string_view part = slices[0].substr(0, room - size);
        part.copy(bytes.data() + size, part.size());
        size += part.size();
        const bool full = part.size() < slices[0].size();
        return {part.size(), full ? ssekit::io_status::would_block : ssekit::io_status::ready};
    }
    [[nodiscard]] std::string_view got() const noexcept { return {bytes.data(), size}; }
    void clear() noexcept { size = 0; }
};

constexpr ssekit::parser_options small = {.limits = {.data = 64, .id = 8, .type = 16}};
constexpr std::uint64_t boots = 7; // a counter in flash, one more at each start

alignas(pool::unit) std::array<std::byte, 12 * 1024> hub_bytes;

// [options]
/// A hub of one topic and four clients.
ssekit::hub_options small_hub(ssekit::memory_resource& memory) {
    return {
        .keep = {.events = 4, .bytes = 512, .burst = {.within = 0ms}}, // four events, no more
        .max_subscribers = 4,
        .max_topics = 1,
        .max_tags = 0,
        .max_topic_length = 16,
        .max_forgotten = 0, // nothing is remembered of topics that are gone
        .max_sent = 1,
        .memory = &memory,
    };
}
// [options]

void read_commands() {
    // [parse]
    static std::array<char, ssekit::parser::memory_needed(small.limits)> memory;
    ssekit::parser commands(small, memory);
    int led = 0;
    std::string_view input = "event: led\ndata: 1\n\n: still here\n\nevent: led\ndata: 2\n\n";
    while (const ssekit::event_view* event = commands.next(input)) {
        if (event->type == "led") led = (*event->data)[0] - '0';
    }
    assert(led == 2);
    // [parse]
}

void broadcast() {
    pool memory(hub_bytes);
    ssekit::time_point now{};
    ssekit::hub hub(boots, now, small_hub(memory));
    std::array<small_socket, 2> sockets = {};
    auto [first, first_refused] = hub.subscribe({.topics = "readings"});
    auto [second, second_refused] = hub.subscribe({.topics = "readings"});
    assert(first_refused == ssekit::errc::ok && second_refused == ssekit::errc::ok);
    assert(hub.publish("others", {.data = "x"}).ec == ssekit::errc::too_many_topics);

    sockets[1].room = 16; // that one is slow
    for (const std::string_view reading : {"21.5", "21.6"}) {
        assert(hub.publish("readings", {.data = reading}).ec == ssekit::errc::ok);
        assert(ssekit::drain(first, sockets[0]) == ssekit::drain_status::idle);
        assert(ssekit::drain(second, sockets[1]) == ssekit::drain_status::would_block);
    }
    assert(sockets[0].got() == "id: 7.0\n\n"
                               "id: 7.1\ndata: 21.5\n\n"
                               "id: 7.2\ndata: 21.6\n\n");
    sockets[1].room = 512;
    assert(ssekit::drain(second, sockets[1]) == ssekit::drain_status::idle);
    assert(sockets[1].got() == sockets[0].got());

    // An event that no memory is left for is refused, and the hub goes on.
    static const std::array<char, sizeof hub_bytes> large = [] {
        std::array<char, sizeof hub_bytes> filled{};
        filled.fill('x');
        return filled;
    }();
    const ssekit::event_view too_much = {.data = std::string_view(large.data(), large.size())};
    assert(hub.publish("readings", too_much).ec == ssekit::errc::out_of_memory);

    // The second client takes nothing for so long that the log has to go on without it.
    for (int i = 0; i < 6; ++i) {
        sockets[0].clear();
        assert(hub.publish("readings", {.data = "22"}).ec == ssekit::errc::ok);
        assert(ssekit::drain(first, sockets[0]) == ssekit::drain_status::idle);
    }
    assert(sockets[0].got() == "id: 7.8\ndata: 22\n\n");
    assert(ssekit::drain(second, sockets[1]) == ssekit::drain_status::cut);
    assert(second.end() == ssekit::stream_end::lagged);

    // It comes back with its id and gets what is kept.
    sockets[1].clear();
    auto [again, refused] = hub.subscribe({.topics = "readings", .last_event_id = "7.6"});
    assert(refused == ssekit::errc::ok);
    assert(ssekit::drain(again, sockets[1]) == ssekit::drain_status::idle);
    assert(sockets[1].got() == "id: 7.6\n\nid: 7.7\ndata: 22\n\nid: 7.8\ndata: 22\n\n");

    // Silence is filled.
    sockets[0].clear();
    now += 20s;
    hub.tick(now);
    assert(ssekit::drain(first, sockets[0]) == ssekit::drain_status::idle);
    assert(sockets[0].got() == ssekit::heartbeat_comment);
    std::printf("the hub: %zu bytes, and %zu of %zu in its pool\n", sizeof hub, memory.most_used(),
                sizeof hub_bytes);
}

/// However little memory there is, what cannot be had is refused, and all is given back.
/// \returns whether it was enough.
bool serve_with(std::size_t bytes) {
    pool memory(std::span<std::byte>(hub_bytes).first(bytes));
    bool enough = true;
    const auto note = [&enough](ssekit::errc code) {
        assert(code == ssekit::errc::ok || code == ssekit::errc::out_of_memory);
        enough = enough && code == ssekit::errc::ok;
    };
    {
        ssekit::hub hub(boots, ssekit::time_point{}, small_hub(memory));
        small_socket socket;
        auto [stream, refused] = hub.subscribe({.topics = "readings"});
        note(refused);
        for (int i = 0; i < 6; ++i) {
            note(hub.publish("readings", {.data = "21.5"}).ec);
            if (ssekit::drain(stream, socket) != ssekit::drain_status::idle) enough = false;
        }
    }
    assert(memory.used() == 0);
    return enough;
}

} // namespace

int main() {
    read_commands();
    broadcast();
    std::size_t bytes = 0;
    while (bytes < sizeof hub_bytes && !serve_with(bytes)) bytes += pool::unit;
    assert(bytes < sizeof hub_bytes); // enough in the end
}
