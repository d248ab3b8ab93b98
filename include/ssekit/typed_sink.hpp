// SPDX-License-Identifier: MIT
//
// Events whose data is a value of yours: a sink that hands the bytes, where they lie, to whatever
// decodes them, JSON mostly, and the value to whoever wants it. No copy is made in between.
//
//     ssekit::typed_sink quotes(
//         [](std::string_view text) -> std::optional<quote> { ... },
//         [](const ssekit::event_view& event, quote&& value) { ... });
//     source.receive(bytes, quotes, now);
#ifndef SSEKIT_TYPED_SINK_HPP
#define SSEKIT_TYPED_SINK_HPP

#include <ssekit/event.hpp>

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <utility>

namespace ssekit {

/// A sink for `feed` and `event_source::receive`, or for a loop over events to call.
/// \tparam Decode called with a std::string_view or a std::span<const std::byte> of the data, which
/// lives until it returns; gives an optional value, or a pointer to one: none, where there is none
/// \tparam Handle called with the event and what the optional holds
template <class Decode, class Handle>
class typed_sink {
  public:
    typed_sink(Decode decode, Handle handle)
        : decode_(std::move(decode)), handle_(std::move(handle)) {}

    /// Effects: decodes and handles. An event without data is none of them: it sets an id, or
    /// shows that somebody is there.
    void on_event(const event_view& event) {
        const std::string_view text = event.data.value_or(std::string_view());
        if (text.empty()) return;
        if (auto value = apply(text)) {
            handle_(event, *std::move(value));
        } else {
            ++undecoded_;
        }
    }

    /// How many events had data that was no value.
    [[nodiscard]] std::uint64_t undecoded() const noexcept { return undecoded_; }

  private:
    auto apply(std::string_view text) {
        if constexpr (std::invocable<Decode&, std::string_view>) {
            return decode_(text);
        } else {
            return decode_(std::as_bytes(std::span(text.data(), text.size())));
        }
    }

    Decode decode_;
    Handle handle_;
    std::uint64_t undecoded_ = 0;
};

// The arguments are meant to be deduced.
template <class Decode, class Handle>
typed_sink(Decode, Handle) -> typed_sink<Decode, Handle>;

} // namespace ssekit

#endif
