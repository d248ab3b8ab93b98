// SPDX-License-Identifier: MIT
//
// Pages of others: a list of news that libraries for pages keep up to date. Each of them reads a
// stream by itself, and has events in a form of its own.
//
//     GET  /htmx-2, /htmx-4, /turbo, /datastar              a page
//     GET  /events/htmx, /events/turbo, /events/datastar    its stream
//     POST /news                                            one more item, for all of them
//
// The libraries are served from node_modules, the folder in which npm leaves them:
//
//     npm install htmx.org@2 htmx-ext-sse@2 htmx-4@npm:htmx.org@4
//     npm install @hotwired/turbo@8 @starfederation/datastar@1.0.0-beta.11
//
// htmx 4 and Datastar let go of the stream when their page is left, and take it up again. htmx 2 and
// Turbo leave it to the browser, which keeps it open over HTTP/1.1 until six pages have used up all
// connections; and where the browser gives up, htmx 2 begins anew without an id, and Turbo never. So
// their pages have a few lines more.
#include "http_server.hpp"

#include <ssekit/encoder.hpp>
#include <ssekit/frame.hpp>

#include <array>
#include <chrono>
#include <string>
#include <string_view>

namespace {

using uses::Request;
using uses::Response;

struct page {
    const char* path;
    std::string_view html;
};

constexpr std::array<page, 4> pages = {{
    {"/htmx-2", R"html(<!doctype html>
<meta charset="utf-8">
<title>News, by htmx 2</title>
<script src="/scripts/htmx.org/dist/htmx.js"></script>
<script src="/scripts/htmx-ext-sse/dist/sse.js"></script>
<ul id="news" hx-ext="sse" sse-connect="/events/htmx" sse-swap="message" hx-swap="beforeend"></ul>
<script>
let source, lastId = "";
htmx.createEventSource = url => {
  source = new EventSource(lastId ? url + "?lastEventId=" + encodeURIComponent(lastId) : url);
  source.addEventListener("message", event => { lastId = event.lastEventId; });
  return source;
};
addEventListener("pagehide", () => source?.close());
addEventListener("pageshow", ({persisted}) => {
  if (persisted) source?.dispatchEvent(new Event("error")); // it is closed: htmx makes another
});
</script>
)html"},
    {"/htmx-4", R"html(<!doctype html>
<meta charset="utf-8">
<title>News, by htmx 4</title>
<script src="/scripts/htmx-4/dist/htmx.js"></script>
<script src="/scripts/htmx-4/dist/ext/hx-sse.js"></script>
<ul id="news" hx-sse:connect="/events/htmx" hx-swap="beforeend"></ul>
)html"},
    {"/turbo", R"html(<!doctype html>
<meta charset="utf-8">
<title>News, by Turbo</title>
<script src="/scripts/@hotwired/turbo/dist/turbo.es2017-umd.js"></script>
<ul id="news"></ul>
<turbo-stream-source src="/events/turbo"></turbo-stream-source>
<script>
const element = document.querySelector("turbo-stream-source"), url = element.getAttribute("src");
let lastId = "";
function watch() {
  const source = element.streamSource;
  source.addEventListener("message", event => { lastId = event.lastEventId; });
  source.addEventListener("error", () => {
    if (source.readyState === EventSource.CLOSED) setTimeout(again, 1000 + 2000 * Math.random());
  });
}
function again() { // in the document again, it opens a new EventSource
  element.remove();
  if (lastId) element.setAttribute("src", url + "?lastEventId=" + encodeURIComponent(lastId));
  document.body.append(element);
  watch();
}
addEventListener("pagehide", () => element.remove());
addEventListener("pageshow", ({persisted}) => { if (persisted) again(); });
watch();
</script>
)html"},
    {"/datastar", R"html(<!doctype html>
<meta charset="utf-8">
<title>News, by Datastar</title>
<script type="module" src="/scripts/@starfederation/datastar/dist/datastar.js"></script>
<ul id="news" data-on-load="@get('/events/datastar')"></ul>
)html"},
}};

constexpr ssekit::retention last_news = {.events = 100};

std::string escaped(std::string_view text) {
    std::string html;
    for (const char c : text) {
        switch (c) {
        case '&': html += "&amp;"; break;
        case '<': html += "&lt;"; break;
        case '>': html += "&gt;"; break;
        case '\0': html += "\xef\xbf\xbd"; break; // HTML has no such character
        default: html += c;
        }
    }
    return html;
}

/// Adds an item to the list, in the words of each library.
ssekit::errc publish(ssekit::shared_hub& hub, std::string_view text) {
    const std::string item = "<li>" + escaped(text) + "</li>";

    // [forms]
    // htmx takes HTML, and the page says where to put it.
    const ssekit::errc to_htmx = hub.publish("htmx", {.data = item}).ec;

    // Turbo takes HTML that says so itself.
    const std::string action = R"(<turbo-stream action="append" target="news"><template>)" + item +
                               "</template></turbo-stream>";
    const ssekit::errc to_turbo = hub.publish("turbo", {.data = action}).ec;

    // Datastar takes arguments, each line of them with its name. From 1.0 on these are
    // datastar-patch-elements, mode and elements.
    ssekit::frame_builder block;
    ssekit::data_writer data(block, {.type = "datastar-merge-fragments"});
    data.write_lines("selector ", "#news").write_lines("mergeMode ", "append");
    data.write_lines("fragments ", item).finish();
    const ssekit::errc to_datastar = hub.publish("datastar", block).ec;
    // [forms]

    for (const ssekit::errc code : {to_htmx, to_turbo, to_datastar}) {
        if (code != ssekit::errc::ok) return code;
    }
    return ssekit::errc::ok;
}

} // namespace

int main(int argc, char** argv) {
    const std::array<std::string, 3> topics = {"htmx", "turbo", "datastar"};
    // A first message without text, so that every page knows the id to come back with.
    uses::http_server server(
        argc, argv,
        {.retry = std::chrono::milliseconds(500), .opening = ssekit::opening_form::empty_data});
    server.files("/scripts", "node_modules");
    for (const page& each : pages) {
        server.get(each.path, [&each](const Request&, Response& response) {
            response.set_content(each.html.data(), each.html.size(), "text/html");
        });
    }
    for (const std::string& topic : topics) {
        uses::taken(server.hub().keep(topic, last_news)); // also while nobody reads it
        server.get("/events/" + topic, [&](const Request& request, Response& response) {
            ssekit::httplib_stream(server.hub(), request, response, {.topics = topic});
        });
    }
    server.post("/news", [&](const Request&, Response& response, const std::string& text) {
        uses::answer(response, publish(server.hub(), text));
    });
    return server.run();
}
