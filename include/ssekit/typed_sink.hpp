// SPDX-License-Identifier: MIT
//
// Events whose data is a value of yours: a sink that passes the bytes, without copying them, to a
// decoder, mostly of JSON, and the value to a handler.
//
//     ssekit::typed_sink quotes(
//         [](std::string_view text) -> std::optional<quote> { ... },
//         [](const ssekit::event_view& event, quote&& value) { ... });
//     source.receive(bytes, quotes, now);
#ifndef SSEKIT_TYPED_SINK_HPP
#define SSEKIT_TYPED_SINK_HPP

#include <ssekit/detail/parser/sink.hpp>
#include <ssekit/errc.hpp>
#include <ssekit/event.hpp>

#include <chrono>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <type_traits>
#include <utility>

namespace ssekit::inline SSEKIT_ABI {

/// A sink for `feed` and `event_source::receive`, or for a loop over events to call.
/// \tparam Decode called with a std::string_view or a std::span<const std::byte> of the data, which
/// lives until it returns; returns an optional value or a pointer to one, empty where there is none
/// \tparam Handle called with the event and what the optional holds; may return false to stop. If
/// it also has on_error, on_id, on_retry or on_comment, these are called as `feed` calls them; with
/// another member of a sink, or one that takes something else, it does not compile
template <class Decode, class Handle>
class typed_sink {
  public:
    using passes_on = Handle;

    typed_sink(Decode decode, Handle handle)
        : decode_(std::move(decode)), handle_(std::move(handle)) {
        static_assert(!detail::names_on_data_chunk<std::remove_cv_t<Handle>>,
                      "on_data_chunk is never called: a typed_sink decodes data that is whole");
        detail::check_callable<Handle>();
    }

    /// Effects: decodes and handles. An event without data has no value: it sets an id, or shows
    /// that the server is alive.
    /// \returns false when reading is to stop.
    bool on_event(const event_view& event) {
        const std::string_view text = event.data.value_or(std::string_view());
        if (text.empty()) return true;
        if (auto value = apply(text)) {
            return detail::goes_on([&] { return handle_(event, *std::move(value)); });
        }
        ++undecoded_;
        return true;
    }

    bool on_error(errc code, std::uint64_t at) requires detail::has_on_error<Handle> {
        return detail::goes_on([&] { return handle_.on_error(code, at); });
    }
    void on_id(std::string_view id) requires detail::has_on_id<Handle> { handle_.on_id(id); }
    void on_retry(std::chrono::milliseconds time) requires detail::has_on_retry<Handle> {
        handle_.on_retry(time);
    }
    void on_comment(std::string_view text) requires detail::has_on_comment<Handle> {
        handle_.on_comment(text);
    }

    /// How many events had data that could not be decoded.
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

} // namespace ssekit::inline SSEKIT_ABI

#endif
