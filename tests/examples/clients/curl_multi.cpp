// SPDX-License-Identifier: MIT
//
// An event source in a multi handle, which may carry any number of other transfers.
#include "watch.hpp"

#include <ssekit/adapters/curl.hpp>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <memory>

namespace {

using std::chrono::milliseconds;

int until(ssekit::time_point deadline) {
    const auto left = deadline - std::chrono::steady_clock::now();
    return static_cast<int>(std::clamp<milliseconds::rep>(
        std::chrono::ceil<milliseconds>(
            std::min<ssekit::time_point::duration>(left, std::chrono::hours(1)))
            .count(),
        0, 3'600'000));
}

} // namespace

int main(int argc, char** argv) {
    curl_global_init(CURL_GLOBAL_DEFAULT);
    return watch::run(argc, argv, [](const auto& wanted, auto& source, auto& print) {
        const std::unique_ptr<CURLM, decltype(&curl_multi_cleanup)> multi(curl_multi_init(),
                                                                          &curl_multi_cleanup);
        using stream_type = ssekit::curl_stream<watch::printer>;
        stream_type stream(multi.get(), source, print);
        if (!wanted.ca.empty()) {
            curl_easy_setopt(stream.handle(), CURLOPT_CAINFO, wanted.ca.c_str());
        }
        std::atomic<bool> stopped = false;
        const watch::on_signal stop([&] {
            stopped = true;
            curl_multi_wakeup(multi.get());
        });
        // [recipe]
        for (stream.turn(); source.state() != ssekit::ready_state::closed; stream.turn()) {
            curl_multi_poll(multi.get(), nullptr, 0, until(source.next_deadline()), nullptr);
            int count = 0;
            curl_multi_perform(multi.get(), &count);
            while (const CURLMsg* const message = curl_multi_info_read(multi.get(), &count)) {
                if (message->msg == CURLMSG_DONE) stream_type::done(*message);
            }
            if (stopped) source.close();
        }
        // [recipe]
    });
}
