// SPDX-License-Identifier: MIT
//
// sse_watch: the events of a URL as lines of JSON, for as long as you like. Over libcurl.
//
//     sse_watch http://127.0.0.1:8080/events
//     {"type":"metric","data":"41.7","lastEventId":"3f.120"}
#include "watch.hpp"

#include <ssekit/adapters/curl.hpp>
#include <ssekit/event_stream.hpp>

int main(int argc, char** argv) {
    curl_global_init(CURL_GLOBAL_DEFAULT);
    return watch::run(argc, argv, [](const auto& wanted, auto& source, auto& print) {
        ssekit::curl_transport transport;
        if (!wanted.ca.empty()) {
            curl_easy_setopt(transport.handle(), CURLOPT_CAINFO, wanted.ca.c_str());
        }
        const watch::on_signal stop([&transport] { transport.stop(); });
        // [recipe]
        ssekit::event_stream stream(source, transport);
        for (const ssekit::stream_item& item : stream.items()) print.on_item(item);
        // [recipe]
    });
}
