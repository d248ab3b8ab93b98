// SPDX-License-Identifier: MIT
//
// Names for tests, in the place of the C library's: all under .test are this machine, but
// "slow.test" is looked up for as long as a case holds it, and "unknown.test" is none. Programs that
// include it link the dynamic loader.
#ifndef SSEKIT_TESTS_SUPPORT_NAME_SERVICE_HPP
#define SSEKIT_TESTS_SUPPORT_NAME_SERVICE_HPP

#include "support/process.hpp"

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <string>
#include <string_view>

#include <dlfcn.h>
#include <netdb.h>

namespace support {

class name_service {
  public:
    std::atomic<std::uint16_t> port = 0;     ///< where all of them are; 0: at the one asked for
    std::atomic<unsigned> times_counted = 0; ///< how often "counted.test" was looked up

    void set_held(bool value) {
        const std::lock_guard lock(mutex_);
        held_ = value;
        is_asked_ = false;
        changed_.notify_all();
    }
    bool until_asked() {
        std::unique_lock lock(mutex_);
        return changed_.wait_for(lock, patience, [this] { return is_asked_; });
    }
    /// \returns whether there is such a name.
    bool look_up(std::string_view name) {
        if (name == "slow.test") look_up_slowly();
        if (name == "counted.test") ++times_counted;
        return name != "unknown.test";
    }

  private:
    void look_up_slowly() {
        std::unique_lock lock(mutex_);
        is_asked_ = true;
        changed_.notify_all();
        changed_.wait_for(lock, patience, [this] { return !held_; });
    }

    std::mutex mutex_;
    std::condition_variable changed_;
    bool held_ = false;
    bool is_asked_ = false;
};

inline name_service& names() {
    static auto& one = *new name_service; // threads that look up may outlive the program's objects
    return one;
}

} // namespace support

extern "C" __attribute__((weak)) int getaddrinfo(const char* node, const char* service,
                                                 const addrinfo* hints, addrinfo** out) {
    static const auto real =
        reinterpret_cast<decltype(&getaddrinfo)>(dlsym(RTLD_NEXT, "getaddrinfo"));
    const std::string_view name = node == nullptr ? "" : node;
    const bool is_ours = name.ends_with(".test") || name == "2001:db8::1";
    if (!is_ours) return real(node, service, hints, out);
    if (!support::names().look_up(name)) return EAI_NONAME;
    const std::uint16_t port = support::names().port;
    const std::string given = std::to_string(port);
    return real("127.0.0.1", port == 0 ? service : given.c_str(), hints, out);
}

#endif
