// SPDX-License-Identifier: MIT
#include <ssekit/http_request.hpp>
#include <ssekit/stream_route.hpp>

#include <doctest/doctest.h>

#include <cstddef>
#include <initializer_list>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

using namespace std::string_view_literals;
using ssekit::accepts_event_stream;
using ssekit::find_head;
using ssekit::find_header;
using ssekit::find_query;
using ssekit::head_status;
using ssekit::id_source;
using ssekit::percent_decode;
using ssekit::read_request;
using ssekit::request_view;
using ssekit::stream_status;
using ssekit::token_source;
using ssekit::token_status;

namespace {

std::string id_of(std::string_view head, id_source source = id_source::header) {
    std::string out = "before";
    ssekit::last_event_id(read_request(head), out, source);
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

struct token_result {
    token_status status;
    std::string token;

    friend bool operator==(const token_result&, const token_result&) = default;
};

token_result token_of(const request_view& request, token_source source = token_source::header,
                      const ssekit::request_limits& limits = {}) {
    std::string token = "before";
    const token_status status = ssekit::bearer_token(request, token, source, limits);
    return {status, token};
}

token_result authorized(std::string_view value) {
    return token_of({.authorization = value});
}

token_result in_query(std::string_view target) {
    return token_of({.target = target}, token_source::header_or_query);
}

} // namespace

TEST_CASE("a head is found when it is whole, however its bytes come") {
    const std::string head = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";
    const std::string all = head + "body\r\n\r\n";
    for (std::size_t size = 0; size <= all.size(); ++size) {
        const auto [status, found] = find_head(std::string_view(all).substr(0, size));
        CHECK(status == (size < head.size() ? head_status::incomplete : head_status::complete));
        CHECK(found == (size < head.size() ? "" : head));
    }
}

TEST_CASE("a head is bounded") {
    const ssekit::request_limits limits{.head = 20};
    CHECK(find_head(std::string(19, 'x'), limits).status == head_status::incomplete);
    CHECK(find_head(std::string(20, 'x'), limits).status == head_status::too_long);
    CHECK(find_head(std::string(16, 'x') + "\r\n\r\n", limits).status == head_status::complete);
    CHECK(find_head(std::string(17, 'x') + "\r\n\r\n", limits).status == head_status::too_long);
}

TEST_CASE("a request is read from its head") {
    constexpr request_view seen = read_request("POST /a?b=c HTTP/1.1\r\n"
                                               "accept: text/html\r\n"
                                               "LAST-EVENT-ID: 1.2\r\n"
                                               "Authorization: Bearer x\r\n"
                                               "Origin: https://example.org\r\n"
                                               "Host: example.org:80\r\n"
                                               "Access-Control-Request-Method: GET\r\n\r\n");
    CHECK(seen.method == "POST");
    CHECK(seen.target == "/a?b=c");
    CHECK(seen.path() == "/a");
    CHECK(seen.accept == "text/html");
    CHECK(seen.last_event_id == "1.2");
    CHECK(seen.authorization == "Bearer x");
    CHECK(seen.origin == "https://example.org");
    CHECK(seen.requested_method == "GET");
    CHECK(seen.host == "example.org:80");
    CHECK_FALSE(seen.is_http_1_0);
    CHECK(read_request("GET / HTTP/1.0\r\n\r\n").is_http_1_0);
    CHECK(read_request("GET /a#b HTTP/1.0\r\n\r\n").path() == "/a");
}

TEST_CASE("what is no request is refused") {
    for (const std::string_view head :
         {"", "\r\n\r\n", "GET", "GET / HTTP/2\r\n\r\n", "GET  / HTTP/1.1\r\n\r\n",
          "GET / HTTP/1.1 \r\n\r\n", "GET ftp://a/ HTTP/1.1\r\n\r\n", "G(T / HTTP/1.1\r\n\r\n",
          "GET /\x01 HTTP/1.1\r\n\r\n", "GET /\x80 HTTP/1.1\r\n\r\n", " GET / HTTP/1.1\r\n\r\n",
          "GET / HTTP/1.1\n\n"}) {
        CAPTURE(head);
        CHECK(read_request(head).method == "");
        CHECK(stream_status(read_request(head)) == 400);
    }
}

TEST_CASE("what makes a head another request for another reader is no request") {
    const auto status = [](std::string_view lines, std::string_view version = "1.1") {
        const std::string head =
            "GET / HTTP/" + std::string(version) + "\r\n" + std::string(lines) + "\r\n";
        return stream_status(read_request(head));
    };
    CHECK(status("Host: a\r\n") == 200);
    CHECK(status("HOST:a:80 \r\nX: y\r\n") == 200);
    CHECK(status("Host:\r\n") == 200); // it may be empty, but not missing. RFC 9110, 7.2
    CHECK(status("", "1.0") == 200);
    CHECK(status("Host: a\r\n", "1.2") == 200);
    CHECK(status("", "1.2") == 400);
    CHECK(status("Host: a\r\n", "2.0") == 400);
    CHECK(status("Host: a\r\n", "1.10") == 400);
    for (const std::string_view bad :
         {"",                       // no Host
          "Host: a\r\nHost: a\r\n", // two of it
          "Host: a\r\nHost:\r\n",
          "Host: a b\r\n",
          "Host: a, b\r\n",
          "Host: u@a\r\n",
          "Host: http://a\r\n",
          "Host : a\r\n", // a space before the colon
          "Host: a\r\nX\t: y\r\n",
          "Host: a\r\n X: y\r\n", // a line that is folded
          "Host: a\r\nX: y\r\n z\r\n",
          "Host: a\r\nX: y\r\n\tz: z\r\n",
          "Host: a\r\nX\r\n",   // no colon
          "Host: a\r\n: y\r\n", // no name
          "Host: a\r\nX Y: z\r\n",
          "Host: a\r\nX(: z\r\n",
          "Host: a\r\n\xC3\xBC: z\r\n",
          "Host: a\nX: y\r\n", // LF alone
          "Host: a\r\nX: y\nAuthorization: Bearer z\r\n",
          "Host: a\r\nX: y\rAuthorization: Bearer z\r\n",
          "Host: a\r\nX: y\r\r\n",
          "Host: a\r\nX: \x01\r\n",
          "Host: a\r\nX: \x7F\r\n",
          "Host: a\r\nAuthorization: Bearer a\r\nAuthorization: Bearer b\r\n",
          "Host: a\r\nAuthorization: Bearer a\r\nAuthorization:\r\n",
          "Host: a\r\nOrigin: https://a\r\norigin: https://b\r\n",
          "Host: a\r\nLast-Event-ID: 1\r\nLast-Event-ID: 2\r\n",
          "Host: a\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n",
          "Host: a\r\nContent-Length: 5\r\nContent-Length: 6\r\n",
          "Host: a\r\nTransfer-Encoding: gzip\r\n"}) {
        CAPTURE(bad);
        CHECK(status(bad) == 400);
        if (!std::string_view(bad).empty()) CHECK(status(bad, "1.0") == 400);
    }
    CHECK(status("Transfer-Encoding: chunked\r\n", "1.0") == 400);
    CHECK(read_request("GET / HTTP/1.1\r\nHost: a\r\n\r\n").method == "GET");
    CHECK(read_request("GET / HTTP/1.1\r\nHost: a\r\n").method == ""); // its end is missing
    CHECK(read_request("GET / HTTP/1.1\r\nHost: a").method == "");
    CHECK(read_request("GET / HTTP/1.0\r\n").method == "");
    CHECK(read_request("GET / HTTP/1.1\r\nHost: a\r\n\0\r\n\r\n"sv).method == "");
}

TEST_CASE("what was smuggled is not found, and no token is taken of what is no request") {
    std::string token;
    for (const std::string_view head :
         {"GET / HTTP/1.1\r\nHost: a\r\nX: a\nAuthorization: Bearer smuggled\r\n\r\n",
          "GET / HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer first\r\n"
          "Authorization: Bearer second\r\n\r\n"}) {
        CHECK(ssekit::bearer_token(read_request(head), token) == token_status::none);
        CHECK(token == "");
    }
}

TEST_CASE("a target may be absolute, and then its host counts") {
    const request_view seen =
        read_request("GET http://b:8080/a?lastEventId=7 HTTP/1.1\r\nHost: c\r\n\r\n");
    CHECK(stream_status(seen) == 200);
    CHECK(seen.target == "/a?lastEventId=7");
    CHECK(seen.path() == "/a");
    CHECK(seen.host == "b:8080");
    CHECK(find_query(seen.target, "lastEventId") == "7");
    const request_view bare = read_request("GET http://b?x=y HTTP/1.1\r\nHost: b\r\n\r\n");
    CHECK(bare.path() == "/");
    CHECK(find_query(bare.target, "x") == "y");
    CHECK(read_request("GET http://b HTTP/1.1\r\nHost: b\r\n\r\n").path() == "/");
    const auto none = [](std::string_view) { return std::optional<std::string_view>(); };
    CHECK(read_request("GET", "https://b/a?c", none).target == "/a?c");
    CHECK(read_request("GET", "https://b/a?c", none).host == "b");
    CHECK(read_request("GET", "/a b\xC3\xBC", none).path() ==
          "/a b\xC3\xBC"); // decoded by a server
    CHECK(read_request("GET", "a", none).method == "");
}

TEST_CASE("what asks for no resource has no path") {
    const request_view all = read_request("OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n");
    CHECK(stream_status(all) == 204);
    CHECK(all.target == "*");
    CHECK(all.path() == "");
    const request_view tunnel = read_request("CONNECT a:443 HTTP/1.1\r\nHost: a:443\r\n\r\n");
    CHECK(stream_status(tunnel) == 405);
    CHECK(tunnel.target == "a:443");
    for (request_view seen : {all, tunnel}) {
        seen.method = "GET"; // as for POST
        CHECK(stream_status(seen) == 400);
    }
    CHECK(tunnel.path() == "");
    for (const std::string_view bad :
         {"GET * HTTP/1.1\r\nHost: a\r\n\r\n", "GET a:443 HTTP/1.1\r\nHost: a\r\n\r\n",
          "CONNECT / HTTP/1.1\r\nHost: a\r\n\r\n", "CONNECT a HTTP/1.1\r\nHost: a\r\n\r\n"}) {
        CAPTURE(bad);
        CHECK(stream_status(read_request(bad)) == 400);
    }
}

TEST_CASE("one empty line before a request is overlooked") {
    const std::string_view once = "\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\nbody";
    const auto [how, head] = find_head(once);
    CHECK(how == head_status::complete);
    CHECK(head == once.substr(0, once.size() - 4));
    CHECK(stream_status(read_request(head)) == 200);
    CHECK(find_head("\r\n").status == head_status::incomplete);
    CHECK(find_head("\r\nGET").status == head_status::incomplete);
    const std::string_view twice = "\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n";
    CHECK(stream_status(read_request(find_head(twice).head)) == 400);
}

TEST_CASE("a head of bare line feeds is told at once, and refused") {
    for (const std::string_view head :
         {"GET / HTTP/1.1\nHost: a\n\n", "GET / HTTP/1.1\r\nHost: a\n\r\n",
          "GET / HTTP/1.1\r\nHost: a\r\n\n"}) {
        const std::string more = std::string(head) + "GET /other HTTP/1.1\r\nHost: a\r\n\r\n";
        CHECK(find_head(more).status == head_status::complete);
        CHECK(find_head(more).head == head);
        CHECK(read_request(find_head(more).head).method == "");
    }
}

TEST_CASE("Accept counts in all its lines") {
    const auto status = [](std::string_view lines) {
        return stream_status(read_request("GET / HTTP/1.0\r\n" + std::string(lines) + "\r\n"));
    };
    CHECK(status("Accept: application/json\r\nAccept: text/event-stream\r\n") == 200);
    CHECK(status("Accept: text/event-stream\r\nAccept: application/json\r\n") == 200);
    CHECK(status("Accept: */*\r\nX: y\r\naccept: text/event-stream;q=0\r\n") == 406);
    CHECK(status("Accept: text/*;q=0\r\nAccept: */*\r\n") == 406);
    CHECK(status("Accept: text/html\r\nAccept: application/json\r\n") == 406);
    CHECK(status("Accept:\r\nAccept: application/json\r\n") == 406);
    CHECK(status("Accept: application/json\r\nAccept:\r\n") == 406);
    CHECK(status("Accept:\r\nAccept: \t\r\n") == 200);
}

TEST_CASE("a server's own headers will do, whatever their type") {
    const std::map<std::string, std::string, std::less<>> headers = {{"Accept", "text/plain"},
                                                                     {"Origin", ""}};
    const request_view seen =
        read_request("GET", "/x", [&](std::string_view name) -> std::optional<std::string_view> {
            const auto found = headers.find(name);
            if (found == headers.end()) return std::nullopt;
            return found->second;
        });
    CHECK(seen.accept == "text/plain");
    CHECK(seen.origin == std::nullopt);
    CHECK(seen.last_event_id == std::nullopt);
    const request_view none = read_request("GET", "/x", [](std::string_view) { return ""sv; });
    CHECK(none.accept == std::nullopt);
}

TEST_CASE("a bearer token is what the header says") {
    const auto found = [](std::string token) { return token_result{token_status::found, token}; };
    const token_result none{token_status::none, ""};
    const token_result malformed{token_status::malformed, ""};
    CHECK(authorized("Bearer abc-._~+/9==") == found("abc-._~+/9=="));
    CHECK(authorized("bearer  abc ") == found("abc"));
    CHECK(authorized("Basic abc") == none);
    CHECK(authorized("Bearerabc") == none);
    CHECK(token_of({}) == none);
    CHECK(authorized("Bearer") == malformed);
    CHECK(authorized("Bearer ") == malformed);
    CHECK(authorized("Bearer a b") == malformed);
    CHECK(authorized("Bearer a,b") == malformed);
    CHECK(authorized("Bearer =") == malformed);
    CHECK(authorized("Bearer a=b") == malformed);
    CHECK(authorized("Bearer a\nb") == malformed);
    CHECK(token_of({.authorization = "Bearer 12345"}, token_source::header, {.token = 4}) ==
          malformed);
}

TEST_CASE("a token in the query counts only where that was chosen, and only alone") {
    CHECK(token_of({.target = "/?access_token=abc"}).status == token_status::none);
    CHECK(in_query("/?access_token=abc") == token_result{token_status::found, "abc"});
    CHECK(in_query("/?access_token=a%2Bb") == token_result{token_status::found, "a+b"});
    for (const std::string_view bad :
         {"/?access_token=", "/?access_token=%zz", "/?access_token=a%00b", "/?access_token=a+b"}) {
        CHECK(in_query(bad) == token_result{token_status::malformed, ""});
    }
    CHECK(token_of({.target = "/?access_token=abc", .authorization = "Bearer abc"},
                   token_source::header_or_query) == token_result{token_status::malformed, ""});
    for (const std::string_view two :
         {"/?access_token=a&access_token=a",
          "/?access_token=a&x&access_token=", "/?access_token=&access_token=a"}) {
        CHECK(in_query(two) == token_result{token_status::malformed, ""});
    }
    CHECK(token_of({.target = "/?access_token=12345"}, token_source::header_or_query,
                   {.token = 4}) == token_result{token_status::malformed, ""});
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
    CHECK(find_header("GET /\r\na: \xff\r\n\r\n", "a") == "\xff");
    CHECK(find_header("GET /\r\na: \0\r\n\r\n"sv, "a") == std::nullopt);
    CHECK(find_header("GET /\r\na: b\rc\r\n\r\n", "a") == std::nullopt);
    CHECK(find_header("GET /\r\nx: y\na: b\r\n\r\n", "a") == std::nullopt); // smuggled
    CHECK(find_header("GET /\r\nx: y\n\na: b\r\n\r\n", "a") == std::nullopt);
    CHECK(find_header("GET /\r\nx: y\n\r\na: b\r\n\r\n", "a") == "b"); // x is dropped, as a whole
    CHECK(find_header("GET /\na: \t b\r\n\r\n", "a") == "b"); // LF ends each line of this one
    CHECK(find_header("GET /\nb: c\n\r\na: not a header\n", "a") == std::nullopt);
    CHECK(find_header("\r\nGET / HTTP/1.1\r\na: b\r\n\r\n", "a") == "b");
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

TEST_CASE("percent decoding decodes or says that it cannot") {
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
    // The bytes after the end would make it whole, and are not looked at.
    CHECK_FALSE(decoded("%41"sv.substr(0, 2)));
    CHECK_FALSE(decoded("%41"sv.substr(0, 1)));
    CHECK_FALSE(decoded("a%4142"sv.substr(0, 3)));
    for (const std::string_view text : {"%", "%4", "a%4", "%41%", "%41%4"}) {
        const std::vector<char> exact(text.begin(), text.end()); // a sanitizer sees one byte more
        CHECK_FALSE(decoded({exact.data(), exact.size()}));
    }
    const std::vector<char> whole = {'%', '4', '1'};
    CHECK(decoded({whole.data(), whole.size()}) == "A");
    std::string before = "x";
    CHECK_FALSE(percent_decode("ab%zz", before));
    CHECK(before == "xab");
    std::vector<char> other;
    CHECK(percent_decode("%61", other));
    CHECK(other == std::vector<char>{'a'});
}

TEST_CASE("the id of a request is its header's value as it came") {
    CHECK(id_of("GET / HTTP/1.0\r\nLast-Event-ID: 9ix.7\r\n\r\n") == "9ix.7");
    CHECK(id_of("GET / HTTP/1.0\r\nlast-event-id:7\r\n\r\n") == "7");
    CHECK(id_of("GET / HTTP/1.0\r\nLast-Event-ID: %41+\r\n\r\n") == "%41+");
    CHECK(id_of("GET / HTTP/1.0\r\nLast-Event-ID: \xC3\xBC\r\n\r\n") == "\xC3\xBC");
    CHECK(id_of("GET / HTTP/1.0\r\nLast-Event-ID:\r\n\r\n") == "");
    CHECK(id_of("GET / HTTP/1.0\r\n\r\n") == "");
    CHECK(id_of("") == "");
    const std::string huge(10'000'000, 'x');
    CHECK(id_of("GET / HTTP/1.0\r\nLast-Event-ID: " + huge + "\r\n\r\n") == huge);
}

TEST_CASE("the query is asked only where it is allowed and only without a header") {
    CHECK(id_of("GET /?lastEventId=7 HTTP/1.0\r\n\r\n") == "");
    CHECK(id_in_query("/?lastEventId=7") == "7");
    CHECK(id_in_query("/?last-event-id=7") == "7");
    CHECK(id_in_query("/?evs_last_event_id=7") == "7");
    CHECK(id_in_query("/?evs_last_event_id=3&lastEventId=1&last-event-id=2") == "1");
    CHECK(id_in_query("/?LASTEVENTID=7") == "");
    CHECK(id_in_query("/?lastEventId=9ix%2E7") == "9ix.7");
    CHECK(id_in_query("/?lastEventId=%zz") == "%zz");
    CHECK(id_in_query("/?lastEventId=7%") == "7%");
    CHECK(id_in_query("/?lastEventId=") == "");
    CHECK(id_in_query("/") == "");
    CHECK(id_of("GET /?lastEventId=1 HTTP/1.0\r\nLast-Event-ID: 2\r\n\r\n",
                id_source::header_or_query) == "2");
    CHECK(id_of("GET /?lastEventId=1 HTTP/1.0\r\nLast-Event-ID:\r\n\r\n",
                id_source::header_or_query) == "1");
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
