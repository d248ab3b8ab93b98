// SPDX-License-Identifier: MIT
#include <ssekit/http.hpp>

#include <doctest/doctest.h>

#include <chrono>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

using namespace std::string_view_literals;
using ssekit::accepts_event_stream;
using ssekit::find_header;
using ssekit::find_query;
using ssekit::framing;
using ssekit::id_source;
using ssekit::percent_decode;
using ssekit::response_head;

namespace {

std::string id_of(std::string_view head, id_source source = id_source::header) {
    std::string out = "before";
    ssekit::last_event_id(head, out, source);
    return out;
}

std::string id_in_query(std::string_view target) {
    return id_of("GET " + std::string(target) + " HTTP/1.1\r\nHost: a\r\n\r\n",
                 id_source::header_or_query);
}

std::optional<std::string> decoded(std::string_view text) {
    std::string out;
    if (!percent_decode(text, out)) return std::nullopt;
    return out;
}

} // namespace

TEST_CASE("the response heads are these bytes") {
    CHECK(response_head(framing::chunked) == "HTTP/1.1 200 OK\r\n"
                                             "Content-Type: text/event-stream\r\n"
                                             "Cache-Control: no-store\r\n"
                                             "X-Accel-Buffering: no\r\n"
                                             "Transfer-Encoding: chunked\r\n"
                                             "\r\n");
    CHECK(response_head(framing::raw) == "HTTP/1.1 200 OK\r\n"
                                         "Content-Type: text/event-stream\r\n"
                                         "Cache-Control: no-store\r\n"
                                         "X-Accel-Buffering: no\r\n"
                                         "Connection: close\r\n"
                                         "\r\n");
}

TEST_CASE("every stream header stands in both heads") {
    for (const framing form : {framing::raw, framing::chunked}) {
        for (const auto& [name, value] : ssekit::stream_headers) {
            CHECK(find_header(response_head(form), name) == value);
        }
        CHECK(find_header(response_head(form), "Transfer-Encoding").has_value() ==
              (form == framing::chunked));
    }
}

TEST_CASE("a header is found whatever the case of its name and without the space around it") {
    constexpr std::string_view head = "GET / HTTP/1.1\r\n"
                                      "Host: example\r\n"
                                      "aCCept:\t text/event-stream \t\r\n"
                                      "Empty:\r\n"
                                      "Blank: \t \r\n"
                                      "Twice: first\r\n"
                                      "Twice: second\r\n"
                                      "Colon: a:b: c\r\n"
                                      "\r\n"
                                      "Body: is not a header\r\n";
    static_assert(find_header(head, "Host") == "example");
    CHECK(find_header(head, "Accept") == "text/event-stream");
    CHECK(find_header(head, "ACCEPT") == "text/event-stream");
    CHECK(find_header(head, "Empty") == "");
    CHECK(find_header(head, "Blank") == "");
    CHECK(find_header(head, "twice") == "first");
    CHECK(find_header(head, "Colon") == "a:b: c");
    CHECK(find_header(head, "Body") == std::nullopt);
    CHECK(find_header(head, "Hos") == std::nullopt);
    CHECK(find_header(head, "Hostx") == std::nullopt);
    CHECK(find_header(head, "") == std::nullopt);
    CHECK(find_header(head, "Host")->data() == head.data() + head.find("example"));
}

TEST_CASE("a head that is odd or broken is no danger") {
    CHECK(find_header("", "a") == std::nullopt);
    CHECK(find_header("\n", "a") == std::nullopt);
    CHECK(find_header("\r\n\r\n", "a") == std::nullopt);
    CHECK(find_header("a: not a header but the request line", "a") == std::nullopt);
    CHECK(find_header("GET /\na: only LF\n\n", "a") == "only LF");
    CHECK(find_header("GET /\r\na: the end is missing", "a") == "the end is missing");
    CHECK(find_header("GET /\r\nno colon\r\n:\r\na: b", "a") == "b");
    CHECK(find_header("GET /\r\na : space before the colon\r\n\r\n", "a") == std::nullopt);
    CHECK(find_header("GET /\r\nb: folded\r\n a: line\r\n\r\n", "a") == std::nullopt);
    CHECK(find_header("GET /\r\na: \0\xff\r\n\r\n"sv, "a") == "\0\xff"sv);
    CHECK(find_header("GET /\r\n\r\na: b", "a") == std::nullopt);
}

TEST_CASE("a parameter is found in the query alone") {
    static_assert(find_query("/s?a=1&b=2", "b") == "2");
    CHECK(find_query("/s?a=1&b=2", "a") == "1");
    CHECK(find_query("/s?a=1&a=2", "a") == "1");
    CHECK(find_query("/s?a=x=y", "a") == "x=y");
    CHECK(find_query("/s?a=%41+", "a") == "%41+");
    CHECK(find_query("/s?&&a=1", "a") == "1");
    CHECK(find_query("/s?a", "a") == "");
    CHECK(find_query("/s?a=", "a") == "");
    CHECK(find_query("/s?aa=1", "a") == std::nullopt);
    CHECK(find_query("/s?A=1", "a") == std::nullopt);
    CHECK(find_query("/s?b=1#a=2", "a") == std::nullopt);
    CHECK(find_query("/s?b=1&a=2#c", "a") == "2");
    CHECK(find_query("/s#?a=1", "a") == std::nullopt);
    CHECK(find_query("/a=1", "a") == std::nullopt);
    CHECK(find_query("/s?", "a") == std::nullopt);
    CHECK(find_query("", "a") == std::nullopt);
    CHECK(find_query("/s?b?a=1", "b?a") == "1");
}

TEST_CASE("percent decoding decodes or says that it can not") {
    CHECK(decoded("") == "");
    CHECK(decoded("plain") == "plain");
    CHECK(decoded("%41%4a%4A%7e") == "AJJ~");
    CHECK(decoded("a+b%2Bc") == "a b+c");
    CHECK(decoded("%00%ff") == std::string("\0\xff", 2));
    CHECK(decoded("%25%32%35") == "%25");
    for (const std::string_view bad :
         {"%", "%4", "a%", "%g0", "%0g", "%%41", "% 1", "%-1", "%0x"}) {
        CAPTURE(bad);
        CHECK_FALSE(decoded(bad));
    }
    std::string before = "x";
    CHECK_FALSE(percent_decode("ab%zz", before));
    CHECK(before == "xab");
    std::vector<char> other;
    CHECK(percent_decode("%61", other));
    CHECK(other == std::vector<char>{'a'});
}

TEST_CASE("the id of a request is its header's value as it came") {
    CHECK(id_of("GET / HTTP/1.1\r\nLast-Event-ID: 9ix.7\r\n\r\n") == "9ix.7");
    CHECK(id_of("GET / HTTP/1.1\r\nlast-event-id:7\r\n\r\n") == "7");
    CHECK(id_of("GET / HTTP/1.1\r\nLast-Event-ID: %41+\r\n\r\n") == "%41+");
    CHECK(id_of("GET / HTTP/1.1\r\nLast-Event-ID:\r\n\r\n") == "");
    CHECK(id_of("GET / HTTP/1.1\r\n\r\n") == "");
    CHECK(id_of("") == "");
    const std::string huge(10'000'000, 'x');
    CHECK(id_of("GET / HTTP/1.1\r\nLast-Event-ID: " + huge + "\r\n\r\n") == huge);
}

TEST_CASE("the query is asked only where it is allowed and only without a header") {
    CHECK(id_of("GET /?lastEventId=7 HTTP/1.1\r\n\r\n") == "");
    CHECK(id_in_query("/?lastEventId=7") == "7");
    CHECK(id_in_query("/?last-event-id=7") == "7");
    CHECK(id_in_query("/?evs_last_event_id=7") == "7");
    CHECK(id_in_query("/?evs_last_event_id=3&lastEventId=1&last-event-id=2") == "1");
    CHECK(id_in_query("/?LASTEVENTID=7") == "");
    CHECK(id_in_query("/?lastEventId=9ix%2E7") == "9ix.7");
    CHECK(id_in_query("/?lastEventId=%zz") == "");
    CHECK(id_in_query("/?lastEventId=7%") == "");
    CHECK(id_in_query("/?lastEventId=") == "");
    CHECK(id_in_query("/") == "");
    CHECK(id_of("GET /?lastEventId=1 HTTP/1.1\r\nLast-Event-ID: 2\r\n\r\n",
                id_source::header_or_query) == "2");
    CHECK(id_of("GET /?lastEventId=1 HTTP/1.1\r\nLast-Event-ID:\r\n\r\n",
                id_source::header_or_query) == "");
    for (const std::string_view broken :
         {"", "GET", "GET ", " ", "  ", "\r\n", "GET /?lastEventId"}) {
        CHECK(id_of(broken, id_source::header_or_query) == "");
    }
}

TEST_CASE("an Accept header allows an event stream or does not") {
    struct accept_case {
        std::string_view accept;
        bool allowed;
    };
    for (const accept_case& one : std::initializer_list<accept_case>{
             {"text/event-stream", true},
             {"Text/Event-Stream", true},
             {"text/*", true},
             {"*/*", true},
             {"", true},
             {" \t", true},
             {"text/html", false},
             {"text/html, application/json", false},
             {"text/html, */*;q=0.1", true},
             {"text/html,text/event-stream", true},
             {" text/event-stream ; charset=utf-8 ", true},
             {"text/event-stream;q=0", false},
             {"text/event-stream; q=0.0", false},
             {"text/event-stream;Q=0.000", false},
             {"text/event-stream;q=0.001", true},
             {"text/event-stream;q=1", true},
             {"text/event-stream;charset=utf-8;q=0", false},
             {"text/event-stream;q=0, */*", false},
             {"*/*, text/event-stream;q=0", false},
             {"*/*;q=0, text/event-stream", true},
             {"text/*;q=0, */*", false},
             {"*/*;q=0", false},
             {"text/event-streams", false},
             {"text/event", false},
             {",,,", false},
             {";", false},
             {",text/event-stream,", true},
             {"application/*", false},
             {"*", false},
         }) {
        CAPTURE(one.accept);
        CHECK(accepts_event_stream(one.accept) == one.allowed);
    }
    static_assert(accepts_event_stream(std::nullopt));
}

TEST_CASE("every refusal of a hub has a status, and one that passes says when") {
    using std::chrono::seconds;
    const auto answer = [](ssekit::errc code) { return ssekit::refusal_of(code).status; };
    const auto wait = [](ssekit::errc code) { return ssekit::refusal_of(code).retry_after; };
    using ssekit::errc;
    for (const errc code : {errc::topic_closed, errc::replay_refused}) {
        CHECK(answer(code) == 204);
        CHECK(wait(code) == seconds(0));
    }
    CHECK(answer(errc::invalid_topic) == 400);
    CHECK(answer(errc::tag_is_full) == 429);
    CHECK(wait(errc::tag_is_full) > seconds(0));
    for (const errc code : {errc::closed, errc::too_many_subscribers, errc::too_many_topics,
                            errc::topic_is_full, errc::out_of_memory}) {
        CHECK(answer(code) == 503);
        CHECK(wait(code) > seconds(0));
    }
    CHECK(answer(errc::invalid_id) == 500);
}
