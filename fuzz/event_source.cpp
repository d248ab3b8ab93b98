// SPDX-License-Identifier: MIT
//
// The input chooses options and then what happens, in any order: polls, heads, bytes, ends,
// failures, time, closing, from outside and from within callbacks. Whatever it chooses:
// - there is one transfer at a time: connect when there is none, disconnect when there is one, stop
//   once, after the last transfer, and then nothing but wait;
// - a deadline that has come is answered, so that nobody waits in a circle;
// - a request names http or https, holds no line break, and carries the last event ID that a parser
//   of its own has read from the same bytes; credentials stay with the first origin;
// - a request that is not to be repeated is sent once, not counting redirects;
// - between two connections lies no less and no more than the options allow;
// - failures and redirects are bounded; after the end no event comes and no hook is called.
#include "check.hpp"

#include <ssekit/event_source.hpp>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace {

using namespace ssekit;
using namespace std::chrono_literals;
using fuzz::check;
using std::chrono::milliseconds;

constexpr std::string_view first_url = "http://a.example/x";

class session {
  public:
    explicit session(fuzz::choices& choose)
        : choose_(choose), options_(choose_options()), source_(first_url, options_),
          twin_(options_.parser) {
        check(source_.state() == ready_state::connecting, "these options are sound");
    }

    void run() {
        for (std::string_view op; !(op = choose_.take(1)).empty();) {
            step(static_cast<unsigned char>(op[0]) % 16u);
            if (source_.next_deadline() <= now_) {
                check(poll() != source_action::wait, "a deadline that has come is answered");
            }
        }
        source_.close();
        for (int i = 0; i < 3 && !stopped_; ++i) poll();
        check(stopped_, "what is closed stops");
    }

  private:
    event_source_options choose_options() {
        event_source_options out;
        if (choose_.flag()) out.method = "POST";
        out.repeat = choose_.flag();
        if (choose_.flag()) out.on_status = status_policy::sdk;
        out.headers = {{"Authorization", "secret"}, {"X-Mine", "1"}};
        out.max_failures = static_cast<unsigned>(choose_.below(4));
        out.max_redirects = static_cast<unsigned>(choose_.below(4));
        out.min_delay = milliseconds(choose_.below(3) * 50);
        out.max_delay = milliseconds(choose_.below(3) * 1000);
        out.max_backoff = milliseconds(choose_.below(3) * 1000);
        out.reconnection_time = milliseconds(choose_.below(256) * 10);
        out.idle_timeout = milliseconds(choose_.below(2) * 5000);
        out.connect_timeout = milliseconds(choose_.below(2) * 3000);
        out.seed = choose_.below(256);
        out.parser.limits.data = 1 + choose_.below(64);
        out.parser.limits.id = 1 + choose_.below(16);
        out.on_change = {
            [](void* self, event_source&) noexcept { static_cast<session*>(self)->changed(); },
            this};
        return out;
    }

    void step(unsigned op) {
        switch (op) {
        case 0:
        case 1:
        case 2:
        case 3: poll(); return;
        case 4:
        case 5: return receive_head(200);
        case 6: {
            constexpr std::array statuses = {100, 200, 204, 301, 302, 303, 307, 308,
                                             404, 408, 429, 500, 502, 503, 504, 599};
            return receive_head(statuses[choose_.below(statuses.size())]);
        }
        case 7:
        case 8:
        case 9:
        case 10: return receive(choose_.take(choose_.below(64)));
        case 11: now_ += milliseconds(choose_.below(256)); return;
        case 12: now_ += milliseconds(choose_.below(256) * 100); return;
        case 13: return lose(true);
        case 14: return lose(false);
        default:
            if (choose_.below(8) != 0) return;
            source_.close();
        }
    }

    source_action poll() {
        const source_action action = source_.poll(now_);
        switch (action) {
        case source_action::connect:
            check(!has_transfer_ && !stopped_, "one transfer at a time");
            has_transfer_ = true;
            read_request();
            break;
        case source_action::disconnect:
            check(has_transfer_, "what is ended was there");
            has_transfer_ = false;
            break;
        case source_action::stop:
            check(!stopped_ && !has_transfer_, "it stops once, and last");
            check(source_.state() == ready_state::closed, "what stops is closed");
            check(source_.end() != source_end::open, "and says why");
            stopped_ = true;
            break;
        case source_action::wait: break;
        }
        if (stopped_) check(source_.next_deadline() == never, "then nothing is due");
        return action;
    }

    void read_request() {
        const source_request request = source_.request();
        const detail::url_parts url = detail::split_url(request.url);
        check(detail::is_http(url) && detail::has_no_space(request.url), "a URL of the web");
        std::string_view id;
        bool has_secret = false;
        for (const header& each : request.headers) {
            check(each.value.find_first_of("\r\n") == each.value.npos, "one line each");
            if (each.name == "Last-Event-ID") id = each.value;
            has_secret = has_secret || each.name == "Authorization";
        }
        fuzz::check_same(id, twin_.last_event_id(), "the id is what was read");
        const bool is_home = detail::same_origin(request.url, first_url);
        check(!has_secret || is_home, "credentials stay at home");
        if (!std::exchange(is_redirected_, false)) {
            ++attempts_;
            check(has_secret, "the first request has all headers");
            check(request.url == first_url, "a new attempt begins at the first URL");
        }
        const bool may_repeat = options_.repeat || options_.method == "GET";
        check(may_repeat || attempts_ == 1, "what is not repeated is sent once");
    }

    void receive_head(int status) {
        if (!has_transfer_) return;
        constexpr std::array<std::string_view, 4> types = {"text/event-stream",
                                                           "TEXT/event-stream;x", "text/html", ""};
        constexpr std::array<std::string_view, 7> places = {
            "/y",     "http://b.example/", "https://a.example", "?q", "//a.example:80/../z", "",
            "ftp://c"};
        constexpr std::array<std::string_view, 4> waits = {"1", "", "Sun, 06 Nov 1994 08:50:37 GMT",
                                                           "99999999"};
        const std::string_view type = types[choose_.below(types.size())];
        const std::string_view place = places[choose_.below(places.size())];
        const std::string_view wait = waits[choose_.below(waits.size())];
        const bool was_connecting = source_.state() == ready_state::connecting;
        const bool is_stream = source_.receive_head(
            status,
            [&](std::string_view name) -> std::optional<std::string_view> {
                if (name == "Content-Type") return type;
                if (name == "Location") return place;
                if (name == "Retry-After") return wait;
                if (name == "Date") return "Sun, 06 Nov 1994 08:49:37 GMT";
                return std::nullopt;
            },
            now_);
        if (is_stream) twin_.reconnect();
        check(is_stream == (was_connecting && source_.state() == ready_state::open),
              "it says whether it is a stream");
        const bool is_redirect = status >= 301 && status <= 308;
        if (is_redirect && was_connecting && source_.state() == ready_state::connecting) {
            is_redirected_ = true;
        }
    }

    void receive(std::string_view bytes) {
        if (source_.state() != ready_state::open) {
            source_.receive(
                bytes, [](const event_view&) { check(false, "no event without a stream"); }, now_);
            return;
        }
        closing_in_ = choose_.below(16);
        source_.receive(
            bytes,
            [&](const event_view& event) {
                check(source_.state() == ready_state::open, "no event after the end");
                check(event.data->size() <= options_.parser.limits.data, "limits hold");
                if (--closing_in_ == 0) source_.close();
            },
            now_);
        if (source_.state() != ready_state::open) return; // the rest was left, no request follows
        while (twin_.next(bytes) != nullptr || twin_.error() != errc::ok) {
        }
    }

    void lose(bool in_order) {
        if (!has_transfer_) return;
        has_transfer_ = false;
        if (in_order) {
            source_.receive_end(now_);
        } else {
            source_.receive_failure(now_);
        }
    }

    void changed() {
        check(!stopped_, "nothing changes after the end");
        const unsigned failures = source_.failures();
        check(options_.max_failures == 0 || failures <= options_.max_failures,
              "failures are bounded");
        if (source_.state() != ready_state::connecting) return;
        const auto wait = source_.next_attempt() - now_;
        check(wait >= options_.min_delay, "no sooner than the options say");
        check(wait <= std::max(options_.max_delay, options_.min_delay) + options_.max_backoff,
              "no later than the options say");
    }

    fuzz::choices& choose_;
    event_source_options options_;
    event_source source_;
    parser twin_;
    time_point now_{1h};
    std::size_t closing_in_ = 0;
    unsigned attempts_ = 0;
    bool has_transfer_ = false;
    bool is_redirected_ = false;
    bool stopped_ = false;
};

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    fuzz::choices choose(data, size);
    session(choose).run();
    return 0;
}
