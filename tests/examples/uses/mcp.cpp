// SPDX-License-Identifier: MIT
//
// A server of the Model Context Protocol over streamable HTTP, of all its revisions. Each call of a
// tool is answered by a stream of its own: progress and log messages, then the result. Up to
// 2025-11-25 there are sessions, and a client that was cut off comes back and misses nothing; in
// 2026-07-28 each request stands alone, and a client that goes cancels its call.
//
//     POST /mcp      a message; tools/call is answered by a stream
//     GET  /mcp      a stream for what belongs to no request, or the rest of one that was cut
//     DELETE /mcp    ends a session
//     GET  /calls    how calls have ended, and how many sessions there are
//
// Which answer a request gets ssekit/mcp_request.hpp decides. What is in the folder mcp: messages,
// calls and their streams, sessions; and suite.hpp, what the official conformance suite calls.
#include "http_server.hpp"
#include "mcp/answers.hpp"
#include "mcp/calls.hpp"
#include "mcp/library.hpp"
#include "mcp/listeners.hpp"
#include "mcp/messages.hpp"
#include "mcp/sessions.hpp"
#include "mcp/suite.hpp"

#include <ssekit/epoch.hpp>
#include <ssekit/mcp.hpp>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <exception>
#include <memory>
#include <mutex>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace {

using namespace uses::mcp;
using ssekit::mcp_error;
using ssekit::mcp_revision;
using ssekit::mcp_step;
using uses::Request;
using uses::Response;

/// Counts, with progress at each step; with "poll" it closes its connection after the first one.
tool count_tool() {
    json properties = {{"steps", {{"type", "integer"}, {"minimum", 1}, {"maximum", 1000}}},
                       {"pause", {{"type", "integer"}, {"description", "Milliseconds."}}},
                       {"poll", {{"type", "boolean"}}}};
    return {listed_tool("count", "Counts, and says how far it is.", std::move(properties)), "",
            [](call& c) {
                const auto steps = c.arguments().value("steps", std::int64_t{3});
                const auto pause = c.arguments().value("pause", std::int64_t{20});
                if (steps < 1 || steps > 1000 || pause < 0 || pause > 600'000 / steps) {
                    throw rpc_error(mcp_error::invalid_params, "1000 steps, 10 minutes at most");
                }
                c.log("info", "counting begins");
                for (std::int64_t step = 1; step <= steps; ++step) {
                    if (!c.go_on_after(std::chrono::milliseconds(pause))) break;
                    c.progress(step, steps);
                    if (step == 1 && c.arguments().value("poll", false)) c.let_go();
                }
                return text_result("counted to " + std::to_string(steps));
            }};
}

class mcp_server {
    static constexpr std::size_t most_streams = 20; // of each hub: a stream is a thread here

  public:
    mcp_server(int argc, char** argv)
        : http_(argc, argv,
                ssekit::mcp_hub_options(mcp_revision::v2026_07_28, shared_options(on_topic()))) {
        library_.tools.push_back(count_tool());
        add_suite(
            library_, [this] { changed("toolsListChanged", "notifications/tools/list_changed"); },
            [this] { changed("promptsListChanged", "notifications/prompts/list_changed"); });
        http_.also(primed_);
        http_.also(quiet_);
        http_.post("/mcp", [this](const Request& request, Response& response,
                                  const std::string& body) { answer(request, response, body); });
        const auto without_body = [this](const Request& request, Response& response) {
            answer(request, response, {});
        };
        http_.get("/mcp", without_body);
        http_.other("/mcp", without_body);
        http_.get("/calls", [this](const Request&, Response& response) {
            const json state = {{"finished", finished_.load()},
                                {"cancelled", cancelled_.load()},
                                {"sessions", sessions_.size()}};
            response.set_content(state.dump(), "application/json");
        });
    }

    int run() {
        // A call that is under way when the server is stopped still gets its result.
        const int status = http_.run(
            [](const ssekit::subscriber_info& stream) noexcept {
                return stream.topic.starts_with("calls/");
            },
            [this] { listeners_.end(); });
        calls_.end();
        return status;
    }

  private:
    static ssekit::hub_options shared_options(const ssekit::topic_hook& hook = {}) {
        return {.keep = out_stream::kept,
                .heartbeat = {.interval = 5s},
                .retry = 300ms,
                .max_subscribers = most_streams,
                .on_topic = hook};
    }
    /// Where nothing is resumed, a stream that has ended ends what it was for.
    ssekit::topic_hook on_topic() {
        return {[](void* self, std::string_view topic, bool listened_to) noexcept {
                    if (listened_to) return;
                    static_cast<mcp_server*>(self)->calls_.cancel_topic(topic);
                    static_cast<mcp_server*>(self)->listeners_.remove(topic);
                },
                this};
    }

    ssekit::shared_hub& hub_of(mcp_revision revision) {
        if (!ssekit::has_mcp_sessions(revision)) return http_.hub();
        return ssekit::has_mcp_priming(revision) ? primed_ : quiet_;
    }

    /// Answers with the stream of a topic, from the event after `last_event_id` on.
    static bool stream(ssekit::shared_hub& hub, const std::string& topic, std::string_view method,
                       std::string_view last_event_id, ssekit::start_point start,
                       Response& response) {
        Request plain; // whose Last-Event-ID is the one that counts
        plain.method = method;
        plain.target = "/mcp";
        return ssekit::httplib_stream(hub, plain, response,
                                      {.topics = topic,
                                       .tag = topic,
                                       .last_event_id = last_event_id,
                                       .start = start}) != nullptr;
    }

    static void answer_json(Response& response, int status, const json& what) {
        response.status = status;
        response.set_content(what.dump(-1, ' ', false, json::error_handler_t::replace),
                             "application/json");
    }

    static void refuse(Response& response, const ssekit::mcp_verdict& why, const json& id,
                       const ssekit::mcp_request& asked) {
        if (!why.allow.empty()) response.set_header("Allow", std::string(why.allow));
        json data;
        if (why.error == mcp_error::unsupported_revision) {
            data = {{"supported", ssekit::mcp_revision_names},
                    {"requested", asked.protocol_version.value_or("")}};
        }
        const rpc_error error(why.error, std::string(ssekit::reason_phrase(why.status)), data);
        answer_json(response, why.status, error_answer(id, error));
    }

    // [recipe]
    void answer(const Request& request, Response& response, const std::string& body) {
        const auto find = [&](std::string_view name) { return header_of(request, name); };
        const ssekit::mcp_request asked =
            ssekit::read_mcp_request(ssekit::httplib_request(request), find);
        const ssekit::mcp_verdict verdict = ssekit::judge_mcp_request(asked);
        switch (verdict.step) {
        case mcp_step::listen:
        case mcp_step::resume: return follow(asked, response);
        case mcp_step::end_session: return end_session(asked, response);
        case mcp_step::read_message: break;
        default: return refuse(response, verdict, id_in(body), asked);
        }
        json id;
        try {
            json whole = read_body(body);
            if (whole.is_array()) return take_batch(asked, whole, response);
            const message got(std::move(whole));
            id = got.id;
            take(request, asked, got, verdict.revision, response);
        } catch (const rpc_error& wrong) {
            const int status = ssekit::mcp_error_status(verdict.revision, wrong.code);
            answer_json(response, status, error_answer(id, wrong));
        }
    }
    // [recipe]

    static std::optional<std::string_view> header_of(const Request& request,
                                                     std::string_view name) {
        const auto found = request.headers.find(std::string(name));
        if (found == request.headers.end()) return std::nullopt;
        return found->second;
    }
    /// Also what is refused for its head is answered with the id of its body, where it has one.
    static json id_in(const std::string& body) {
        try {
            return body.empty() ? json() : message(read_body(body)).id;
        } catch (const rpc_error&) {
            return nullptr;
        }
    }

    void take(const Request& request, const ssekit::mcp_request& asked, const message& got,
              mcp_revision revision, Response& response) {
        std::shared_ptr<session> in;
        if (ssekit::has_mcp_sessions(revision) && asked.session_id && got.method != "initialize") {
            in = sessions_.find(std::string(*asked.session_id));
            if (!in) return gone(response, got.id);
            revision = in->who.revision;
        }
        const ssekit::mcp_verdict verdict = ssekit::judge_mcp_message(asked, got.view(), revision);
        switch (verdict.step) {
        case mcp_step::begin_session: return begin_session(got, response);
        case mcp_step::accept:
            if (in) accept(*in, got);
            response.status = 202;
            return;
        case mcp_step::answer: break;
        default: return refuse(response, verdict, got.id, asked);
        }
        const caller who = in ? caller_in(*in) : caller_of(got);
        if (got.method == "tools/call") return call_tool(request, got, who, response);
        if (got.method == "subscriptions/listen" && !in) return listen(got, response);
        json result = in ? answers::of_session(*in, got) : json();
        if (result.is_null()) result = answers_.result_of(got, who);
        answer_json(response, 200, result_answer(got.id, std::move(result)));
    }

    /// Several messages in one body, which 2025-03-26 alone has: the requests among them are
    /// answered on one stream, in order. Spec: 2025-03-26, "Sending Messages to the Server".
    void take_batch(const ssekit::mcp_request& asked, const json& whole, Response& response) {
        const auto in = sessions_.find(std::string(asked.session_id.value_or("")));
        if (!in && asked.session_id) return gone(response, nullptr);
        if (!in || in->who.revision != mcp_revision::v2025_03_26) {
            throw rpc_error(mcp_error::invalid_request, "one message at a time");
        }
        if (whole.empty() || whole.size() > 32) {
            throw rpc_error(mcp_error::invalid_request, "1 to 32 messages");
        }
        std::vector<message> requests;
        std::vector<message> others;
        for (const json& each : whole) {
            message got(each);
            (got.kind == ssekit::mcp_kind::request ? requests : others).push_back(std::move(got));
        }
        for (const message& each : others) accept(*in, each);
        if (requests.empty()) {
            response.status = 202;
            return;
        }
        const caller who = caller_in(*in);
        const auto out = new_call(who);
        if (!begin(*out, response)) return;
        run_call(out, who, nullptr,
                 [this, out, who, in, requests = std::move(requests)](const std::stop_token& stop) {
                     json last;
                     for (const message& each : requests) {
                         if (!last.is_null()) out->send(last);
                         last = reply_to(*in, each, who, *out, stop);
                     }
                     return last;
                 });
    }
    json reply_to(session& in, const message& got, const caller& who, out_stream& out,
                  const std::stop_token& stop) {
        try {
            if (got.method == "tools/call") {
                return work(out, who, tool_of(got), got.whole, json::object(), stop);
            }
            json result = answers::of_session(in, got);
            if (result.is_null()) result = answers_.result_of(got, who);
            return result_answer(got.id, std::move(result));
        } catch (const rpc_error& wrong) {
            return error_answer(got.id, wrong);
        }
    }

    static void gone(Response& response, const json& id) {
        answer_json(
            response, 404,
            error_answer(id, rpc_error(mcp_error::invalid_request, "there is no such session")));
    }

    // ---- sessions

    void begin_session(const message& got, Response& response) {
        const mcp_revision revision =
            ssekit::negotiate_mcp_revision(text_of(got.params(), "protocolVersion"));
        caller who{.revision = revision, .session = ++last_stream_, .log_level = 0};
        if (const json& can = member(got.params(), "capabilities"); can.is_object()) {
            who.capabilities = can;
        }
        const auto made = std::make_shared<session>(who, hub_of(revision));
        const std::string id = sessions_.add(made);
        if (id.empty()) {
            made->general.end();
            response.set_header("Retry-After", "30");
            return answer_json(response, 503,
                               error_answer(got.id, rpc_error(mcp_error::internal_error,
                                                              "there are too many sessions")));
        }
        response.set_header("MCP-Session-Id", id);
        answer_json(response, 200,
                    result_answer(got.id, {{"protocolVersion", ssekit::name_of(revision)},
                                           {"capabilities", answers::capabilities(revision)},
                                           {"serverInfo", answers::info()}}));
    }

    void end_session(const ssekit::mcp_request& asked, Response& response) {
        if (!sessions_.end(std::string(*asked.session_id))) return gone(response, nullptr);
        response.status = 204;
    }
    void ended(session& which) {
        calls_.cancel_session(which.who.session);
        which.general.end();
    }

    static caller caller_in(session& in) {
        const std::lock_guard locked(in.lock);
        return in.who;
    }
    static caller caller_of(const message& got) {
        const json& level = meta_of(got.params(), "logLevel");
        return {.revision = mcp_revision::v2026_07_28,
                .capabilities = meta_of(got.params(), "clientCapabilities"),
                .log_level = level.is_string() ? severity(level.get<std::string>()) : 8};
    }

    void accept(session& in, const message& got) {
        if (got.kind == ssekit::mcp_kind::response && got.id.is_string()) {
            const std::string name = got.id.get<std::string>();
            const std::string own = "calls/" + std::to_string(in.who.session) + "/";
            if (name.starts_with(own)) questions_.answer(name, got.whole);
        } else if (got.method == "notifications/cancelled") {
            calls_.cancel_request(in.who.session, member(got.params(), "requestId"));
        }
    }

    /// GET: the general stream, or the rest of the one that the Last-Event-ID is of.
    void follow(const ssekit::mcp_request& asked, Response& response) {
        const auto in = sessions_.find(std::string(*asked.session_id));
        if (!in) return gone(response, nullptr);
        const std::string_view brought = asked.http.last_event_id.value_or("");
        std::string topic = in->general.topic();
        if (const auto id = ssekit::read_mcp_event_id(brought)) {
            if (id->stream != in->who.session) topic = call_topic(in->who.session, id->stream);
        } else if (!brought.empty()) {
            topic.clear();
        }
        if (topic.empty() || !in->general.hub().find_topic(topic)) { // not of this session, or old
            const rpc_error error(mcp_error::invalid_request, "there is no such stream");
            return answer_json(response, 400, error_answer(nullptr, error));
        }
        stream(in->general.hub(), topic, asked.http.method, brought, ssekit::start_point::live,
               response);
    }

    static std::string call_topic(std::uint64_t session, std::uint64_t stream) {
        return "calls/" + std::to_string(session) + "/" + std::to_string(stream);
    }

    // ---- streams that answer

    const tool& tool_of(const message& got) const {
        const tool* const found = library::find(library_.tools, text_of(got.params(), "name"));
        if (found == nullptr) throw rpc_error(mcp_error::invalid_params, "there is no such tool");
        return *found;
    }

    std::shared_ptr<out_stream> new_call(const caller& who) {
        const std::uint64_t number = ++last_stream_;
        return std::make_shared<out_stream>(hub_of(who.revision), who.revision,
                                            call_topic(who.session, number), number);
    }

    /// \param answer called with the thread's std::stop_token; returns what the stream ends with
    template <class Answer>
    void run_call(const std::shared_ptr<out_stream>& out, const caller& who, const json& id,
                  Answer answer) {
        const auto run = [this, out, answer = std::move(answer)](const std::stop_token& stop) {
            const json last = answer(stop);
            ++(stop.stop_requested() ? cancelled_ : finished_);
            if (stop.stop_requested()) return out->end(); // nothing more is said of it
            out->end(last);
        };
        if (calls_.start(out->topic(), who.session, id, run)) return;
        const rpc_error error(mcp_error::internal_error, "there are too many calls");
        out->end(error_answer(id, error));
    }

    void call_tool(const Request& request, const message& got, const caller& who,
                   Response& response) {
        const tool& which = tool_of(got);
        json known = json::object();
        if (!ssekit::has_mcp_sessions(who.revision)) {
            const auto find = [&](const std::string& name) -> std::optional<std::string> {
                const auto value = header_of(request, name);
                return value ? std::optional<std::string>(*value) : std::nullopt;
            };
            if (!headers_match(member(which.listed, "inputSchema"),
                               member(got.params(), "arguments"), find)) {
                throw rpc_error(mcp_error::header_mismatch, "a header is not what an argument is");
            }
            if (!which.needs.empty() && !who.capabilities.contains(which.needs)) {
                throw rpc_error(mcp_error::missing_capability, "the client lacks a capability",
                                {{"requiredCapabilities", {{which.needs, json::object()}}}});
            }
            known = rounds_.known(got.params());
        }
        const auto out = new_call(who);
        if (!begin(*out, response)) return;
        run_call(out, who, got.id,
                 [this, out, who, &which, known, whole = got.whole](const std::stop_token& stop) {
                     return work(*out, who, which, whole, known, stop);
                 });
    }

    /// Effects: answers with a stream from its beginning on.
    bool begin(out_stream& out, Response& response) {
        const bool begun =
            stream(out.hub(), out.topic(), "POST", {}, ssekit::start_point::earliest, response);
        if (!begun) out.end();
        return begun;
    }

    /// \returns the response.
    json work(out_stream& out, const caller& who, const tool& which, const json& request,
              const json& known, const std::stop_token& stop) {
        const json& id = request["id"];
        call mine(who, request, known, out, questions_, stop);
        json result;
        try {
            result = which.run(mine);
            result["resultType"] = "complete";
        } catch (const input_required& more) {
            result = rounds_.ask(more, known);
        } catch (const rpc_error& wrong) {
            return error_answer(id, wrong);
        } catch (const std::exception& failed) {
            result = text_result(failed.what());
            result["isError"] = true;
            result["resultType"] = "complete";
        }
        if (ssekit::has_mcp_sessions(who.revision)) result.erase("resultType");
        return result_answer(id, std::move(result));
    }

    void listen(const message& got, Response& response) {
        json wanted = json::object();
        for (const char* const known : {"toolsListChanged", "promptsListChanged"}) {
            const json& asked = member(member(got.params(), "notifications"), known);
            if (asked == true) wanted[known] = true;
        }
        const std::uint64_t number = ++last_stream_;
        const mcp_revision revision = mcp_revision::v2026_07_28;
        const auto out = std::make_shared<out_stream>(hub_of(revision), revision,
                                                      "listen/" + std::to_string(number), number);
        if (begin(*out, response)) listeners_.add(out, got.id, wanted);
    }

    /// Tells all who may know: sessions on their general streams, and those who listen.
    void changed(const std::string& what, const std::string& method) {
        sessions_.for_each(
            [&](session& each) { each.general.send(notification(method, json::object())); });
        listeners_.tell(what, method);
    }

    library library_;
    questions questions_;
    rounds rounds_;
    answers answers_{library_, rounds_};
    listeners listeners_;
    calls calls_;
    std::atomic<std::uint64_t> last_stream_ = 0;
    std::atomic<unsigned> finished_ = 0;
    std::atomic<unsigned> cancelled_ = 0;
    uses::http_server http_; // before threads begin: it blocks the signals that end the program
    ssekit::ticking_hub primed_{
        ssekit::new_epoch(), ssekit::mcp_hub_options(mcp_revision::v2025_11_25, shared_options())};
    ssekit::ticking_hub quiet_{
        ssekit::new_epoch(), ssekit::mcp_hub_options(mcp_revision::v2025_06_18, shared_options())};
    sessions sessions_{{}, [this](session& which) { ended(which); }};
};

} // namespace

int main(int argc, char** argv) {
    return mcp_server(argc, argv).run();
}
