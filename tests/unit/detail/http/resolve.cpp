// SPDX-License-Identifier: MIT
#include <ssekit/detail/http/resolve.hpp>

#include <doctest/doctest.h>

#include <initializer_list>
#include <string>
#include <string_view>

using ssekit::detail::resolve_url;

namespace {

struct reference {
    std::string_view text;
    std::string_view leads_to;
};

} // namespace

// Spec: RFC 3986, 5.4.1 and 5.4.2, but for "g:h" and fragments; ";" and "=" are letters here.
TEST_CASE("http resolve: the examples of the standard") {
    for (const reference& one : std::initializer_list<reference>{
             {"g", "http://a/b/c/g"},
             {"./g", "http://a/b/c/g"},
             {"g/", "http://a/b/c/g/"},
             {"/g", "http://a/g"},
             {"//g", "http://g/"},
             {"?y", "http://a/b/c/d;p?y"},
             {"g?y", "http://a/b/c/g?y"},
             {"#s", "http://a/b/c/d;p?q"},
             {"g#s", "http://a/b/c/g"},
             {"g?y#s", "http://a/b/c/g?y"},
             {";x", "http://a/b/c/;x"},
             {"g;x", "http://a/b/c/g;x"},
             {"", "http://a/b/c/d;p?q"},
             {".", "http://a/b/c/"},
             {"./", "http://a/b/c/"},
             {"..", "http://a/b/"},
             {"../", "http://a/b/"},
             {"../g", "http://a/b/g"},
             {"../..", "http://a/"},
             {"../../g", "http://a/g"},
             {"../../../../g", "http://a/g"},
             {"/./g", "http://a/g"},
             {"/../g", "http://a/g"},
             {"g.", "http://a/b/c/g."},
             {"..g", "http://a/b/c/..g"},
             {"./g/.", "http://a/b/c/g/"},
             {"g/../h", "http://a/b/c/h"},
             {"g;x=1/../y", "http://a/b/c/y"},
             {"g?y/../x", "http://a/b/c/g?y/../x"},
             {"g#s/../x", "http://a/b/c/g"},
         }) {
        CAPTURE(one.text);
        CHECK(resolve_url("http://a/b/c/d;p?q", one.text) == one.leads_to);
    }
}

TEST_CASE("http resolve: absolute references stand for themselves") {
    for (const reference& one : std::initializer_list<reference>{
             {"HTTPS://B:1/x/../y?z#f", "HTTPS://B:1/y?z"},
             {"http://b", "http://b/"},
             {"http://b?q", "http://b/?q"},
             {"http://u@b/", "http://u@b/"},
             {"//b:1?q", "http://b:1/?q"},
         }) {
        CHECK(resolve_url("http://a/b", one.text) == one.leads_to);
    }
    CHECK(resolve_url("http://a", "b") == "http://a/b");
    CHECK(resolve_url("http://a?q", "") == "http://a/?q");
    CHECK(resolve_url("http://a?q", "?r") == "http://a/?r");
    CHECK(resolve_url("http://a/b?c=/d/", "e") == "http://a/e");
    CHECK(resolve_url("http://a/b", "c?d=http://e") == "http://a/c?d=http://e");
    CHECK(resolve_url("http://a/b", "./c:d") == "http://a/c:d"); // a colon that makes no scheme
    CHECK(resolve_url("http://a/b", "/c:d") == "http://a/c:d");
}

TEST_CASE("http resolve: other schemes are no paths, and what is no URL leads nowhere") {
    for (const std::string_view nowhere : {"data:text/event-stream,data:x",
                                           "javascript:alert(1)",
                                           "javascript:alert(1)://x",
                                           "mailto:a@b",
                                           "file:///etc/passwd",
                                           "ftp://b/",
                                           "about:blank",
                                           "c:d",
                                           "https:b.example/x",
                                           "https:/b.example/x",
                                           "http:",
                                           "http://",
                                           "http:///x",
                                           "//",
                                           "///x",
                                           "http://b:65536/",
                                           "http://b:x/",
                                           "http://x@y@b/",
                                           "\\\\b.example/",
                                           "/\\b.example/",
                                           "a\\..\\b",
                                           "/a b",
                                           "/a\nb",
                                           "/a\tb",
                                           "/a\x7F",
                                           "http://b c/",
                                           "//b\\c/"}) {
        CAPTURE(nowhere);
        CHECK(resolve_url("https://a/b", nowhere) == "");
    }
    CHECK(resolve_url("https://a/b", "/c?d=\\e") == "https://a/c?d=\\e"); // it ends no host there
    CHECK(resolve_url("https://a/b", "/c#d e") == "https://a/c");         // a fragment is not sent
    CHECK(resolve_url("", "/c") == "");
    CHECK(resolve_url("/a", "//b/") == "");
    CHECK(resolve_url("ftp://a/b", "c") == "");
}
