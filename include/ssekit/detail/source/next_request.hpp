// SPDX-License-Identifier: MIT
//
// The request that an event source makes next, or has made last: where it goes, with which headers,
// and what of it a redirect may take along.
#ifndef SSEKIT_DETAIL_SOURCE_NEXT_REQUEST_HPP
#define SSEKIT_DETAIL_SOURCE_NEXT_REQUEST_HPP

#include <ssekit/detail/http/text.hpp>
#include <ssekit/detail/source/headers.hpp>
#include <ssekit/detail/source/redirects.hpp>
#include <ssekit/event_source_options.hpp>
#include <ssekit/header.hpp>
#include <ssekit/source_answer.hpp>

#include <string>
#include <string_view>
#include <vector>

namespace ssekit::inline SSEKIT_ABI::detail {

class next_request {
  public:
    /// Throws std::bad_alloc.
    explicit next_request(std::string_view url) : way_(url) {}

    /// \returns whether no part of what is asked for can become a request of its own.
    [[nodiscard]] bool is_sound(const event_source_options& options) const noexcept {
        for (const source_header& each : options.headers) {
            if (!is_valid_header({each.name, each.value})) return false;
        }
        return is_token(options.method) && way_.is_sound();
    }
    /// The next attempt begins there. Throws std::bad_alloc.
    /// \returns false, with nothing changed, when nothing can be sent there.
    [[nodiscard]] bool set_url(std::string_view url) {
        if (!redirects(url).is_sound()) return false;
        next_url_ = url;
        return true;
    }

    /// An attempt begins. Throws std::bad_alloc.
    void begin() {
        if (next_url_.empty()) return;
        way_ = redirects(next_url_);
        next_url_.clear();
    }
    /// Effects: makes the headers. Throws std::bad_alloc.
    void prepare(const event_source_options& options, std::string_view last_event_id) {
        const bool decodes = options.decoder != nullptr;
        collect_headers(headers_, options.headers, way_, last_event_id,
                        decodes ? options.decoder->accepts() : std::string_view());
    }
    /// A redirect has come.
    /// \returns false when it leads nowhere. Throws std::bad_alloc.
    [[nodiscard]] bool follow(const answer_head& head, const event_source_options& options) {
        const std::string_view place = head.find("Location").value_or(std::string_view());
        if (!way_.follow(head.status(), place, options.method, options.max_redirects)) return false;
        return options.body_may_travel || !way_.is_abroad() || way_.is_without_body() ||
               options.body.empty();
    }
    /// An attempt has ended: the next one begins where this one did.
    void begin_again() noexcept { way_.begin_again(); }
    /// A redirect is being followed.
    [[nodiscard]] bool has_led_on() const noexcept { return way_.has_led_on(); }
    /// A stream has begun: redirects count anew.
    void arrive() noexcept { way_.arrive(); }

    [[nodiscard]] std::string_view url() const noexcept { return way_.url(); }
    [[nodiscard]] source_request view(const event_source_options& options) const noexcept {
        const bool is_bare = way_.is_without_body();
        return {.method = is_bare ? std::string_view("GET") : options.method,
                .url = way_.url(),
                .headers = headers_,
                .body = is_bare ? std::string_view() : options.body,
                .is_abroad = way_.is_abroad()};
    }

  private:
    redirects way_;
    std::string next_url_ = {}; // "": as it is
    std::vector<header> headers_ = {};
};

} // namespace ssekit::inline SSEKIT_ABI::detail

#endif
