// SPDX-License-Identifier: MIT
//
// What a server of MCP has: tools, prompts and resources, each as it is listed and what it does.
#ifndef SSEKIT_EXAMPLES_USES_MCP_LIBRARY_HPP
#define SSEKIT_EXAMPLES_USES_MCP_LIBRARY_HPP

#include "calls.hpp"

#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace uses::mcp {

inline json text_content(const std::string& text) {
    return {{"type", "text"}, {"text", text}};
}
inline json text_result(const std::string& text) {
    return {{"content", json::array({text_content(text)})}};
}

struct tool {
    json listed;
    std::string needs; ///< a capability of the client; "": none
    /// \returns the result. What it throws is one with isError, but for an rpc_error, and for what
    /// is thrown by `call::ask`.
    std::function<json(call&)> run;
};

inline json listed_tool(const std::string& name, const std::string& what,
                        json properties = json::object(), json required = json::array()) {
    return {{"name", name},
            {"description", what},
            {"inputSchema",
             {{"type", "object"},
              {"properties", std::move(properties)},
              {"required", std::move(required)}}}};
}

struct prompt {
    json listed;
    /// \param known what the client has been asked: see answers_in
    std::function<json(const json& arguments, const json& known)> make;
};

struct library {
    std::vector<tool> tools = {};
    std::vector<prompt> prompts = {};
    std::vector<json> resources = {}; ///< as they are listed
    std::vector<json> templates = {};
    /// \returns what resources/read brings; nullopt: there is no such resource.
    std::function<std::optional<json>(const std::string& uri)> read = {};

    /// \param all `tools` or `prompts` \returns null where there is none of this name.
    template <class All>
    static auto find(All& all, const std::string& name) {
        const auto found = std::find_if(all.begin(), all.end(), [&](const auto& each) {
            return text_of(each.listed, "name") == name;
        });
        return found == all.end() ? nullptr : &*found;
    }
    template <class All>
    static json list(const All& all) {
        json listed = json::array();
        for (const auto& each : all) listed.push_back(each.listed);
        return listed;
    }
};

} // namespace uses::mcp

#endif
