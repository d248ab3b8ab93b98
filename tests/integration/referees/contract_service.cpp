// SPDX-License-Identifier: MIT
//
// What LaunchDarkly's sse-contract-tests talk to: a server that watches streams on request, with
// an event source over libcurl, and reports by POST what comes of them. So that suite judges the
// client. Build it (Go 1.16 or later), and then:
//
//     build/examples/contract_service --port 8000 &
//     sse-contract-tests --url http://127.0.0.1:8000 --host 127.0.0.1 --stop-service-at-end
//
//     GET    /            what it can do
//     POST   /            watches a stream; its Location is what the next two are sent to
//     POST   /streams/N   restarts it
//     DELETE /streams/N   ends it
//     DELETE /            ends the program
//
// There is no type to listen for beforehand, hence no "event-type-listeners": events of all types
// are seen.
#include "../../examples/uses/http_server.hpp"

#include <ssekit/adapters/curl.hpp>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <csignal>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include <curl/curl.h>
#include <nlohmann/json.hpp>
#include <unistd.h>

namespace {

using nlohmann::json;
using std::chrono::milliseconds;
using uses::Request;
using uses::Response;

/// Where reports on one stream go, each to a place of its own so that they can be put in order.
class reports {
  public:
    explicit reports(std::string url) : url_(std::move(url)) {}

    void add(const json& report) {
        waiting_.push_back(report.dump(-1, ' ', false, json::error_handler_t::replace));
    }
    /// Sends what waits. One that is not taken is lost.
    void send() {
        for (const std::string& report : std::exchange(waiting_, {})) {
            const std::string url = url_ + "/" + std::to_string(++count_);
            curl_easy_setopt(easy_.get(), CURLOPT_URL, url.c_str());
            curl_easy_setopt(easy_.get(), CURLOPT_HTTPHEADER, headers_.get());
            curl_easy_setopt(easy_.get(), CURLOPT_POSTFIELDSIZE_LARGE,
                             static_cast<curl_off_t>(report.size()));
            curl_easy_setopt(easy_.get(), CURLOPT_POSTFIELDS, report.data());
            curl_easy_setopt(easy_.get(), CURLOPT_WRITEFUNCTION, &drop);
            curl_easy_setopt(easy_.get(), CURLOPT_NOSIGNAL, 1L);
            curl_easy_setopt(easy_.get(), CURLOPT_TIMEOUT, 10L);
            curl_easy_perform(easy_.get());
        }
    }

  private:
    static std::size_t drop(char*, std::size_t, std::size_t size, void*) noexcept { return size; }

    std::string url_;
    std::vector<std::string> waiting_;
    std::uint64_t count_ = 0;
    std::unique_ptr<CURL, decltype(&curl_easy_cleanup)> easy_{curl_easy_init(), &curl_easy_cleanup};
    std::unique_ptr<curl_slist, decltype(&curl_slist_free_all)> headers_{
        curl_slist_append(curl_slist_append(nullptr, "Content-Type: application/json"), "Expect:"),
        &curl_slist_free_all};
};

/// What the suite sends for what it leaves open may be null.
template <class T>
T wanted(const json& from, const char* name, T otherwise) {
    const auto found = from.find(name);
    return found == from.end() || found->is_null() ? otherwise : found->get<T>();
}

/// One stream that is watched, on a thread of its own.
class watched {
  public:
    /// Throws json::exception.
    explicit watched(const json& what)
        : reports_(what.at("callbackUrl").get<std::string>()),
          source_(what.at("streamUrl").get<std::string>(), options(what)),
          thread_([this] { run(); }) {}
    ~watched() {
        is_stopping_ = true;
        wake();
    }

    void restart() {
        is_restarting_ = true;
        wake();
    }

  private:
    struct sink {
        watched& of;

        void on_event(const ssekit::event_view& event) {
            of.reports_.add({{"kind", "event"},
                             {"event",
                              {{"type", event.name()},
                               {"data", event.data.value_or("")},
                               {"id", of.source_.last_event_id()}}}});
        }
        void on_comment(std::string_view text) {
            of.reports_.add({{"kind", "comment"}, {"comment", text}});
        }
        void on_error(ssekit::errc code, std::uint64_t) { of.report_error(ssekit::message(code)); }
    };

    ssekit::event_source_options options(const json& what) {
        // The suite takes any method for one that may be sent again.
        ssekit::event_source_options out{.repeat = ssekit::repeat_policy::always};
        out.method = wanted<std::string>(what, "method", "GET");
        out.body = wanted<std::string>(what, "body", "");
        out.last_event_id = wanted<std::string>(what, "lastEventId", "");
        const json headers = wanted(what, "headers", json::object());
        for (const auto& [name, value] : headers.items()) {
            out.headers.push_back({name, value.get<std::string>()});
        }
        out.reconnection_time = milliseconds(wanted(what, "initialDelayMs", 1000));
        out.min_delay = milliseconds(0);
        out.idle_timeout = milliseconds(wanted(what, "readTimeoutMs", 0));
        out.on_change = [this](ssekit::event_source& source) noexcept { look_at(source); };
        return out;
    }

    void look_at(const ssekit::event_source& source) {
        if (source.state() == ssekit::ready_state::open || is_stopping_ || is_leaving_) return;
        report_error(source.state() == ssekit::ready_state::closed ? ssekit::message(source.end())
                                                                   : source.failure());
    }
    void report_error(std::string_view why) { reports_.add({{"kind", "error"}, {"error", why}}); }

    void run() {
        begin();
        if (source_.state() == ssekit::ready_state::closed) look_at(source_); // nobody was told
        for (turn(); source_.state() != ssekit::ready_state::closed; turn()) {
            reports_.send();
            curl_multi_poll(multi_.get(), nullptr, 0, until(source_.next_deadline()), nullptr);
            int count = 0;
            curl_multi_perform(multi_.get(), &count);
            while (const CURLMsg* const message = curl_multi_info_read(multi_.get(), &count)) {
                if (message->msg == CURLMSG_DONE) ssekit::curl_stream<sink>::done(*message);
            }
        }
        reports_.send();
    }
    void begin() { stream_.emplace(multi_.get(), source_, sink_); }
    void turn() {
        if (is_stopping_) source_.close();
        if (is_restarting_.exchange(false)) {
            begin(); // the old transfer ends with the old stream, and for that nobody is to blame
            is_leaving_ = true;
            source_.receive_failure(std::chrono::steady_clock::now());
            is_leaving_ = false;
        }
        stream_->turn();
    }
    void wake() { curl_multi_wakeup(multi_.get()); }
    static int until(ssekit::time_point deadline) {
        const auto left = std::min<ssekit::time_point::duration>(
            deadline - std::chrono::steady_clock::now(), std::chrono::hours(1));
        return static_cast<int>(
            std::max<milliseconds::rep>(std::chrono::ceil<milliseconds>(left).count(), 0));
    }

    std::atomic<bool> is_stopping_ = false;
    std::atomic<bool> is_restarting_ = false;
    bool is_leaving_ = false;
    reports reports_;
    sink sink_{*this};
    ssekit::event_source source_;
    std::unique_ptr<CURLM, decltype(&curl_multi_cleanup)> multi_{curl_multi_init(),
                                                                 &curl_multi_cleanup};
    std::optional<ssekit::curl_stream<sink>> stream_;
    std::jthread thread_; // joined before the rest dies
};

class contract_service {
    static constexpr std::size_t most_streams = 64;

  public:
    contract_service(int argc, char** argv) : http_(argc, argv) {
        http_.get("/", [](const Request&, Response& response) {
            const json info = {
                {"name", "ssekit"},
                {"capabilities",
                 {"bom", "comments", "headers", "last-event-id", "post", "read-timeout", "report",
                  "restart", "server-directed-shutdown-request"}}};
            response.set_content(info.dump(), "application/json");
        });
        http_.other("/", [](const Request& request, Response& response) {
            if (request.method != "DELETE") return refuse(response, 405);
            response.status = 204;
            kill(getpid(), SIGTERM);
        });
        http_.post("/", [this](const Request&, Response& response, const std::string& body) {
            watch(body, response);
        });
        const std::string one = R"(/streams/(\d{1,9}))";
        http_.post(one,
                   [this](const Request& request, Response& response, const std::string& body) {
                       command(std::stoul(request.matches[1]), body, response);
                   });
        http_.other(one, [this](const Request& request, Response& response) {
            if (request.method != "DELETE") return refuse(response, 405);
            const std::lock_guard locked(lock_);
            response.status = streams_.erase(std::stoul(request.matches[1])) != 0 ? 204 : 404;
        });
    }

    int run() {
        return http_.run({}, [this] {
            const std::lock_guard locked(lock_);
            streams_.clear();
        });
    }

  private:
    static void refuse(Response& response, int status) { response.status = status; }

    void watch(const std::string& body, Response& response) {
        const std::lock_guard locked(lock_);
        if (streams_.size() == most_streams) return refuse(response, 503);
        try {
            auto stream = std::make_unique<watched>(json::parse(body));
            streams_.emplace(++newest_, std::move(stream));
        } catch (const json::exception&) {
            return refuse(response, 400);
        }
        response.status = 201;
        response.set_header("Location", "/streams/" + std::to_string(newest_));
    }
    void command(std::uint64_t number, const std::string& body, Response& response) {
        const json what = json::parse(body, nullptr, false);
        const std::lock_guard locked(lock_);
        const auto found = streams_.find(number);
        if (found == streams_.end()) return refuse(response, 404);
        if (!what.is_object() || what.value("command", json()) != "restart") {
            return refuse(response, 400);
        }
        found->second->restart();
        response.status = 202;
    }

    std::mutex lock_;
    std::map<std::uint64_t, std::unique_ptr<watched>> streams_;
    std::uint64_t newest_ = 0;
    uses::http_server http_; // dies first
};

} // namespace

int main(int argc, char** argv) {
    curl_global_init(CURL_GLOBAL_DEFAULT);
    return contract_service(argc, argv).run();
}
