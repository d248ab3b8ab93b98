// SPDX-License-Identifier: MIT
//
// The programs in examples/uses, seen from outside.
#ifndef SSEKIT_TESTS_INTEGRATION_USES_USE_HPP
#define SSEKIT_TESTS_INTEGRATION_USES_USE_HPP

#include "support/client.hpp"
#include "support/http_client.hpp"
#include "support/process.hpp"

#include <ssekit/testing/event_collector.hpp>

#include <doctest/doctest.h>

#include <charconv>
#include <chrono>
#include <csignal>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <system_error>
#include <thread>
#include <utility>
#include <vector>

namespace uses {

/// A running program. It must end in order, whatever was done to it.
class program : public support::process {
  public:
    explicit program(const std::string& name, const std::vector<std::string>& options = {})
        : process(command(name, options)) {
        constexpr std::string_view before = "listening on port ";
        REQUIRE(until([&] { return out().ends_with("\n"); }));
        REQUIRE(out().starts_with(before));
        const char* const digits = out().data() + before.size();
        REQUIRE(std::from_chars(digits, out().data() + out().size(), port).ec == std::errc{});
    }
    ~program() {
        signal(SIGTERM);
        CHECK(wait() == 0);
        CHECK(err() == "");
    }

    std::uint16_t port = 0;

    [[nodiscard]] support::response ask(std::string_view method_and_target,
                                        std::string_view body = {}) const {
        return support::ask(port, method_and_target, body);
    }
    [[nodiscard]] int post(std::string_view target, std::string_view body = {}) const {
        return ask("POST " + std::string(target), body).status;
    }

    /// Asks until the answer to GET is this. \returns whether it came to that.
    [[nodiscard]] bool until_answer(std::string_view target, std::string_view body) const {
        return until_response(target, [&](const auto& got) { return got.body == body; });
    }
    [[nodiscard]] bool until_status(std::string_view target, int status) const {
        return until_response(target, [&](const auto& got) { return got.status == status; });
    }

  private:
    static std::vector<std::string> command(const std::string& name,
                                            const std::vector<std::string>& options) {
        std::vector<std::string> words = {support::example("use_" + name), "--port", "0"};
        words.insert(words.end(), options.begin(), options.end());
        return words;
    }

    template <class Condition>
    bool until_response(std::string_view target, Condition&& good) const {
        const auto deadline = std::chrono::steady_clock::now() + support::patience;
        while (!good(ask("GET " + std::string(target)))) {
            if (std::chrono::steady_clock::now() > deadline) return false;
            std::this_thread::sleep_for(std::chrono::milliseconds(5));
        }
        return true;
    }
};

/// A stream that answers a POST.
class posted_stream {
  public:
    posted_stream(std::uint16_t port, std::string_view target, std::string_view sent)
        : posted_stream(port, "POST " + std::string(target) + " HTTP/1.1\r\nHost: localhost\r\n" +
                                  "Content-Length: " + std::to_string(sent.size()) + "\r\n\r\n" +
                                  std::string(sent)) {}
    /// One that answers a request that is written out.
    posted_stream(std::uint16_t port, std::string_view request) : tcp_(port) {
        tcp_.send(request);
        head = support::read_head(tcp_);
    }

    support::response head;
    std::string body; // without chunk framing
    ssekit::testing::event_collector seen;

    template <class Condition>
    bool until(Condition&& done) {
        return tcp_.until([&] {
            read();
            return done();
        });
    }
    bool until_count(std::size_t count) {
        return until([&] { return seen.events.size() >= count; });
    }
    /// Reads until the last chunk, of a body that is chunks.
    bool until_end() {
        return until([&] { return ended_; });
    }

  private:
    void read() {
        support::dechunked all = support::dechunk(tcp_.received);
        ended_ = all.ended && all.intact;
        seen.feed(std::string_view(all.body).substr(body.size()));
        body = std::move(all.body);
    }

    support::tcp_client tcp_;
    bool ended_ = false;
};

} // namespace uses

#endif
