// SPDX-License-Identifier: MIT
//
// The input chooses options and then what happens, in any order: polls, connections, heads, bytes,
// ends, failures, time, pauses, moves, closing, from outside and from within callbacks; what hooks
// return; other ids and URLs. Whatever it chooses:
// - there is one transfer at a time: connect when there is none, disconnect when there is one, stop
//   once, after the last transfer, and then nothing but wait;
// - a deadline that has come is acted on, so that no owner waits for it again and again;
// - a request names http or https, holds no line break, and carries the last event ID that a parser
//   of its own has read from the same bytes; credentials stay with the first origin;
// - a request that is not to be repeated is sent once, not counting redirects, unless it never left
//   or its owner says so;
// - the body of an answer that is no stream is what came, up to its bound, and whole only after an
//   end in order;
// - an event without its blank line comes only where it was asked for, after an end in order;
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

/// The bytes as they are, in pieces, but for one that breaks the coding. Nothing may end after one
/// that announces more.
class transparent final : public content_decoder {
  public:
    std::string_view accepts() const noexcept override { return "transparent"; }
    bool begin(std::string_view coding) noexcept override {
        failed_ = wants_more_ = false;
        return coding == "transparent";
    }
    std::string_view decode(std::string_view& input) noexcept override {
        const std::size_t size = failed_ ? 0 : std::min(input.size(), out_.size());
        std::copy_n(input.begin(), size, out_.begin());
        input.remove_prefix(failed_ ? input.size() : size);
        const std::string_view out(out_.data(), size);
        failed_ = failed_ || out.find(breaks) != out.npos;
        if (!out.empty()) wants_more_ = out.back() == announces;
        return failed_ ? std::string_view() : out;
    }
    bool failed() const noexcept override { return failed_; }
    bool is_complete() const noexcept override { return !wants_more_; }

    static constexpr char breaks = '\x02';
    static constexpr char announces = '\x03';

  private:
    std::array<char, 7> out_{};
    bool failed_ = false;
    bool wants_more_ = false;
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
            step(static_cast<unsigned char>(op[0]) % 24u);
            if (source_.next_deadline() <= now_) {
                // The first poll only learns what the time is.
                was_put_off_ = false;
                const bool waits = poll() == source_action::wait && !was_put_off_;
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
        constexpr std::array policies = {repeat_policy::reads, repeat_policy::until_stream,
                                         repeat_policy::always};
        out.repeat = policies[choose_.below(policies.size())];
        if (choose_.flag()) out.on_status = status_policy::sdk;
        if (choose_.flag())
            out.before_request = [this](event_source&) noexcept { return prepare(); };
        if (choose_.flag()) {
            out.on_answer = [this](const answer_head& head) noexcept { return decide(head); };
        }
        if (choose_.flag()) out.decoder = &decoder_;
        out.deliver_unfinished = choose_.flag();
        out.max_answer_body = choose_.below(64);
        out.answer_timeout = choose_time();
        out.body_timeout = choose_time();
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
        case 15: return source_.receive_connected(now_);
        case 16: return source_.receive_pause(choose_time());
        case 17: return pull(choose_.take(choose_.below(64)));
        case 18: return set_id();
        case 19:
            check(source_.set_header("X-Mine", "2"), "a good header is taken");
            check(!source_.set_header("X-Mine", "2\n"), "a bad one is not");
            return;
        case 20:
            check(!source_.set_url("ftp://a.example/x"), "another scheme is refused");
            check(source_.set_url(first_url), "a good URL is taken");
            return;
        case 21: {
            const bool was_open = source_.state() == ready_state::open;
            source_.connect_now();
            check(!was_open || source_.state() == ready_state::open, "a stream stays");
            return;
        }
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
        const std::string_view read = twin_.last_event_id();
        const bool goes = read.find_first_of("\x01\x02\x03\x1B\x7F") == read.npos &&
                          (read.empty() || (read.front() > ' ' && read.back() > ' ') ||
                           (static_cast<unsigned char>(read.front()) > 0x7F &&
                            static_cast<unsigned char>(read.back()) > 0x7F));
        if (goes && source_.id_can_travel()) {
            fuzz::check_same(id, read, "the id is what was read");
        } else if (!source_.id_can_travel()) {
            check(id.empty(), "what no header carries is not sent");
        }
        fuzz::check_same(source_.last_event_id(), read, "and it is known");
        check(!has_secret || there == origin(first_url), "credentials stay at home");
        check(request.is_abroad || there == origin(first_url), "and it is known where that is");
        if (!std::exchange(is_redirected_, false)) {
            if (!std::exchange(is_excused_, false)) ++attempts_;
            check(has_secret, "the first request has all headers");
            check(request.url == first_url, "a new attempt begins at the first URL");
        }
        const bool may_repeat = options_.repeat == repeat_policy::always ||
                                options_.method == "GET" ||
                                (options_.repeat == repeat_policy::until_stream && !has_streamed_);
        check(may_repeat || attempts_ <= 1, "what is not repeated is sent once");
    }

    bool prepare() {
        check(!has_transfer_, "a request is prepared while there is none");
        const bool is_ready = choose_.below(8) != 0;
        was_put_off_ = !is_ready;
        is_excused_ = is_excused_ || (!is_ready && attempts_ > 0);
        return is_ready;
    }

    answer_decision decide(const answer_head& head) {
        check(head.status() == status_, "the hook sees the status");
        constexpr std::array verdicts = {answer_verdict::usual,  answer_verdict::usual,
                                         answer_verdict::stream, answer_verdict::whole,
                                         answer_verdict::retry,  answer_verdict::fail};
        verdict_ = verdicts[choose_.below(verdicts.size())];
        return {verdict_, choose_time()};
    }

    void set_id() {
        constexpr std::array<std::string_view, 6> ids = {"", "8", "a b", " a", "a\n", "\x01"};
        const std::string_view id = ids[choose_.below(ids.size())];
        const bool is_good = id.size() <= options_.parser.limits.id &&
                             id.find_first_of("\n\x01") == id.npos && !id.starts_with(' ');
        check((source_.set_last_event_id(id) == errc::ok) == is_good, "a good id is taken");
        if (is_good) check(twin_.set_last_event_id(id) == errc::ok, "by a parser as well");
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
        const bool is_coded = choose_.below(4) == 0;
        const bool was_connecting =
            source_.state() == ready_state::connecting && !source_.wants_body() && has_transfer_;
        status_ = status;
        verdict_ = answer_verdict::usual;
        const bool is_wanted = source_.receive_head(
            status,
            [&](std::string_view name) -> std::optional<std::string_view> {
                if (name == "Content-Type") return type;
                if (name == "Content-Encoding" && is_coded) return "transparent";
                if (name == "Location") return place;
                if (name == "Retry-After") return wait;
                if (name == "Date") return "Sun, 06 Nov 1994 08:49:37 GMT";
                return std::nullopt;
            },
            now_);
        if (!was_connecting) return;
        check(is_wanted == source_.wants_body(), "it says whether the body is wanted");
        body_.clear();
        is_ending_ = is_due_ = false;
        has_decoder_ = is_coded && options_.decoder != nullptr;
        if (source_.state() == ready_state::open) {
            twin_.reconnect();
            has_streamed_ = true;
        }
        is_excused_ = is_excused_ || verdict_ == answer_verdict::retry;
        const bool is_redirect =
            status >= 301 && status <= 308 && verdict_ == answer_verdict::usual;
        if (is_redirect && !is_wanted && source_.state() == ready_state::connecting) {
            is_redirected_ = true;
        }
    }

    /// Bytes that break nothing in whichever coding there is; what those do is a test of its own.
    void receive(std::string_view bytes) {
        if (source_.state() != ready_state::open) return keep(bytes, false);
        if (breaks(bytes)) return;
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
        read_twin(bytes);
    }

    /// The same as a loop without a sink has it.
    void pull(std::string_view bytes) {
        if (source_.state() != ready_state::open) return keep(bytes, true);
        if (breaks(bytes)) return;
        const std::string_view all = bytes;
        for (;;) {
            const event_view* const event = source_.next(bytes, now_);
            if (event != nullptr) {
                check(event->data->size() <= options_.parser.limits.data, "limits hold");
            } else if (source_.error() == errc::ok) {
                break;
            }
        }
        check(bytes.empty() || is_ending_, "all is taken");
        read_twin(all);
    }

    void read_twin(std::string_view bytes) {
        if (std::exchange(is_due_, false))
            bytes = "\n\n";
        else if (is_ending_)
            bytes = {};
        while (twin_.next(bytes) != nullptr || twin_.error() != errc::ok) {
        }
    }

    [[nodiscard]] bool breaks(std::string_view bytes) {
        const bool is_broken =
            has_decoder_ && !is_ending_ && bytes.find(transparent::breaks) != bytes.npos;
        if (is_broken) {
            source_.receive(
                bytes, [](const event_view&) {}, now_);
            check(source_.state() != ready_state::open, "a broken coding is a broken connection");
            // What came before the mistake depends on the pieces: only an id may have come of it.
            static_cast<void>(twin_.set_last_event_id(source_.last_event_id()));
        } else if (!bytes.empty() && !is_ending_) {
            is_announced_ = has_decoder_ && bytes.back() == transparent::announces;
        }
        return is_broken;
    }

    void keep(std::string_view bytes, bool pulls) {
        const bool is_kept = source_.wants_body();
        const bool is_broken = has_decoder_ && bytes.find(transparent::breaks) != bytes.npos;
        const std::string_view all = bytes;
        if (pulls) {
            check(source_.next(bytes, now_) == nullptr, "no event without a stream");
        } else {
            source_.receive(
                bytes, [](const event_view&) { check(false, "no event without a stream"); }, now_);
        }
        if (!is_kept || is_broken) return;
        if (!all.empty()) is_announced_ = has_decoder_ && all.back() == transparent::announces;
        body_.append(all);
        const std::size_t most = options_.max_answer_body;
        fuzz::check_same(source_.answer_body(), std::string_view(body_).substr(0, most),
                         "a body is what came");
        check(!source_.is_answer_whole(), "and not whole before its end");
        check(source_.wants_body() == (body_.size() <= most), "up to its bound");
    }

    void lose(bool in_order) {
        if (!has_transfer_) return;
        const bool was_answered = source_.wants_body() && source_.state() != ready_state::open;
        const bool was_open = source_.state() == ready_state::open;
        const bool was_connecting = !was_open && !was_answered;
        if (in_order && was_open && is_ending_) return;
        has_transfer_ = false;
        if (in_order) {
            const bool is_late = twin_.is_inside_event() && options_.deliver_unfinished;
            source_.receive_end(now_);
            if (was_answered) {
                check(source_.is_answer_whole() == !is_announced_, "whole by an end in order");
            }
            is_ending_ = was_open && source_.state() == ready_state::open;
            check(!is_ending_ || is_late, "an end is put off for one event alone");
            is_due_ = is_ending_;
        } else {
            const bool is_unsent = was_connecting && choose_.flag();
            is_excused_ = is_excused_ || is_unsent;
            source_.receive_failure(now_, "lost",
                                    is_unsent ? request_reach::unsent : request_reach::unknown);
            check(!was_answered || !source_.is_answer_whole(), "a cut body is not whole");
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
    transparent decoder_ = {};
    event_source_options options_;
    event_source source_;
    parser twin_;
    time_point now_{1h};
    std::size_t closing_in_ = 0;
    std::string body_ = {}; // of an answer that is no stream
    int status_ = 0;
    answer_verdict verdict_ = answer_verdict::usual;
    unsigned attempts_ = 0;
    bool was_put_off_ = false; // by the hook
    bool has_streamed_ = false;
    bool is_excused_ = false;   // the next attempt may be one more
    bool has_decoder_ = false;  // this body
    bool is_announced_ = false; // that there is more of it
    bool is_ending_ = false;    // in order, with an event to be given out
    bool is_due_ = false;       // and it has not been
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
