// SPDX-License-Identifier: MIT
//
// Each thing that happens to an event source moves it between four phases: waiting for the moment
// to connect, connecting until the head of a response comes, open, closed.
#include <ssekit/event_source.hpp> // outside the guard, for it includes this file at its end

#ifndef SSEKIT_DETAIL_EVENT_SOURCE_RUN_HPP
#define SSEKIT_DETAIL_EVENT_SOURCE_RUN_HPP

#include <ssekit/detail/http_date.hpp>
#include <ssekit/detail/http_text.hpp>
#include <ssekit/detail/url.hpp>

#include <algorithm>

namespace ssekit {

namespace detail {

/// Spec: HTML, 9.2.2: the essence of the media type counts, not its parameters.
[[nodiscard]] constexpr bool is_event_stream(std::string_view media_type) noexcept {
    return equal_ignoring_case(trim(media_type.substr(0, media_type.find(';'))),
                               "text/event-stream");
}

[[nodiscard]] constexpr bool is_credential(std::string_view name) noexcept {
    return equal_ignoring_case(name, "Authorization") || equal_ignoring_case(name, "Cookie") ||
           equal_ignoring_case(name, "Proxy-Authorization");
}

/// Spec: Fetch, 2.2.2 "request-body-header name".
[[nodiscard]] constexpr bool is_about_body(std::string_view name) noexcept {
    return equal_ignoring_case(name, "Content-Type") ||
           equal_ignoring_case(name, "Content-Encoding") ||
           equal_ignoring_case(name, "Content-Language") ||
           equal_ignoring_case(name, "Content-Location");
}

[[nodiscard]] constexpr bool is_redirect(int status) noexcept {
    return (status >= 301 && status <= 303) || status == 307 || status == 308;
}

[[nodiscard]] constexpr bool is_temporary(int status) noexcept {
    return status == 408 || status == 429 || status == 500 || (status >= 502 && status <= 504);
}

} // namespace detail

constexpr std::string_view message(source_end code) noexcept {
    switch (code) {
    case source_end::open: return "there may be more";
    case source_end::closed: return "closed";
    case source_end::bad_request: return "the URL, the method or a header cannot be sent";
    case source_end::no_content: return "the server asks not to come back";
    case source_end::completed: return "the answer is complete";
    case source_end::bad_status: return "the server answers with an error";
    case source_end::bad_media_type: return "the answer is no event stream";
    case source_end::bad_redirect: return "a redirect leads nowhere";
    case source_end::not_repeated: return "the request has failed, and may not be repeated";
    case source_end::too_many_failures: return "too many failures in a row";
    }
    return "unknown end";
}

inline event_source::event_source(std::string_view url, event_source_options options)
    : options_(std::move(options)), first_url_(url.substr(0, url.find('#'))),
      parser_(options_.parser), random_(options_.seed) {
    if (!is_sound()) {
        phase_ = phase::closed;
        end_ = source_end::bad_request;
    }
    if (options_.last_event_id.empty()) return;
    // The parser knows what an id may hold, so it reads it as any other.
    const std::string block = "id: " + options_.last_event_id + "\n\n";
    std::string_view input = block;
    while (!input.empty() && parser_.next(input) == nullptr) {
    }
}

// Nothing that was asked for can become a request of its own.
inline bool event_source::is_sound() const noexcept {
    for (const source_header& each : options_.headers) {
        if (!detail::is_token(each.name)) return false;
        const std::string_view value = each.value;
        if (value.find_first_of({"\r\n\0", 3}) != value.npos) return false;
    }
    return detail::is_token(options_.method) && detail::is_http(detail::split_url(first_url_)) &&
           detail::has_no_space(first_url_);
}

inline source_action event_source::poll(time_point now) {
    const bool peer_is_late =
        (phase_ == phase::connecting || phase_ == phase::open) && due_ <= now && !disconnect_;
    if (peer_is_late) {
        lose(now, false);
        disconnect_ = true;
    }
    if (std::exchange(disconnect_, false)) return source_action::disconnect;
    if (phase_ == phase::closed) {
        return std::exchange(stopped_, true) ? source_action::wait : source_action::stop;
    }
    if (phase_ != phase::waiting || due_ > now) return source_action::wait;
    build_request();
    phase_ = phase::connecting;
    due_ = options_.connect_timeout.count() > 0 ? now + options_.connect_timeout : never;
    return source_action::connect;
}

inline time_point event_source::next_deadline() const noexcept {
    if (disconnect_ || (phase_ == phase::closed && !stopped_)) return time_point();
    return phase_ == phase::closed ? never : due_;
}

inline source_request event_source::request() const noexcept {
    return {.method = without_body_ ? std::string_view("GET") : options_.method,
            .url = url(),
            .headers = headers_,
            .body = without_body_ ? std::string_view() : options_.body};
}

// Names and values are views of what the source keeps.
inline void event_source::build_request() {
    headers_.assign({{"Accept", "text/event-stream"}, {"Cache-Control", "no-cache"}});
    for (const source_header& each : options_.headers) {
        if (detail::equal_ignoring_case(each.name, "Last-Event-ID")) continue;
        if (abroad_ && detail::is_credential(each.name)) continue;
        if (without_body_ && detail::is_about_body(each.name)) continue;
        const auto usual = std::find_if(headers_.begin(), headers_.begin() + 2, [&](auto& one) {
            return detail::equal_ignoring_case(one.name, each.name);
        });
        if (usual != headers_.begin() + 2) {
            usual->value = each.value;
        } else {
            headers_.push_back({each.name, each.value});
        }
    }
    if (!parser_.last_event_id().empty()) {
        headers_.push_back({"Last-Event-ID", parser_.last_event_id()});
    }
}

template <class FindHeader>
bool event_source::receive_head(int status, FindHeader&& find, time_point now) {
    if (phase_ != phase::connecting || disconnect_) return false;
    const auto value = [&](std::string_view name) {
        const std::optional<std::string_view> found = find(name);
        return found.value_or(std::string_view());
    };
    status_ = status;
    if (status == 200 && detail::is_event_stream(value("Content-Type"))) {
        phase_ = phase::open;
        opened_ = now;
        progress_ = false;
        redirects_ = 0;
        due_ = options_.idle_timeout.count() > 0 ? now + options_.idle_timeout : never;
        parser_.reconnect();
        tell();
        return phase_ == phase::open;
    }
    disconnect_ = true;
    if (status == 200) {
        finish(source_end::bad_media_type);
    } else if (status == 204) {
        finish(source_end::no_content);
    } else if (detail::is_redirect(status)) {
        redirect(value("Location"), now);
    } else if (options_.on_status == status_policy::sdk && detail::is_temporary(status)) {
        const auto asked = detail::retry_after(value("Retry-After"), value("Date"));
        lose(now, false, asked.value_or(std::chrono::seconds(0)));
    } else {
        finish(source_end::bad_status);
    }
    return false;
}

// Spec: Fetch, 4.4 "HTTP-redirect fetch": 303, and 301 or 302 after POST, lead to a GET.
inline void event_source::redirect(std::string_view location, time_point now) {
    std::string target = location.empty() ? std::string() : detail::resolve_url(url(), location);
    if (target.empty() || redirects_ == options_.max_redirects) {
        return finish(source_end::bad_redirect);
    }
    ++redirects_;
    const bool read_only = options_.method == "GET" || options_.method == "HEAD";
    if (!read_only &&
        (status_ == 303 || (status_ != 307 && status_ != 308 && options_.method == "POST"))) {
        without_body_ = true;
    }
    if (!detail::same_origin(first_url_, target)) abroad_ = true;
    redirected_ = std::move(target);
    phase_ = phase::waiting;
    due_ = now;
}

inline const event_view* event_source::next(std::string_view& input, time_point now) noexcept {
    if (phase_ != phase::open) return nullptr;
    if (!input.empty() && options_.idle_timeout.count() > 0) due_ = now + options_.idle_timeout;
    const event_view* const event = parser_.next(input);
    if (event != nullptr) progress_ = true;
    return event;
}

template <class Sink>
void event_source::receive(std::string_view input, Sink&& sink, time_point now) {
    while (phase_ == phase::open) {
        const event_view* const event = next(input, now);
        if (event != nullptr) {
            if constexpr (std::invocable<Sink&, const event_view&>) {
                sink(*event);
            } else {
                sink.on_event(*event);
            }
        } else if (parser_.error() == errc::ok) {
            return; // all of it was taken
        } else if constexpr (requires { sink.on_error(errc(), std::uint64_t()); }) {
            sink.on_error(parser_.error(), parser_.error_offset());
        }
    }
}

// The connection is no more, or will be none.
inline void event_source::lose(time_point now, bool in_order,
                               std::chrono::milliseconds at_least) noexcept {
    if (phase_ != phase::connecting && phase_ != phase::open) return;
    const bool was_open = phase_ == phase::open;
    was_cut_ = was_open && parser_.finish() == errc::incomplete;
    phase_ = phase::waiting;
    if (!may_repeat()) {
        return finish(was_open && in_order ? source_end::completed : source_end::not_repeated);
    }
    if (was_open && (progress_ || now - opened_ >= options_.healthy_after)) failures_ = 0;
    if (options_.max_failures != 0 && failures_ == options_.max_failures) {
        return finish(source_end::too_many_failures);
    }
    due_ = now + std::max(delay(), std::min(at_least, options_.max_delay));
    ++failures_;
    redirected_.clear(); // the next request goes where the first one went
    redirects_ = 0;
    without_body_ = abroad_ = false;
    tell();
}

inline std::chrono::milliseconds event_source::delay() noexcept {
    using std::chrono::milliseconds;
    const milliseconds asked = parser_.retry().value_or(options_.reconnection_time);
    const milliseconds base = std::max(std::min(asked, options_.max_delay), options_.min_delay);
    milliseconds spread = std::max(base, milliseconds(1));
    for (unsigned i = 0; i < failures_ && spread < options_.max_backoff; ++i) spread *= 2;
    spread = std::max(std::min(spread, options_.max_backoff), milliseconds(0));
    const auto last = static_cast<std::uint64_t>(spread.count());
    return base + milliseconds(static_cast<std::int64_t>(random_.up_to(last)));
}

inline void event_source::finish(source_end why) noexcept {
    if (phase_ == phase::closed) return;
    disconnect_ = disconnect_ || phase_ == phase::connecting || phase_ == phase::open;
    phase_ = phase::closed;
    end_ = why;
    due_ = never;
    tell();
}

inline ready_state event_source::state() const noexcept {
    switch (phase_) {
    case phase::open: return ready_state::open;
    case phase::closed: return ready_state::closed;
    default: return ready_state::connecting;
    }
}

} // namespace ssekit

#endif
