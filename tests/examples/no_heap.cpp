// SPDX-License-Identifier: MIT
//
// A small device: it reads commands from one event stream and broadcasts readings to a few clients,
// on memory that is all there from the beginning. No heap, no exceptions, no RTTI; the size of its
// code is a test, see tests/packaging/device.cmake.
#undef NDEBUG // the asserts are the point

#include <ssekit/encoder.hpp>
#include <ssekit/parser.hpp>
#include <ssekit/writer.hpp>

#include <array>
#include <cassert>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <new>
#include <span>
#include <string_view>

// Whoever asked for memory would end the program.
void* operator new(std::size_t) {
    std::abort();
}
void* operator new[](std::size_t) {
    std::abort();
}
void* operator new[](std::size_t, const std::nothrow_t&) noexcept {
    std::abort();
}

namespace {

// [log]
/// The last events, each encoded once, in slots of equal size. Clients are positions in it.
template <std::uint32_t Slots, std::size_t Bytes>
class small_log {
  public:
    /// \returns whether the event fits into a slot.
    bool publish(const ssekit::event_view& event) noexcept {
        slot& next = slots_[end_ % Slots];
        const auto [last, code] = ssekit::encode_to(next.bytes, next.bytes + Bytes, event);
        next.size = code == ssekit::errc::ok ? static_cast<std::size_t>(last - next.bytes) : 0;
        if (next.size != 0) ++end_;
        return next.size != 0;
    }
    [[nodiscard]] std::uint32_t end() const noexcept { return end_; }
    [[nodiscard]] std::uint32_t begin() const noexcept { return end_ < Slots ? 0 : end_ - Slots; }
    [[nodiscard]] std::string_view operator[](std::uint32_t position) const noexcept {
        const slot& at = slots_[position % Slots];
        return {at.bytes, at.size};
    }

  private:
    struct slot {
        char bytes[Bytes];
        std::size_t size;
    };
    std::array<slot, Slots> slots_ = {};
    std::uint32_t end_ = 0;
};
// [log]

/// One client's place in the log: what `drain` takes bytes from.
template <class Log>
struct reader {
    const Log* log;
    std::uint32_t position;
    std::size_t sent = 0; // of the event there
    bool lost = false;    // it was too slow: the event it was in is no more

    std::size_t prepare(std::span<std::string_view> slices) noexcept {
        lost = lost || position < log->begin();
        std::size_t count = 0;
        while (!lost && count < slices.size() && position + count < log->end()) {
            slices[count] = (*log)[position + static_cast<std::uint32_t>(count)];
            if (count++ == 0) slices[0].remove_prefix(sent);
        }
        return count;
    }
    void consume(std::size_t bytes) noexcept {
        for (sent += bytes; position < log->end() && sent >= (*log)[position].size(); ++position) {
            sent -= (*log)[position].size();
        }
    }
    [[nodiscard]] bool is_done() const noexcept { return lost; } // close it, and it comes back
};

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
};

constexpr ssekit::parser_options small = {.limits = {.data = 64, .id = 8, .type = 16}};
using log_type = small_log<4, 48>;

} // namespace

int main() {
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

    static log_type log;
    std::array<reader<log_type>, 2> readers = {{{&log, 0}, {&log, 0}}};
    std::array<small_socket, 2> sockets = {};
    sockets[1].room = 10; // that one is slow
    for (const std::string_view reading : {"21.5", "21.6"}) {
        assert(log.publish({.type = "temperature", .data = reading}));
        for (std::size_t i = 0; i < readers.size(); ++i) ssekit::drain(readers[i], sockets[i]);
    }
    assert(sockets[0].got() == "event: temperature\ndata: 21.5\n\n"
                               "event: temperature\ndata: 21.6\n\n");
    assert(sockets[1].got() == "event: tem");
    sockets[1].room = 512;
    assert(ssekit::drain(readers[1], sockets[1]) == ssekit::drain_status::idle);
    assert(sockets[1].got() == sockets[0].got());

    sockets[1].room = sockets[1].size + 3; // slow again, and now for too long
    for (int i = 0; i < 5; ++i) {
        assert(log.publish({.type = "temperature", .data = "22"}));
        ssekit::drain(readers[1], sockets[1]);
    }
    assert(ssekit::drain(readers[1], sockets[1]) == ssekit::drain_status::done);
    assert(!log.publish({.data = "this one is longer than a slot of the log, and it is refused"}));
}
