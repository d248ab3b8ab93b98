// SPDX-License-Identifier: MIT
//
// The input chooses options and then what happens, in any order: polls, heads, bytes, ends,
// failures, time, moves, closing, from outside and from within callbacks. Whatever it chooses:
// - there is one transfer at a time: connect when there is none, disconnect when there is one, stop
//   once, after the last transfer, and then nothing but wait;
// - a deadline that has come is acted on, so that no owner waits for it again and again;
// - a request names http or https, holds no line break, and carries the last event ID that a parser
//   of its own has read from the same bytes; credentials stay with the first origin;
// - a request that is not to be repeated is sent once, not counting redirects;
// - between two connections lies no less and no more than the options allow;
// - an id of an earlier run is taken as it is, or refused before anything is sent;
// - a moved-from source asks for nothing;
// - failures and redirects are bounded; after the end no event comes and no hook is called.
#include "check.hpp"

#include <ssekit/event_source.hpp>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <iterator>
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

/// Read independently: nothing here calls the code that is judged. None of the URLs has brackets.
struct origin {
    std::string scheme, host, port;

    explicit origin(std::string_view url) {
        std::string text;
        for (const char c : url) text += c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
        const std::size_t begin = text.find("://");
        check(begin != text.npos, "an absolute URL");
        scheme = text.substr(0, begin);
        host = text.substr(begin + 3);
        host.resize(std::min(host.size(), host.find_first_of("/?#")));
        host.erase(0, host.rfind('@') + 1);
        if (const std::size_t colon = host.rfind(':'); colon != host.npos) {
            port = host.substr(colon + 1);
            host.resize(colon);
        }
        while (port.size() > 1 && port[0] == '0') port.erase(0, 1);
        if (port.empty()) port = scheme == "http" ? "80" : "443";
    }
    bool operator==(const origin&) const = default;
};

struct earlier_id {
    std::string text;
    bool is_sound;
};

const earlier_id earlier_ids[] = {{"", true},
                                  {"7", true},
                                  {"retry: 1", true},
                                  {"\xC3\xBC", true},
                                  {"7\nretry: 99999", false},
                                  {"7\rdata: x", false},
                                  {std::string("7\0", 2), false},
                                  {"\x1B", false}};

class session {
  public:
    explicit session(fuzz::choices& choose)
        : choose_(choose), options_(choose_options()), source_(first_url, options_),
          twin_(options_.parser) {
        const bool fits = earlier_.text.size() <= options_.parser.limits.id;
        is_sound_ = earlier_.is_sound && fits;
        check((source_.state() == ready_state::connecting) == is_sound_, "sound, or refused");
        if (!is_sound_) check(source_.end() == source_end::bad_request, "and it says so");
        if (is_sound_ && !earlier_.text.empty()) {
            const std::string block = "id:" + earlier_.text + "\n\n";
            std::string_view input = block;
            check(twin_.next(input) == nullptr, "an id alone is no event");
        }
    }

    void run() {
        for (std::string_view op; !(op = choose_.take(1)).empty();) {
            step(static_cast<unsigned char>(op[0]) % 16u);
            if (source_.next_deadline() <= now_) {
                // The first poll only learns what the time is.
                const bool waits = poll() == source_action::wait;
                check(!waits || source_.next_deadline() > now_,
                      "a deadline that has come is answered");
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
        if (choose_.flag()) out.repeat = ssekit::repeat_policy::always;
        if (choose_.flag()) out.on_status = status_policy::sdk;
        out.headers = {{"Authorization", "secret"}, {"X-Mine", "1"}};
        out.max_failures = static_cast<unsigned>(choose_.below(4));
        out.max_redirects = static_cast<unsigned>(choose_.below(4));
        out.min_delay = choose_time();
        out.max_delay = choose_time();
        out.max_backoff = choose_time();
        out.reconnection_time = choose_time();
        out.initial_delay = choose_time();
        out.healthy_after = choose_time();
        out.idle_timeout = choose_time();
        out.connect_timeout = choose_time();
        out.seed = choose_.below(256);
        out.parser.limits.data = 1 + choose_.below(64);
        out.parser.limits.id = 1 + choose_.below(16);
        out.last_event_id = earlier_.text;
        out.on_change = [this](event_source&) noexcept { changed(); };
        return out;
    }

    /// Mostly a common value, but also either end of the type.
    milliseconds choose_time() {
        const std::size_t byte = choose_.below(256);
        switch (byte) {
        case 250: return milliseconds::min();
        case 251: return milliseconds(-1);
        case 252: return milliseconds(1);
        case 253: return milliseconds::max() - milliseconds(1);
        case 254: return milliseconds::max();
        default: return milliseconds(byte % 8 * 500);
        }
    }

    /// Moved away and back again.
    void move() {
        event_source moved = std::move(source_);
        check(source_.state() == ready_state::closed, "what was moved from is closed");
        check(source_.poll(now_) == source_action::wait, "and asks for nothing");
        check(source_.next_deadline() == never, "nor will");
        source_ = std::move(moved);
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
            switch (choose_.below(8)) {
            case 0: return source_.close();
            case 1: return move();
            default: return;
            }
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
        check(is_sound_, "what is refused is not sent");
        const origin there(request.url);
        check(there.scheme == "http" || there.scheme == "https", "a URL of the web");
        check(std::none_of(request.url.begin(), request.url.end(),
                           [](unsigned char c) { return c <= ' ' || c == 0x7F; }),
              "without spaces and line breaks");
        std::string_view id;
        bool has_secret = false;
        for (const header& each : request.headers) {
            check(each.value.find_first_of("\r\n") == each.value.npos, "one line each");
            if (each.name == "Last-Event-ID") id = each.value;
            has_secret = has_secret || each.name == "Authorization";
        }
        fuzz::check_same(id, twin_.last_event_id(), "the id is what was read");
        check(!has_secret || there == origin(first_url), "credentials stay at home");
        if (!std::exchange(is_redirected_, false)) {
            ++attempts_;
            check(has_secret, "the first request has all headers");
            check(request.url == first_url, "a new attempt begins at the first URL");
        }
        const bool may_repeat =
            options_.repeat == ssekit::repeat_policy::always || options_.method == "GET";
        check(may_repeat || attempts_ == 1, "what is not repeated is sent once");
    }

    void receive_head(int status) {
        if (!has_transfer_) return;
        constexpr std::array<std::string_view, 4> types = {"text/event-stream",
                                                           "TEXT/event-stream;x", "text/html", ""};
        constexpr std::array<std::string_view, 16> places = {"/y",
                                                             "http://b.example/",
                                                             "https://a.example",
                                                             "?q",
                                                             "//a.example:80/../z",
                                                             "",
                                                             "ftp://c",
                                                             "data:text/event-stream,data:x",
                                                             "http://a.example:81/",
                                                             "HTTP://A.EXAMPLE:080/w",
                                                             "http://a.example@b.example/",
                                                             "https:/b.example",
                                                             "\\\\b.example/",
                                                             "http://a.example:8/0",
                                                             "javascript:x",
                                                             "x y"};
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
        if (source_.next_attempt() == never) {
            check(options_.max_delay > 24h, "for ever only where the options come close to that");
            return;
        }
        const auto wait = std::chrono::floor<milliseconds>(source_.next_attempt() - now_);
        const milliseconds most = std::max(options_.max_delay, milliseconds(0));
        check(wait >= std::min(options_.min_delay, most), "no sooner than the options say");
        check(wait <= most, "no later than the options say");
    }

    fuzz::choices& choose_;
    const earlier_id& earlier_{earlier_ids[choose_.below(std::size(earlier_ids))]};
    event_source_options options_;
    event_source source_;
    parser twin_;
    time_point now_{1h};
    std::size_t closing_in_ = 0;
    unsigned attempts_ = 0;
    bool is_sound_ = false;
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
