// SPDX-License-Identifier: MIT
//
// The first byte of the input chooses what the rest is: a head, a target, a query, text that is
// percent-encoded, an Origin with a policy, a URL with a reference. Whatever it holds:
// - a head is found at its first blank line and nowhere before, however it was cut;
// - a head is a request exactly when a byte-by-byte reader, below, says so, and its fields are what
// that reader has found; written again from its parts it is the same request;
// - what was accepted holds no byte that could end a line, and views lie inside the head;
// - a bearer token is one of the grammar or none;
// - encoding bytes and decoding them gives the same bytes; decoding fails exactly where a '%'
// stands without two hexadecimal digits;
// - only an origin of the policy's list is allowed, and only a named one with credentials;
// - a reference leads to an http or https URL without spaces, control characters and dot segments,
//   which leads to itself, or nowhere; no other scheme leads anywhere;
// - two URLs have the same origin exactly when they have by the plain reading below.
#include "check.hpp"

#include <ssekit/cors.hpp>
#include <ssekit/detail/http/resolve.hpp>
#include <ssekit/detail/http/url.hpp>
#include <ssekit/http.hpp>
#include <ssekit/http_request.hpp>
#include <ssekit/stream_route.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace {

using namespace ssekit;
using fuzz::check;

/// A copy of exactly this size, so that a sanitizer sees the first byte after it.
class exact {
  public:
    explicit exact(std::string_view text) : bytes_(text.begin(), text.end()) {}
    [[nodiscard]] std::string_view view() const { return {bytes_.data(), bytes_.size()}; }

  private:
    std::vector<char> bytes_;
};

std::string lowered(std::string_view text) {
    std::string out;
    for (const char c : text) out += c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
    return out;
}

bool is_control(char c) {
    const auto byte = static_cast<unsigned char>(c);
    return byte < 32 || byte == 127;
}

/// The grammar of RFC 9112, byte by byte: the lines of a head up to its blank line.
struct plain_reader {
    bool is_good = true;
    std::string method, target, version;
    std::vector<std::pair<std::string, std::string>> fields = {}; // names in lower case

    explicit plain_reader(std::string_view head) { read(head); }

    [[nodiscard]] std::vector<std::string> all(std::string_view name) const {
        std::vector<std::string> out;
        for (const auto& [key, value] : fields) {
            if (key == name) out.push_back(value);
        }
        return out;
    }

  private:
    void read(std::string_view head) {
        enum { method_, target_, version_, line_start, name_, value_, cr, done } state = method_;
        if (head.substr(0, 2) == "\r\n") head.remove_prefix(2);
        bool blank = false;
        for (const char c : head) {
            if (state == done) break;
            if (state == cr) {
                if (c != '\n') return fail();
                state = blank ? done : line_start;
                continue;
            }
            if (state == line_start) {
                if (c == '\r') {
                    blank = true;
                    state = cr;
                    continue;
                }
                fields.emplace_back();
                state = name_;
            }
            if (state == name_) {
                if (c == ':' && !fields.back().first.empty()) {
                    state = value_;
                    continue;
                }
                if (!is_tchar(c)) return fail();
                fields.back().first += lowered({&c, 1});
                continue;
            }
            if (c == '\r' && (state == version_ || state == value_)) {
                state = cr;
                continue;
            }
            if (state == value_) {
                if (is_control(c) && c != '\t') return fail();
                fields.back().second += c;
                continue;
            }
            if (c == ' ') {
                if (state == version_) return fail();
                state = state == method_ ? target_ : version_;
                continue;
            }
            if (is_control(c) || static_cast<unsigned char>(c) > 126) return fail();
            if (state == method_ && !is_tchar(c)) return fail();
            (state == method_ ? method : state == target_ ? target : version) += c;
        }
        if (state != done || method.empty() || target.empty()) return fail();
        for (auto& [name, value] : fields) {
            while (!value.empty() && (value.front() == ' ' || value.front() == '\t')) {
                value.erase(0, 1);
            }
            while (!value.empty() && (value.back() == ' ' || value.back() == '\t')) {
                value.pop_back();
            }
        }
        const bool is_1 = version.size() == 8 && version.substr(0, 7) == "HTTP/1." &&
                          version[7] >= '0' && version[7] <= '9';
        if (!is_1) return fail();
    }

    static bool is_tchar(char c) {
        if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9')) return true;
        return c != '\0' && std::string_view("!#$%&'*+-.^_`|~").find(c) != std::string_view::npos;
    }
    void fail() { is_good = false; }
};

bool lies_in(std::string_view part, std::string_view whole) {
    return part.empty() || (part.data() >= whole.data() &&
                            part.data() + part.size() <= whole.data() + whole.size());
}

void read_head(std::string_view text) {
    const exact copy(text);
    const auto [status, head] = find_head(copy.view());
    if (status == head_status::complete) {
        check(text.substr(0, head.size()) == head, "a head stands in front");
        for (std::size_t size = 0; size < head.size(); ++size) {
            check(find_head(copy.view().substr(0, size)).status == head_status::incomplete,
                  "it is not whole before its last byte");
        }
    }
    const request_view seen = read_request(copy.view());
    const plain_reader plain(text);
    if (seen.method.empty()) {
        check(stream_status(seen) == 400, "what is no request is refused");
        // The reader above knows the grammar; what else is refused has one of these reasons.
        if (!plain.is_good) return;
        const bool has_host = plain.all("host").size() == 1 || plain.version.back() == '0';
        const bool has_body =
            !plain.all("content-length").empty() || !plain.all("transfer-encoding").empty();
        bool is_plain = has_host && !has_body && plain.target.front() == '/' &&
                        plain.method != "CONNECT" && plain.all("host").size() < 2;
        for (const char* const once :
             {"authorization", "origin", "last-event-id", "access-control-request-method"}) {
            is_plain = is_plain && plain.all(once).size() < 2;
        }
        for (const std::string& host : plain.all("host")) {
            is_plain =
                is_plain && host.find_first_not_of("abcdefghijklmnopqrstuvwxyz.") == host.npos;
        }
        check(!is_plain, "a plain request is read");
        return;
    }
    check(plain.is_good, "what keeps to the grammar");
    fuzz::check_same(std::string(seen.method), plain.method, "the method");
    check(plain.all("host").size() == 1 || seen.is_http_1_0, "one Host");
    const std::pair<std::optional<std::string_view>, const char*> once[] = {
        {seen.authorization, "authorization"},
        {seen.origin, "origin"},
        {seen.last_event_id, "last-event-id"},
        {seen.requested_method, "access-control-request-method"}};
    std::string again = plain.method + " " + plain.target + " " + plain.version + "\r\n";
    for (const auto& [value, name] : once) {
        const std::vector<std::string> lines = plain.all(name);
        check(lines.size() < 2, "once each");
        fuzz::check_same(std::string(value.value_or("")), lines.empty() ? "" : lines[0], name);
        check(lies_in(value.value_or(""), copy.view()), "a view of the head");
        again += std::string(name) + ":" + (lines.empty() ? "" : lines[0]) + "\r\n";
    }
    check(lies_in(seen.target, copy.view()) || seen.target == "/", "a view of the head");
    check(plain.target.find(seen.target) != std::string::npos || seen.target == "/",
          "of the target");
    for (const auto& [name, value] : plain.fields) {
        fuzz::check_same(std::string(find_header(copy.view(), name).value_or("?")),
                         plain.all(name)[0], "the first of a name");
    }
    for (const std::string& value : plain.all("accept")) again += "Accept: " + value + "\r\n";
    for (const std::string& value : plain.all("host")) again += "Host: " + value + "\r\n";
    const std::string anew = again + "\r\n";
    const request_view second = read_request(anew);
    check(second.method == seen.method && second.target == seen.target, "read again, the same");
    check(second.accept.has_value() == seen.accept.has_value(), "with the same Accept");
    check(second.last_event_id == seen.last_event_id && second.host == seen.host, "and the rest");
    check(stream_status(second) == stream_status(seen), "and answered alike");
    std::string token;
    const bool has_token =
        bearer_token(seen, token, token_source::header_or_query) == token_status::found;
    check(has_token == !token.empty(), "a token, or none");
    check(token.find_first_of(" \r\n,;\"") == token.npos, "of the grammar");
}

void read_query(std::string_view text) {
    const exact copy(text);
    std::string decoded;
    const bool is_good = percent_decode(copy.view(), decoded);
    bool expected = true;
    for (std::size_t i = 0; i < text.size() && expected; ++i) {
        if (text[i] != '%') continue;
        const std::string_view digits = text.substr(i + 1, 2);
        expected =
            digits.size() == 2 && digits.find_first_not_of("0123456789abcdefABCDEF") == digits.npos;
        i += 2;
    }
    check(is_good == expected, "refused where a digit is missing");
    check(decoded.size() <= text.size(), "it does not grow");
    std::string encoded;
    for (const char c : text) {
        constexpr std::string_view digits = "0123456789aBcDeF";
        const auto byte = static_cast<unsigned char>(c);
        encoded += '%';
        encoded += digits[byte / 16];
        encoded += digits[byte % 16];
    }
    std::string back;
    check(percent_decode(encoded, back) && back == text, "encoded and decoded, the same");
    const std::string target = "/?x&name=" + encoded + "&name=other#name=none";
    check(find_query(target, "name") == std::string_view(encoded), "found in a query");
    const auto found = find_query(copy.view(), "a");
    check(!found || lies_in(*found, copy.view()), "a view of the target");
    check(!found || found->find_first_of("&#") == found->npos, "one parameter");
}

void ask_policy(fuzz::choices& choose) {
    const bool any = choose.flag();
    const bool credentials = choose.flag();
    const bool is_preflight = choose.flag();
    const std::string listed(choose.take(choose.below(24)));
    const bool same = choose.flag();
    const std::string other(choose.rest());
    const std::string& origin = same ? listed : other;
    const std::vector<std::string_view> list =
        any ? std::vector<std::string_view>{"*", listed} : std::vector<std::string_view>{listed};
    request_view request{.origin = origin};
    if (is_preflight) request.method = "OPTIONS", request.requested_method = "GET";
    std::map<std::string, std::string> seen;
    for_each_cors_header({.origins = list, .credentials = credentials}, request,
                         [&](const header& each) {
                             check(seen.emplace(each.name, each.value).second, "each once");
                         });
    const bool is_any = any || listed == "*";
    const bool is_named = origin == listed && origin != "*";
    const auto allowed = seen.find("Access-Control-Allow-Origin");
    check((allowed != seen.end()) == (is_any || is_named), "those in the list");
    if (allowed != seen.end()) {
        fuzz::check_same(allowed->second, is_named ? origin : std::string("*"), "by name, or any");
    }
    check(seen.contains("Access-Control-Allow-Credentials") == (credentials && is_named),
          "credentials for a name alone");
    check(seen.contains("Vary") == (!is_any || credentials), "where the answer differs");
    check(seen.contains("Access-Control-Max-Age") == (is_preflight && (is_any || is_named)),
          "a preflight is answered as one");
}

/// An origin by the plain reading; empty where it is none of http or https.
std::string origin_of(std::string_view url) {
    std::string text = lowered(url.substr(0, url.find_first_of('#')));
    const bool is_https = text.substr(0, 8) == "https://";
    if (!is_https && text.substr(0, 7) != "http://") return "";
    text.erase(0, is_https ? 8 : 7);
    text.resize(std::min(text.size(), text.find_first_of("/?")));
    if (const std::size_t at = text.find('@'); at != text.npos) text.erase(0, at + 1);
    std::string port;
    const bool has_brackets = text.substr(0, 1) == "[";
    const std::size_t end = has_brackets ? text.find(']') : text.find(':');
    if (has_brackets && end == text.npos) return "";
    std::string host = text.substr(0, has_brackets ? end + 1 : end);
    if (host.size() < text.size()) {
        if (text[host.size()] != ':') return "";
        port = text.substr(host.size() + 1);
    }
    if (port.find_first_not_of("0123456789") != port.npos) return "";
    while (port.size() > 1 && port[0] == '0') port.erase(0, 1);
    if (port.size() > 5 || (!port.empty() && std::stoul(port) > 65535)) return "";
    if (port.empty()) port = is_https ? "443" : "80";
    if (host.empty() || host == "[]") return "";
    for (const char c : has_brackets ? host.substr(1, host.size() - 2) : host) {
        if (is_control(c)) return "";
        if (std::string_view(" \"#/<>?@[\\]^`{|}").find(c) != std::string_view::npos) return "";
        const bool is_hexadecimal = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z');
        if (has_brackets && !is_hexadecimal && c != ':' && c != '.') return "";
    }
    return (is_https ? "https " : "http ") + host + " " + port;
}

void follow(std::string_view base, std::string_view reference) {
    const exact from(base);
    const exact to(reference);
    const std::string origin = origin_of(base);
    check(detail::is_http(detail::split_url(from.view())) == !origin.empty(), "http, or not");
    const bool same = !origin.empty() && origin == origin_of(reference);
    check(detail::same_origin(from.view(), to.view()) == same, "the same origin, or not");
    check(detail::same_origin(to.view(), from.view()) == same, "from both sides");
    const std::string url = detail::resolve_url(from.view(), to.view());
    const auto is_odd = [](char c) { return is_control(c) || c == ' ' || c == '\\'; };
    if (url.empty() || std::any_of(base.begin(), base.end(), is_odd)) return;
    check(!origin_of(url).empty(), "an http URL");
    check(std::none_of(url.begin(), url.end(), [](char c) { return is_control(c) || c == ' '; }),
          "without spaces");
    std::string path = url.substr(url.find("://") + 3);
    path.resize(std::min(path.size(), path.find('?')));
    check((path + "/").find("/../") == path.npos && (path + "/").find("/./") == path.npos,
          "no dots");
    fuzz::check_same(detail::resolve_url(url, url), url, "it leads to itself");
    const std::size_t colon = reference.find_first_of(":/?#");
    if (colon != reference.npos && reference[colon] == ':' && colon > 0) {
        const std::string scheme = lowered(reference.substr(0, colon));
        const bool is_scheme =
            scheme[0] >= 'a' && scheme[0] <= 'z' &&
            scheme.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789+-.") == scheme.npos;
        check(!is_scheme || scheme == "http" || scheme == "https", "no other scheme");
        if (is_scheme) check(origin_of(url) == origin_of(reference), "an absolute one stays");
    }
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    fuzz::choices choose(data, size);
    switch (choose.below(256)) {
    case 'q': read_query(choose.rest()); break;
    case 'o': ask_policy(choose); break;
    case 't': {
        const std::string head =
            "GET " + std::string(choose.rest()) + " HTTP/1.1\r\nHost: a\r\n\r\n";
        read_head(head);
        break;
    }
    case 'u': {
        const std::string_view both = choose.rest();
        const std::size_t end = std::min(both.find('\n'), both.size());
        follow(both.substr(0, end), both.substr(std::min(end + 1, both.size())));
        break;
    }
    default: read_head(choose.rest());
    }
    return 0;
}
