// SPDX-License-Identifier: MIT
//
// chat_completion: the answer of a language model, word by word as it is made.
//
//     chat_completion [OPTION]... URL MODEL < prompt
//
// URL is an endpoint of a provider, such as https://HOST/v1/chat/completions; which dialect it speaks
// is guessed from the path: dialects.hpp. The request costs something: it is sent again, after what
// the server asks for, until a stream has begun, and never after that.
#include "dialects.hpp"
#include "watch.hpp"

#include <ssekit/adapters/curl.hpp>
#include <ssekit/event_stream.hpp>
#include <ssekit/typed_sink.hpp>

#include <charconv>
#include <chrono>
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <iostream>
#include <iterator>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>
#include <pthread.h>

namespace {

using namespace std::chrono_literals;
using dialects::dialect;
using dialects::json;

constexpr std::string_view usage =
    "usage: chat_completion [OPTION]... URL [MODEL] < prompt\n"
    "\n"
    "Asks a language model and prints its answer as it is made.\n"
    "\n"
    "  --dialect NAME     openai, openai-responses, anthropic, gemini, mistral or ollama;\n"
    "                     guessed from the URL where it tells\n"
    "  --timeout SECONDS  how long the model may say nothing, pings apart (600)\n"
    "  --help             this\n"
    "\n"
    "The key is taken from the environment: API_KEY, or what the provider calls it, such as\n"
    "OPENAI_API_KEY, which is sent to that provider's host alone, unless --dialect is given.\n"
    "For gemini the model stands in the URL: .../models/MODEL:streamGenerateContent?alt=sse\n"
    "\n"
    "status: 0 the answer is whole; 1 it is not, or there is none; 2 it is whole, but some events\n"
    "could not be read; 64 wrong usage\n";

struct settings {
    std::string url = {};
    std::string model = {};
    const dialect* spoken = nullptr;
    bool is_named = false; // the dialect
    std::chrono::seconds timeout = 600s;
};

/// \returns nullopt, with why in `wrong`, where they are not right.
std::optional<settings> read_arguments(const std::vector<std::string>& arguments,
                                       std::string& wrong) {
    settings out;
    std::vector<std::string> rest;
    for (std::size_t i = 0; i < arguments.size(); ++i) {
        const std::string& each = arguments[i];
        if (!each.starts_with("--")) {
            rest.push_back(each);
            continue;
        }
        const bool is_dialect = each == "--dialect";
        if (!is_dialect && each != "--timeout") return wrong = "no option " + each, std::nullopt;
        if (++i == arguments.size()) return wrong = each + " needs a value", std::nullopt;
        const std::string& value = arguments[i];
        if (is_dialect) {
            out.spoken = dialects::named(value);
            out.is_named = true;
            if (out.spoken == nullptr) return wrong = "no dialect " + value, std::nullopt;
        } else {
            int seconds = 0;
            const char* const end = value.data() + value.size();
            const auto [stop, error] = std::from_chars(value.data(), end, seconds);
            if (error != std::errc() || stop != end || seconds < 1) {
                return wrong = "--timeout takes seconds, 1 or more", std::nullopt;
            }
            out.timeout = std::chrono::seconds(seconds);
        }
    }
    if (rest.empty() || rest.size() > 2) return wrong = "URL and MODEL are needed", std::nullopt;
    out.url = rest[0];
    if (!out.is_named) out.spoken = dialects::guessed(out.url);
    if (out.spoken == nullptr) {
        return wrong = "nothing in the URL tells the dialect: --dialect NAME", std::nullopt;
    }
    if (rest.size() == 2) out.model = rest[1];
    if (out.model.empty() && out.spoken->name != "gemini") {
        return wrong = "MODEL is needed", std::nullopt;
    }
    return out;
}

/// \returns the key to send there, "" if there is none: one provider's is not for another's server.
std::string key_for(const settings& wanted) {
    if (const char* const key = std::getenv("API_KEY")) return key;
    const std::string home = "https://" + std::string(wanted.spoken->host) + "/";
    const bool is_home = !wanted.spoken->host.empty() && wanted.url.starts_with(home);
    if (!is_home && !wanted.is_named) return "";
    const char* const key = std::getenv(wanted.spoken->variable);
    return key == nullptr ? "" : key;
}

/// What the server says about another try, as SDKs read it.
ssekit::answer_decision judge(const ssekit::answer_head& head) noexcept {
    const std::optional<std::string_view> said = head.find("x-should-retry");
    if (head.status() < 400 || !said) return {};
    if (*said == "false") return {.verdict = ssekit::answer_verdict::fail};
    if (*said != "true") return {};
    const std::string_view after = head.find("Retry-After").value_or("");
    unsigned seconds = 0;
    std::from_chars(after.data(), after.data() + after.size(), seconds);
    return {.verdict = ssekit::answer_verdict::retry, .wait = std::chrono::seconds(seconds)};
}

ssekit::event_source_options request(const settings& wanted, const std::string& prompt) {
    const dialect& spoken = *wanted.spoken;
    const json body = spoken.ask(wanted.model, prompt);
    ssekit::event_source_options out;
    out.method = "POST";
    out.body = body.dump(-1, ' ', false, json::error_handler_t::replace);
    out.headers = {{"Content-Type", "application/json"}};
    // An end of the bytes is not the end of the answer, and pings are no words.
    if (spoken.is_last != nullptr) { // [DONE], message_stop, ...
        out.is_last = [is_last = spoken.is_last](const ssekit::event_view& event) noexcept {
            return is_last(event);
        };
    }
    out.event_timeout = wanted.timeout;
    // As SDKs do: three requests at most, after what Retry-After says, and none after a stream.
    out.repeat = ssekit::repeat_policy::until_stream;
    out.on_status = ssekit::status_policy::sdk;
    out.max_failures = 2;
    out.max_delay = 60s;
    out.on_answer = [](const ssekit::answer_head& head) noexcept { return judge(head); };
    out.reconnection_time = 500ms;
    out.deliver_unfinished = spoken.may_lack_blank_line;
    if (const std::string key = key_for(wanted); !key.empty()) {
        const std::string value = std::string(spoken.key_prefix) + key;
        out.headers.push_back({std::string(spoken.key_header), value, true});
    }
    if (spoken.name == "anthropic") out.headers.push_back({"anthropic-version", "2023-06-01"});
    return out;
}
std::optional<json> decode(std::string_view data) { // which may well be a view into the chunk
    json value = json::parse(data, nullptr, false);
    return value.is_object() ? std::optional(std::move(value)) : std::nullopt;
}

/// Hears the events of one answer, and prints its words.
class answer {
  public:
    answer(const dialect& spoken, std::chrono::seconds timeout)
        : spoken_(spoken), timeout_(timeout) {}

    /// \returns false when there is nothing more to read.
    bool take(const ssekit::event_view& event, ssekit::time_point now) {
        if (last_word_ == ssekit::time_point()) last_word_ = now;
        if (event.name() == "ping") {
            if (now - last_word_ >= timeout_) error_ = "nothing but pings";
            return error_.empty();
        }
        last_word_ = now;
        const bool is_marker = spoken_.is_last != nullptr && spoken_.is_last(event);
        if (is_marker && event.data == "[DONE]") return true;
        chunks_.on_event(event);
        return error_.empty();
    }

    /// Says what was wrong.
    /// \returns the status of the program.
    int conclude(const ssekit::event_source& source) const {
        std::string why = error_.empty() ? why_not_whole(source) : error_;
        if (!why.empty()) {
            watch::say("chat_completion: " + watch::harmless(why) + '\n');
            return 1;
        }
        const std::uint64_t lost = chunks_.undecoded() + source.dropped();
        if (lost == 0) return 0;
        watch::say("chat_completion: " + std::to_string(lost) + " events could not be read\n");
        return 2;
    }

  private:
    void read(const json& value) {
        dialects::reading said = spoken_.read(value);
        std::cout << said.text << std::flush;
        if (!said.reason.empty()) reason_ = std::move(said.reason);
        if (error_.empty()) error_ = std::move(said.error);
    }

    std::string why_not_whole(const ssekit::event_source& source) const {
        if (source.end() == ssekit::source_end::completed) {
            if (!reason_.empty() && !dialects::is_good(reason_)) {
                return "the model has stopped early: " + reason_;
            }
            const bool is_whole = spoken_.is_last != nullptr || !reason_.empty();
            return is_whole ? "" : "the answer has broken off before its end";
        }
        std::string why(ssekit::message(source.end()));
        if (!source.failure().empty()) why.append(": ").append(source.failure());
        const int status = source.status();
        if (status != 0 && status != 200) why += " (status " + std::to_string(status) + ")";
        if (!source.answer_body().empty()) why += ": " + words_in(source.answer_body());
        return why;
    }
    /// What the body of an answer says that is no stream: mostly JSON, at times a page.
    static std::string words_in(std::string_view body) {
        json value = json::parse(body, nullptr, false);
        if (value.is_array() && value.size() == 1)
            value = json(value.front()); // Gemini without alt=sse
        const json& error = dialects::member(value, "error");
        if (!error.is_null()) return dialects::words_of(error);
        return std::string(body.substr(0, 500));
    }

    const dialect& spoken_;
    std::chrono::seconds timeout_;
    ssekit::time_point last_word_ = {};
    std::string reason_ = {};
    std::string error_ = {};
    struct reader {
        answer* of;
        void operator()(const ssekit::event_view&, const json& value) const { of->read(value); }
    };
    ssekit::typed_sink<decltype(&decode), reader> chunks_{&decode, reader{this}};
};

} // namespace

int main(int argc, char** argv) {
    const std::vector<std::string> arguments(argv + 1, argv + argc);
    for (const std::string& each : arguments) {
        if (each == "--help") return std::cout << usage, 0;
    }
    std::string wrong;
    const std::optional<settings> wanted = read_arguments(arguments, wrong);
    if (!wanted) {
        watch::say("chat_completion: " + watch::harmless(wrong) + "\n\n" + std::string(usage));
        return 64;
    }
    const std::string prompt(std::istreambuf_iterator<char>(std::cin), {});
    const sigset_t watched = watch::watched_signals(); // by on_signal, and by no other thread
    pthread_sigmask(SIG_BLOCK, &watched, nullptr);
    curl_global_init(CURL_GLOBAL_DEFAULT);
    ssekit::curl_transport transport;
    const watch::on_signal stop([&] { transport.stop(); });
    ssekit::event_source source(wanted->url, request(*wanted, prompt));
    answer read(*wanted->spoken, wanted->timeout);
    for (const ssekit::event_view& event : ssekit::event_stream(source, transport)) {
        if (!read.take(event, transport.now())) break; // an error, in the server's words
    }
    std::cout << '\n';
    return read.conclude(source);
}
