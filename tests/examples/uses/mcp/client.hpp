// SPDX-License-Identifier: MIT
//
// A client of the Model Context Protocol over streamable HTTP. A request is a POST of its own, and
// its answer one of three: JSON, a stream that ends with the response, or a stream that breaks off.
// The last one goes on with a GET that names the last event, after the time that the server has
// asked for; what has no ids cannot be resumed, and is told.
//
//     2025-11-25 and before   initialize; a session, if the server gives an id; GET; DELETE
//     2026-07-28              server/discover; each request says by itself who asks; POST alone
//
// A server may ask as well, on any stream: that is answered by a POST, while the stream waits.
#ifndef SSEKIT_EXAMPLES_USES_MCP_CLIENT_HPP
#define SSEKIT_EXAMPLES_USES_MCP_CLIENT_HPP

#include "messages.hpp"

#include <ssekit/adapters/curl.hpp>
#include <ssekit/event_source.hpp>
#include <ssekit/event_stream.hpp>
#include <ssekit/mcp_request.hpp>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <future>
#include <mutex>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

namespace uses::mcp {

/// There is no response, and why.
struct no_response : std::runtime_error {
    using std::runtime_error::runtime_error;
};

struct client_settings {
    std::string url = {};
    ssekit::mcp_revision revision = ssekit::mcp_revision::v2025_11_25; ///< to begin with
    bool accepts_defaults = false; ///< of a form that a server wants filled in; else it declines
    std::chrono::seconds timeout{300}; ///< without any message
};

class client {
  public:
    /// \param heard called with each notification, from one thread at a time
    client(client_settings settings, std::function<void(const message&)> heard)
        : settings_(std::move(settings)), heard_(std::move(heard)), revision_(settings_.revision) {}
    client(const client&) = delete;
    client& operator=(const client&) = delete;
    ~client() { end_listening(); }

    [[nodiscard]] ssekit::mcp_revision revision() const { return revision_; }
    /// How many events were no messages.
    [[nodiscard]] std::uint64_t unread() const { return unread_; }

    /// Agrees on a revision, and begins a session where the revision has them. Throws as `request`.
    void open();
    /// \returns the result. Throws rpc_error for an error of the server's, no_response.
    json request(const std::string& method, json params = json::object());
    void notify(const std::string& method, json params = json::object());
    /// Opens the stream for what belongs to no request, and hears it on a thread of its own.
    /// \returns when it is open, or the server has none.
    void listen();
    /// Ends the session.
    void close() noexcept;
    /// Effects: what waits throws no_response. Thread safety: for any thread.
    void stop() noexcept {
        stopped_ = true;
        const std::scoped_lock lock(mutex_);
        for (ssekit::curl_transport* const each : transports_) each->stop();
    }

  private:
    /// One that `stop` reaches.
    class transport {
      public:
        explicit transport(client& of) : of_(of) {
            const std::scoped_lock lock(of_.mutex_);
            of_.transports_.push_back(&curl);
        }
        transport(const transport&) = delete;
        transport& operator=(const transport&) = delete;
        ~transport() {
            const std::scoped_lock lock(of_.mutex_);
            std::erase(of_.transports_, &curl);
        }
        ssekit::curl_transport curl = {};

      private:
        client& of_;
    };

    [[nodiscard]] json capabilities() const {
        return settings_.accepts_defaults ? json{{"elicitation", {{"form", json::object()}}}}
                                          : json::object();
    }
    static json info() { return {{"name", "ssekit-mcp-client"}, {"version", "1"}}; }

    [[nodiscard]] ssekit::event_source_options options(std::string_view method) const;
    [[nodiscard]] ssekit::event_source_options post_of(const json& body) const;
    void post(const json& body);
    json answer_of(const ssekit::event_source& source) const;
    std::optional<json> hear(ssekit::event_source& source, const json& id);
    std::optional<json> take(std::string_view data, const json& id);
    void answer(const message& asked);
    [[nodiscard]] json fill_in(const json& form) const;
    void resume(ssekit::event_source_options& get, const ssekit::event_source& broken) const;
    void end_listening() noexcept;
    static std::string why(const ssekit::event_source& source);

    client_settings settings_;
    std::function<void(const message&)> heard_;
    std::atomic<ssekit::mcp_revision> revision_;
    bool is_open_ = false;
    std::string session_ = {};
    std::int64_t last_id_ = 0;
    std::atomic<std::uint64_t> unread_ = 0;
    std::atomic<bool> stopped_ = false;
    std::mutex mutex_ = {};
    std::mutex hearing_ = {};
    std::vector<ssekit::curl_transport*> transports_ = {};
    std::promise<void> listens_ = {};
    std::atomic<bool> has_told_ = false;
    std::thread listener_ = {};
};

// ---- how: requests

inline ssekit::event_source_options client::options(std::string_view method) const {
    using namespace std::chrono_literals;
    ssekit::event_source_options out;
    out.method = method;
    if (is_open_ || !ssekit::has_mcp_sessions(revision_)) {
        out.headers.push_back({"MCP-Protocol-Version", std::string(name_of(revision_))});
    }
    if (!session_.empty()) out.headers.push_back({"MCP-Session-Id", session_, true});
    out.keep_headers = {"MCP-Session-Id"};
    out.max_answer_body = std::size_t{8} << 20;
    out.parser.limits.data = std::size_t{8} << 20;
    out.answer_timeout = settings_.timeout;
    // What a server asks for by `retry` is when it wants its client back.
    out.max_backoff = 100ms;
    out.on_status = ssekit::status_policy::sdk;
    out.max_failures = 2;
    return out;
}

inline ssekit::event_source_options client::post_of(const json& body) const {
    ssekit::event_source_options out = options("POST");
    out.body = body.dump(-1, ' ', false, json::error_handler_t::replace);
    out.headers.push_back({"Content-Type", "application/json"});
    out.headers.push_back({"Accept", "application/json, text/event-stream"});
    if (!ssekit::has_mcp_sessions(revision_) && body.contains("method")) {
        const json& params = member(body, "params");
        const std::string method = text_of(body, "method");
        const std::string name = text_of(params, method == "resources/read" ? "uri" : "name");
        out.headers.push_back({"Mcp-Method", method});
        if (!name.empty()) out.headers.push_back({"Mcp-Name", name});
    }
    // JSON, or nothing at all, is an answer as good as a stream.
    out.on_answer = [](const ssekit::answer_head& head) noexcept -> ssekit::answer_decision {
        const std::string_view type = head.find("Content-Type").value_or("");
        const bool is_json = type.starts_with("application/json");
        const bool is_whole = head.status() == 202 || (head.status() == 200 && is_json);
        return {is_whole ? ssekit::answer_verdict::whole : ssekit::answer_verdict::usual};
    };
    return out;
}

inline std::string client::why(const ssekit::event_source& source) {
    std::string out(ssekit::message(source.end()));
    if (!source.failure().empty()) out.append(": ").append(source.failure());
    if (source.status() != 0) out += " (status " + std::to_string(source.status()) + ")";
    if (!source.answer_body().empty()) out.append(": ").append(source.answer_body().substr(0, 500));
    return out;
}

/// What an answer says that is no stream. Throws rpc_error, no_response.
inline json client::answer_of(const ssekit::event_source& source) const {
    const json whole = json::parse(source.answer_body(), nullptr, false);
    if (const json& error = member(whole, "error"); error.is_object()) {
        const json& code = member(error, "code");
        throw rpc_error(ssekit::mcp_error{code.is_number_integer() ? code.get<int>() : 0},
                        text_of(error, "message"), member(error, "data"));
    }
    if (source.end() != ssekit::source_end::answered || !whole.is_object()) {
        throw no_response(why(source));
    }
    return whole;
}

/// A message that has no response.
inline void client::post(const json& body) {
    ssekit::event_source source(settings_.url, post_of(body));
    hear(source, nullptr);
    if (source.status() < 200 || source.status() > 299) throw no_response(why(source));
}

inline json client::request(const std::string& method, json params) {
    const json id = ++last_id_;
    params["_meta"]["progressToken"] = id;
    if (!ssekit::has_mcp_sessions(revision_)) {
        params["_meta"][meta_prefix + "protocolVersion"] = name_of(revision_);
        params["_meta"][meta_prefix + "clientInfo"] = info();
        params["_meta"][meta_prefix + "clientCapabilities"] = capabilities();
    }
    const json body = {{"jsonrpc", "2.0"}, {"id", id}, {"method", method}, {"params", params}};
    ssekit::event_source source(settings_.url, post_of(body));
    std::optional<json> response = hear(source, id);
    const bool can_resume = ssekit::has_mcp_sessions(revision_) && !source.last_event_id().empty();
    if (!response && can_resume && !stopped_) {
        ssekit::event_source_options get = options("GET");
        resume(get, source);
        ssekit::event_source again(settings_.url, std::move(get));
        response = hear(again, id);
        if (!response) throw no_response(why(again));
    }
    if (!response && stopped_ && ssekit::has_mcp_sessions(revision_) && is_open_) {
        notify("notifications/cancelled", {{"requestId", id}});
    }
    if (!response) response = answer_of(source);
    if (const auto found = source.answer_header("MCP-Session-Id");
        found && method == "initialize" && ssekit::is_mcp_session_id(*found)) {
        session_ = *found;
    }
    if (const json& error = member(*response, "error"); !error.is_null()) {
        const json& code = member(error, "code");
        throw rpc_error(ssekit::mcp_error{code.is_number_integer() ? code.get<int>() : 0},
                        text_of(error, "message"), member(error, "data"));
    }
    return member(*response, "result");
}

inline void client::notify(const std::string& method, json params) {
    post(notification(method, std::move(params)));
}
/// The rest of a stream that has broken off, from the event after the last one.
inline void client::resume(ssekit::event_source_options& get,
                           const ssekit::event_source& broken) const {
    get.last_event_id = broken.last_event_id();
    get.reconnection_time = broken.retry().value_or(std::chrono::seconds(1));
    get.initial_delay = get.reconnection_time;
    // A server that lets its clients poll ends stream after stream without a message.
    get.max_failures = 100;
}

// ---- how: what comes

/// Hears a stream, up to the response to a request.
/// \returns nullopt where it has ended before, or was none.
inline std::optional<json> client::hear(ssekit::event_source& source, const json& id) {
    transport way(*this);
    ssekit::event_stream stream(source, way.curl);
    for (;;) {
        const auto item = stream.next_item(ssekit::curl_transport::now() + settings_.timeout);
        if (item.kind == ssekit::item_kind::end) return std::nullopt;
        if (item.kind == ssekit::item_kind::quiet) throw no_response("no message in time");
        if (item.kind == ssekit::item_kind::dropped) {
            ++unread_;
        } else if (auto response = take(item.event->data.value_or(""), id)) {
            return response;
        }
    }
}

inline std::optional<json> client::take(std::string_view data, const json& id) {
    if (data.empty()) return std::nullopt; // it brings its id alone
    try {
        const message got(read_body(std::string(data)));
        if (got.kind == ssekit::mcp_kind::response) {
            return got.id == id ? std::optional(got.whole) : std::nullopt;
        }
        if (got.kind == ssekit::mcp_kind::request) {
            answer(got);
        } else {
            const std::scoped_lock lock(hearing_);
            heard_(got);
        }
    } catch (const rpc_error&) {
        ++unread_;
    }
    return std::nullopt;
}

/// What a server asks for.
inline void client::answer(const message& asked) {
    if (asked.method == "ping") return post(result_answer(asked.id, json::object()));
    if (asked.method == "elicitation/create" && settings_.accepts_defaults) {
        const json filled = fill_in(member(asked.params(), "requestedSchema"));
        return post(result_answer(asked.id, {{"action", "accept"}, {"content", filled}}));
    }
    post(error_answer(
        asked.id, rpc_error(ssekit::mcp_error::method_not_found, "this client does not do that")));
}

/// A form with the values that the server suggests. Spec: SEP-1034.
inline json client::fill_in(const json& form) const {
    json out = json::object();
    for (const auto& [name, property] : member(form, "properties").items()) {
        if (property.is_object() && property.contains("default")) out[name] = property["default"];
    }
    return out;
}

// ---- how: sessions

inline void client::open() {
    if (!ssekit::has_mcp_sessions(revision_)) {
        try {
            request("server/discover");
            is_open_ = true;
            return;
        } catch (const rpc_error& refused) {
            if (refused.code != ssekit::mcp_error::unsupported_revision) throw;
            // The newest of those that the server has.
            std::optional<ssekit::mcp_revision> best;
            for (const json& each : member(refused.data, "supported")) {
                const auto known = each.is_string()
                                       ? ssekit::find_mcp_revision(each.get<std::string>())
                                       : std::nullopt;
                if (known && (!best || *best < *known)) best = known;
            }
            if (!best) throw;
            revision_ = *best;
        }
        if (!ssekit::has_mcp_sessions(revision_)) {
            request("server/discover");
            is_open_ = true;
            return;
        }
    }
    const json begun = request("initialize", {{"protocolVersion", name_of(revision_)},
                                              {"capabilities", capabilities()},
                                              {"clientInfo", info()}});
    const auto agreed = ssekit::find_mcp_revision(text_of(begun, "protocolVersion"));
    if (!agreed) throw no_response("the server speaks " + member(begun, "protocolVersion").dump());
    revision_ = *agreed;
    is_open_ = true;
    notify("notifications/initialized");
}

inline void client::listen() {
    if (!ssekit::has_mcp_sessions(revision_) || listener_.joinable()) return;
    ssekit::event_source_options get = options("GET");
    get.max_failures = 0; // for as long as there is a session
    get.on_change = [this](ssekit::event_source&) noexcept {
        if (!has_told_.exchange(true)) listens_.set_value();
    };
    listener_ = std::thread([this, get = std::move(get)]() mutable {
        ssekit::event_source source(settings_.url, std::move(get));
        transport way(*this);
        try {
            for (const ssekit::event_view& event : ssekit::event_stream(source, way.curl)) {
                take(event.data.value_or(""), nullptr);
            }
        } catch (const std::exception&) { // its answers do not get through, then
            ++unread_;
        }
        if (!has_told_.exchange(true)) listens_.set_value();
    });
    listens_.get_future().wait();
}

inline void client::end_listening() noexcept {
    if (!listener_.joinable()) return;
    stop();
    listener_.join();
}

inline void client::close() noexcept {
    end_listening();
    if (session_.empty()) return;
    try {
        ssekit::event_source source(settings_.url, options("DELETE"));
        hear(source, nullptr);        // 405 if the server wants to keep it
    } catch (const std::exception&) { // it ends by itself, then
    }
    session_.clear();
}

} // namespace uses::mcp

#endif
