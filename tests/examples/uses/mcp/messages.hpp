// SPDX-License-Identifier: MIT
//
// Messages of JSON-RPC, as far as MCP uses them: what a body says, and what is answered.
#ifndef SSEKIT_EXAMPLES_USES_MCP_MESSAGES_HPP
#define SSEKIT_EXAMPLES_USES_MCP_MESSAGES_HPP

#include <ssekit/mcp.hpp>

#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>

#include <nlohmann/json.hpp>

namespace uses::mcp {

using nlohmann::json;

inline const std::string meta_prefix = "io.modelcontextprotocol/";

/// An answer that is an error.
struct rpc_error : std::runtime_error {
    rpc_error(ssekit::mcp_error what, const std::string& text, json more = nullptr)
        : std::runtime_error(text), code(what), data(std::move(more)) {}
    ssekit::mcp_error code;
    json data;
};

inline json error_answer(const json& id, const rpc_error& error) {
    json answer = {{"jsonrpc", "2.0"},
                   {"error", {{"code", static_cast<int>(error.code)}, {"message", error.what()}}}};
    if (!id.is_null()) answer["id"] = id;
    if (!error.data.is_null()) answer["error"]["data"] = error.data;
    return answer;
}

inline json result_answer(const json& id, json result) {
    return {{"jsonrpc", "2.0"}, {"id", id}, {"result", std::move(result)}};
}

inline json notification(const std::string& method, json params) {
    return {{"jsonrpc", "2.0"}, {"method", method}, {"params", std::move(params)}};
}

/// \returns a member of an object; null where there is none, or `in` is no object.
inline const json& member(const json& in, const std::string& name) {
    static const json nothing;
    if (!in.is_object()) return nothing;
    const auto found = in.find(name);
    return found == in.end() ? nothing : *found;
}

inline std::string text_of(const json& in, const std::string& name) {
    const json& found = member(in, name);
    return found.is_string() ? found.get<std::string>() : std::string();
}

inline const json& meta_of(const json& params, const std::string& name) {
    return member(member(params, "_meta"), meta_prefix + name);
}

/// \returns what a body says, which is nested no deeper than this: what handles JSON calls itself
/// for each level.
inline json read_body(const std::string& body) {
    constexpr int deepest = 64;
    bool too_deep = false;
    const auto is_kept = [&](int depth, json::parse_event_t, json&) {
        too_deep = too_deep || depth > deepest;
        return depth <= deepest;
    };
    json whole = json::parse(body, is_kept, false);
    if (too_deep) throw rpc_error(ssekit::mcp_error::invalid_request, "this is nested too deeply");
    if (whole.is_discarded()) throw rpc_error(ssekit::mcp_error::parse_error, "this is not JSON");
    return whole;
}

/// A message that has the members it must have.
struct message {
    explicit message(json body) : whole(std::move(body)) {
        id = member(whole, "id");
        const bool can_be_id = id.is_string() || id.is_number_integer();
        const bool has_id = whole.contains("id");
        const bool has_method = member(whole, "method").is_string();
        const bool has_end = whole.contains("result") != whole.contains("error");
        const bool has_params = !whole.contains("params") || whole["params"].is_object();
        if (member(whole, "jsonrpc") != "2.0" || (has_id && !can_be_id) || !has_params ||
            (!has_method && !(has_id && has_end))) {
            if (!can_be_id) id = nullptr;
            throw rpc_error(ssekit::mcp_error::invalid_request, "this is no message of JSON-RPC");
        }
        method = text_of(whole, "method");
        kind = !has_method ? ssekit::mcp_kind::response
               : has_id    ? ssekit::mcp_kind::request
                           : ssekit::mcp_kind::notification;
        name_ = text_of(params(), method == "resources/read" ? "uri" : "name");
        if (const json& named = meta_of(params(), "protocolVersion"); named.is_string()) {
            revision_ = named.get<std::string>();
        }
    }

    [[nodiscard]] const json& params() const { return member(whole, "params"); }

    /// What mcp_request.hpp has to know of it. Lifetime: a view of this.
    [[nodiscard]] ssekit::mcp_message view() const {
        return {.kind = kind,
                .method = method,
                .name = name_.empty() ? std::nullopt : std::optional<std::string_view>(name_),
                .protocol_version = revision_ ? std::optional<std::string_view>(*revision_)
                                              : std::optional<std::string_view>(),
                .has_capabilities = meta_of(params(), "clientCapabilities").is_object()};
    }

    json whole;
    json id;
    std::string method;
    ssekit::mcp_kind kind = ssekit::mcp_kind::request;

  private:
    std::string name_;
    std::optional<std::string> revision_;
};

/// \returns whether the headers Mcp-Param-* say what the arguments do that a tool's schema marks.
/// \param header returns the value of a header, or nullopt
/// Spec: MCP 2026-07-28, Streamable HTTP, "Custom Headers from Tool Parameters".
template <class FindHeader>
bool headers_match(const json& schema, const json& arguments, FindHeader&& header) {
    for (const auto& [name, property] : member(schema, "properties").items()) {
        const json& value = member(arguments, name);
        if (value.is_object() && !headers_match(property, value, header)) return false;
        const std::string marked = text_of(property, "x-mcp-header");
        if (marked.empty() || value.is_null()) continue;
        const std::string expected = value.is_string() ? value.get<std::string>() : value.dump();
        const std::optional<std::string> found = header("Mcp-Param-" + marked);
        if (!found || !ssekit::mcp_header_matches(*found, expected)) return false;
    }
    return true;
}

} // namespace uses::mcp

#endif
