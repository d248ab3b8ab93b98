// SPDX-License-Identifier: MIT
//
// Requests that are answered at once, with JSON.
#ifndef SSEKIT_EXAMPLES_USES_MCP_ANSWERS_HPP
#define SSEKIT_EXAMPLES_USES_MCP_ANSWERS_HPP

#include "library.hpp"
#include "sessions.hpp"

#include <ssekit/mcp.hpp>

#include <cstddef>
#include <mutex>
#include <optional>
#include <string>
#include <utility>

namespace uses::mcp {

class answers {
  public:
    answers(const library& from, rounds& open) : library_(from), rounds_(open) {}

    static json info() { return {{"name", "ssekit-example"}, {"version", "1.0.0"}}; }
    static json capabilities(ssekit::mcp_revision revision) {
        json all = {{"tools", {{"listChanged", true}}},
                    {"prompts", {{"listChanged", true}}},
                    {"resources", json::object()},
                    {"completions", json::object()},
                    {"logging", json::object()}};
        if (ssekit::has_mcp_sessions(revision)) all["resources"]["subscribe"] = true;
        return all;
    }

    /// What only sessions have. \returns null for all else.
    static json of_session(session& in, const message& got) {
        const std::lock_guard locked(in.lock);
        if (got.method == "ping") return json::object();
        if (got.method == "logging/setLevel") {
            const std::size_t level = severity(text_of(got.params(), "level"));
            if (level > 7)
                throw rpc_error(ssekit::mcp_error::invalid_params, "there is no such level");
            in.who.log_level = level;
            return json::object();
        }
        if (got.method == "resources/subscribe") {
            if (in.watching.size() >= 100 || text_of(got.params(), "uri").size() > 2048) {
                throw rpc_error(ssekit::mcp_error::internal_error, "these are too many");
            }
            in.watching.insert(text_of(got.params(), "uri"));
            return json::object();
        }
        if (got.method == "resources/unsubscribe") {
            in.watching.erase(text_of(got.params(), "uri"));
            return json::object();
        }
        return nullptr;
    }

    json result_of(const message& got, const caller& who) {
        const bool stateless = !ssekit::has_mcp_sessions(who.revision);
        json result;
        bool may_be_kept = true;
        if (got.method == "server/discover" && stateless) {
            result = {{"supportedVersions", ssekit::mcp_revision_names},
                      {"capabilities", capabilities(who.revision)},
                      {"_meta", {{meta_prefix + "serverInfo", info()}}}};
        } else if (got.method == "tools/list") {
            result = {{"tools", library::list(library_.tools)}};
        } else if (got.method == "prompts/list") {
            result = {{"prompts", library::list(library_.prompts)}};
        } else if (got.method == "resources/list") {
            result = {{"resources", library_.resources}};
        } else if (got.method == "resources/templates/list") {
            result = {{"resourceTemplates", library_.templates}};
        } else if (got.method == "resources/read") {
            const std::string uri = text_of(got.params(), "uri");
            const std::optional<json> found = library_.read(uri);
            if (!found) {
                const auto code =
                    stateless ? ssekit::mcp_error::invalid_params : ssekit::mcp_error(-32002);
                throw rpc_error(code, "there is no such resource", {{"uri", uri}});
            }
            result = {{"contents", json::array({*found})}};
        } else if (got.method == "prompts/get") {
            const prompt* const found =
                library::find(library_.prompts, text_of(got.params(), "name"));
            if (found == nullptr) {
                throw rpc_error(ssekit::mcp_error::invalid_params, "there is no such prompt");
            }
            return make_prompt(*found, got, stateless);
        } else if (got.method == "completion/complete") {
            result = {
                {"completion", {{"values", json::array()}, {"total", 0}, {"hasMore", false}}}};
            may_be_kept = false;
        } else {
            throw rpc_error(ssekit::mcp_error::method_not_found, "there is no such method");
        }
        if (!stateless) return result;
        result["resultType"] = "complete";
        if (may_be_kept) {
            result["ttlMs"] = 60'000;
            result["cacheScope"] = "public";
        }
        return result;
    }

  private:
    json make_prompt(const prompt& which, const message& got, bool stateless) {
        const json known = stateless ? rounds_.known(got.params()) : json::object();
        try {
            json result = which.make(member(got.params(), "arguments"), known);
            if (stateless) result["resultType"] = "complete";
            return result;
        } catch (const input_required& more) {
            if (stateless) return rounds_.ask(more, known);
            throw rpc_error(ssekit::mcp_error::invalid_request, "this prompt is one of 2026-07-28");
        }
    }

    const library& library_;
    rounds& rounds_;
};

} // namespace uses::mcp

#endif
