// SPDX-License-Identifier: MIT
//
// The sessions of 2025: bounded in number and in age, with ids that nobody can guess.
#ifndef SSEKIT_EXAMPLES_USES_MCP_SESSIONS_HPP
#define SSEKIT_EXAMPLES_USES_MCP_SESSIONS_HPP

#include "calls.hpp"

#include <chrono>
#include <cstddef>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

namespace uses::mcp {

struct session {
    explicit session(const caller& its, ssekit::shared_hub& hub)
        : general(hub, its.revision, "general/" + std::to_string(its.session), its.session),
          who(its) {}

    out_stream general; ///< for what belongs to no request: GET without a Last-Event-ID

    caller who;                     ///< under `lock`
    std::set<std::string> watching; ///< resources; likewise
    std::mutex lock;
};

class sessions {
    using clock = std::chrono::steady_clock;
    using session_ptr = std::shared_ptr<session>;

  public:
    struct bounds {
        std::size_t most = 64;
        std::chrono::milliseconds idle = std::chrono::minutes(30); ///< without a request
        std::chrono::milliseconds age = std::chrono::hours(24);
    };
    /// \param ended called with each session that has ended; it may not call this class
    sessions(const bounds& limits, std::function<void(session&)> ended)
        : limits_(limits), ended_(std::move(ended)) {}

    /// \returns the id of the new session; "" when there are too many.
    std::string add(const session_ptr& made) {
        const std::lock_guard locked(lock_);
        end_old();
        if (all_.size() >= limits_.most) return {};
        const std::string id = random_name();
        all_[id] = {made, clock::now(), clock::now()};
        return id;
    }
    /// \returns null where there is none of this id, or it is too old.
    session_ptr find(const std::string& id) {
        const std::lock_guard locked(lock_);
        end_old();
        const auto found = all_.find(id);
        if (found == all_.end()) return nullptr;
        found->second.used = clock::now();
        return found->second.which;
    }
    bool end(const std::string& id) {
        const std::lock_guard locked(lock_);
        const auto found = all_.find(id);
        if (found == all_.end()) return false;
        ended_(*found->second.which);
        all_.erase(found);
        return true;
    }
    template <class Call>
    void for_each(Call&& call) {
        const std::lock_guard locked(lock_);
        for (auto& [id, each] : all_) call(*each.which);
    }
    [[nodiscard]] std::size_t size() {
        const std::lock_guard locked(lock_);
        end_old();
        return all_.size();
    }

  private:
    struct entry {
        session_ptr which;
        clock::time_point begun;
        clock::time_point used;
    };

    void end_old() {
        const auto now = clock::now();
        for (auto it = all_.begin(); it != all_.end();) {
            const bool old =
                now - it->second.used > limits_.idle || now - it->second.begun > limits_.age;
            if (old) ended_(*it->second.which);
            it = old ? all_.erase(it) : std::next(it);
        }
    }
    bounds limits_;
    std::function<void(session&)> ended_;
    std::mutex lock_;
    std::unordered_map<std::string, entry> all_;
};

} // namespace uses::mcp

#endif
