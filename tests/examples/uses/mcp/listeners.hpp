// SPDX-License-Identifier: MIT
//
// subscriptions/listen of 2026-07-28, which has no GET and no sessions.
#ifndef SSEKIT_EXAMPLES_USES_MCP_LISTENERS_HPP
#define SSEKIT_EXAMPLES_USES_MCP_LISTENERS_HPP

#include "calls.hpp"

#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>

namespace uses::mcp {

/// The streams of subscriptions/listen (2026-07-28): each hears of what it has asked for.
class listeners {
    struct one {
        std::shared_ptr<out_stream> out;
        json id;
        json wanted;
    };

  public:
    void add(const std::shared_ptr<out_stream>& out, const json& id, const json& wanted) {
        out->send(notification("notifications/subscriptions/acknowledged",
                               {{"_meta", mark(id)}, {"notifications", wanted}}));
        const std::lock_guard locked(lock_);
        all_[out->topic()] = {out, id, wanted};
    }
    void remove(std::string_view topic) {
        const std::lock_guard locked(lock_);
        all_.erase(std::string(topic));
    }
    void tell(const std::string& what, const std::string& method) {
        for (const auto& [topic, each] : copy()) {
            if (!each.wanted.value(what, false)) continue;
            each.out->send(notification(method, {{"_meta", mark(each.id)}}));
        }
    }
    /// Effects: each gets its response, and so learns that its stream has ended in order.
    void end() {
        for (const auto& [topic, each] : copy()) {
            each.out->end(
                result_answer(each.id, {{"resultType", "complete"}, {"_meta", mark(each.id)}}));
        }
    }

  private:
    static json mark(const json& id) { return {{meta_prefix + "subscriptionId", id}}; }
    std::map<std::string, one> copy() { // the hub is not called under the lock: see the hook
        const std::lock_guard locked(lock_);
        return all_;
    }

    std::mutex lock_;
    std::map<std::string, one> all_;
};

} // namespace uses::mcp

#endif
