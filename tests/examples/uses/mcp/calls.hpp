// SPDX-License-Identifier: MIT
//
// Calls of tools, each on a thread and with a stream of its own. What a call says goes to the
// stream's topic: where the revision has sessions, a client that was cut off finds it there when it
// comes back.
#ifndef SSEKIT_EXAMPLES_USES_MCP_CALLS_HPP
#define SSEKIT_EXAMPLES_USES_MCP_CALLS_HPP

#include "../http_server.hpp"
#include "messages.hpp"

#include <ssekit/mcp.hpp>

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <list>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <random>
#include <stop_token>
#include <string>
#include <string_view>
#include <thread>
#include <utility>

namespace uses::mcp {

using namespace std::chrono_literals;

/// A stream's topic, and the ids of its events. Thread safety: any thread may call it.
class out_stream {
  public:
    /// What a client finds that comes back.
    static constexpr ssekit::retention kept{.events = 1024, .bytes = std::size_t{256} << 10};
    out_stream(ssekit::shared_hub& hub, ssekit::mcp_revision revision, std::string topic,
               std::uint64_t number)
        : hub_(hub), revision_(revision), topic_(std::move(topic)), number_(number) {
        // What has a client that may come back does not make way for others meanwhile.
        if (ssekit::has_mcp_sessions(revision)) static_cast<void>(hub_.keep(topic_, kept));
        if (!ssekit::has_mcp_priming(revision)) return;
        const std::string id = next_id();
        taken(hub_.publish(topic_, ssekit::mcp_priming_event(id)).ec);
    }

    void send(const json& message) {
        with_event(message, [&](const auto& event) { taken(hub_.publish(topic_, event).ec); });
    }
    /// Effects: the stream ends after this, or at once. A client that was cut off has a minute to
    /// come back.
    void end(const json& last) {
        const auto keep = ssekit::has_mcp_sessions(revision_) ? 60'000ms : 0ms;
        hub_.keep_no_more(topic_);
        with_event(last, [&](const auto& event) { taken(hub_.close_topic(topic_, event, keep)); });
    }
    void end() { hub_.forget_topic(topic_); }

    /// Effects: closes the connection, in order, but not the stream: the client comes back for the
    /// rest (SEP-1699). What was said before has been given out, unless the client does not read.
    void let_go(const std::stop_token& stop) {
        std::uint64_t behind = 1;
        for (int tries = 0; tries < 100 && behind != 0 && go_on_after(10ms, stop); ++tries) {
            behind = 0;
            hub_.for_each_reader(
                topic_, [&](const ssekit::reader_lag& each) noexcept { behind += each.events; });
        }
        hub_.with([&](ssekit::hub& hub) {
            hub.for_each_reader(topic_,
                                [&](const ssekit::reader_lag& each) { hub.evict(each.id); });
        });
    }

    [[nodiscard]] ssekit::shared_hub& hub() const { return hub_; }
    [[nodiscard]] const std::string& topic() const { return topic_; }

  private:
    std::string next_id() {
        std::string id;
        ssekit::append_mcp_event_id(id, {.stream = number_, .number = events_++});
        return id;
    }
    template <class Call>
    void with_event(const json& message, Call&& call) {
        const std::string data = message.dump(-1, ' ', false, json::error_handler_t::replace);
        const std::lock_guard locked(lock_); // so that ids are in order
        const std::string id = ssekit::has_mcp_sessions(revision_) ? next_id() : std::string();
        ssekit::event_view event{.data = data};
        if (!id.empty()) event.id = id;
        call(event);
    }

    ssekit::shared_hub& hub_;
    ssekit::mcp_revision revision_;
    std::string topic_;
    std::uint64_t number_;
    std::uint64_t events_ = 0;
    std::mutex lock_;
};

/// What tools have asked clients, and what those have answered.
class questions {
  public:
    static constexpr auto patience = 30s;

    /// \returns the response, whole; nullopt: none came in time, or the call is cancelled.
    template <class Ask>
    std::optional<json> ask(const std::string& name, const std::stop_token& stop, Ask&& send) {
        std::unique_lock locked(lock_);
        open_[name] = nullptr;
        locked.unlock();
        send();
        locked.lock();
        answered_.wait_for(locked, stop, patience, [&] { return !open_[name].is_null(); });
        json answer = std::move(open_[name]);
        open_.erase(name);
        return answer.is_null() ? std::nullopt : std::optional(std::move(answer));
    }
    void answer(const std::string& name, const json& response) {
        const std::lock_guard locked(lock_);
        const auto found = open_.find(name);
        if (found == open_.end()) return; // it is too late, or nobody has asked
        found->second = response;
        answered_.notify_all();
    }

  private:
    std::mutex lock_;
    std::condition_variable_any answered_;
    std::map<std::string, json> open_;
};

/// The severities of RFC 5424, the least one first. \returns 8 for what is none.
inline std::size_t severity(std::string_view level) {
    constexpr std::array<std::string_view, 8> levels = {"debug", "info",     "notice", "warning",
                                                        "error", "critical", "alert",  "emergency"};
    return static_cast<std::size_t>(std::find(levels.begin(), levels.end(), level) -
                                    levels.begin());
}

/// 128 bits of the system's randomness.
inline std::string random_name() {
    std::random_device random;
    std::string name;
    for (int i = 0; i < 4; ++i) {
        for (unsigned bits = random(), digit = 0; digit < 8; ++digit, bits >>= 4) {
            name += "0123456789abcdef"[bits & 15U];
        }
    }
    return name;
}

/// Whose call it is, and what its client understands.
struct caller {
    ssekit::mcp_revision revision;
    std::uint64_t session = 0;
    json capabilities = json::object();
    std::size_t log_level = 8; ///< the least severity that it wants to hear of; 8: none
};

/// Thrown where a client has to be asked in 2026-07-28: the result says so, and the client tries
/// again with the answers.
struct input_required {
    json requests;
};

/// \returns what is known for each request; throws input_required where something is not.
inline json answers_in(const json& known, const json& requests) {
    json answers = json::object();
    for (const auto& [name, request] : requests.items()) {
        const json& found = member(known, name);
        if (!found.is_object()) throw input_required{requests};
        answers[name] = found;
    }
    return answers;
}

/// What clients have answered so far, between one try and the next. The client holds a name that
/// nobody can guess, so what it brings back is what it was given or nothing. Of too many the oldest
/// goes: its client begins again.
class rounds {
  public:
    static constexpr std::size_t most = 256;
    static constexpr std::size_t most_bytes = std::size_t{64} << 10; ///< of one client's answers

    /// \returns the result that asks for more.
    json ask(const input_required& more, const json& known) {
        const std::lock_guard locked(lock_);
        if (kept_.size() >= most) kept_.pop_front();
        kept_.push_back({random_name(), known});
        return {{"resultType", "input_required"},
                {"inputRequests", more.requests},
                {"requestState", kept_.back().first}};
    }
    /// \returns what is known with this request's `requestState` and `inputResponses`.
    json known(const json& params) {
        json all = json::object();
        if (const json& state = member(params, "requestState"); !state.is_null()) {
            const std::lock_guard locked(lock_);
            const auto found = std::find_if(kept_.begin(), kept_.end(),
                                            [&](const auto& each) { return state == each.first; });
            if (found == kept_.end()) {
                throw rpc_error(ssekit::mcp_error::invalid_params, "this state is not known");
            }
            all = found->second;
        }
        if (const json& brought = member(params, "inputResponses"); brought.is_object()) {
            all.update(brought);
        }
        if (all.dump().size() > most_bytes) { // for it grows with each try
            throw rpc_error(ssekit::mcp_error::invalid_params, "these are too many answers");
        }
        return all;
    }

  private:
    std::mutex lock_;
    std::deque<std::pair<std::string, json>> kept_;
};

/// One call, as its tool sees it.
class call {
  public:
    call(const caller& who, const json& request, const json& known, out_stream& out,
         questions& asked, std::stop_token stop)
        : who_(who), request_(request), known_(known), out_(out), asked_(asked),
          stop_(std::move(stop)) {}

    /// \returns an object, also where none was sent.
    [[nodiscard]] const json& arguments() const {
        static const json none = json::object();
        const json& sent = member(params(), "arguments");
        return sent.is_object() ? sent : none;
    }
    [[nodiscard]] const json& params() const { return member(request_, "params"); }
    [[nodiscard]] bool is_cancelled() const { return stop_.stop_requested(); }
    /// \returns false when it is cancelled meanwhile.
    bool go_on_after(std::chrono::milliseconds pause) { return uses::go_on_after(pause, stop_); }

    /// Nothing is said where the client has given no token. Spec: "Progress".
    void progress(std::int64_t done, std::int64_t total) {
        const json& token = member(member(params(), "_meta"), "progressToken");
        if (!token.is_string() && !token.is_number_integer()) return;
        out_.send(notification("notifications/progress",
                               {{"progressToken", token}, {"progress", done}, {"total", total}}));
    }
    void log(const std::string& level, const json& what) {
        if (severity(level) < who_.log_level || who_.log_level > 7) return;
        out_.send(notification("notifications/message", {{"level", level}, {"data", what}}));
    }
    /// See out_stream::let_go. Where nothing can be resumed it does nothing.
    void let_go() {
        if (ssekit::has_mcp_sessions(who_.revision)) out_.let_go(stop_);
    }

    /// \param requests {"a name": {"method": "elicitation/create", "params": {...}}, ...}
    /// \returns {"a name": result, ...}
    json ask(const json& requests) {
        if (!ssekit::has_mcp_sessions(who_.revision)) return answers_in(known_, requests);
        json answers = json::object();
        for (const auto& [name, request] : requests.items()) {
            const std::string id = out_.topic() + "/" + std::to_string(asked_yet_++);
            json whole = request;
            whole["jsonrpc"] = "2.0";
            whole["id"] = id;
            const std::optional<json> answer = asked_.ask(id, stop_, [&] { out_.send(whole); });
            if (!answer || !answer->contains("result")) {
                throw std::runtime_error("the client has not answered");
            }
            answers[name] = (*answer)["result"];
        }
        return answers;
    }

  private:
    const caller& who_;
    const json& request_;
    const json& known_;
    out_stream& out_;
    questions& asked_;
    std::stop_token stop_;
    unsigned asked_yet_ = 0;
};

/// The calls under way.
class calls {
    struct one {
        std::string topic = {};
        std::uint64_t session = 0;
        json id = {};
        std::atomic<bool> ended = false;
        std::jthread thread = {};
    };

  public:
    static constexpr std::size_t most = 64;

    /// Effects: calls `work(const std::stop_token&)` on a thread. \returns false: there are too
    /// many.
    template <class Work>
    bool start(const std::string& topic, std::uint64_t session, const json& id, Work work) {
        const std::lock_guard locked(lock_);
        all_.remove_if([](const one& each) { return each.ended.load(); });
        if (all_.size() >= most) return false;
        one& made = all_.emplace_back();
        made.topic = topic;
        made.session = session;
        made.id = id;
        made.thread = std::jthread([&made, work](const std::stop_token& stop) {
            work(stop);
            made.ended = true;
        });
        return true;
    }

    void cancel_topic(std::string_view topic) {
        cancel([&](const one& each) { return each.topic == topic; });
    }
    void cancel_session(std::uint64_t session) {
        cancel([&](const one& each) { return each.session == session; });
    }
    void cancel_request(std::uint64_t session, const json& id) {
        cancel([&](const one& each) { return each.session == session && each.id == id; });
    }
    /// Effects: stops them all, and waits until they have.
    void end() { all_.clear(); }

  private:
    template <class Condition>
    void cancel(Condition&& is_meant) {
        const std::lock_guard locked(lock_);
        for (one& each : all_) {
            if (is_meant(each)) each.thread.request_stop();
        }
    }

    std::mutex lock_;
    std::list<one> all_;
};

} // namespace uses::mcp

#endif
