// SPDX-License-Identifier: MIT
//
// What the adapter for libcurl wants to have of its handles, options and codes.
#ifndef SSEKIT_ADAPTERS_DETAIL_CURL_HANDLE_HPP
#define SSEKIT_ADAPTERS_DETAIL_CURL_HANDLE_HPP

#include <ssekit/version.hpp>

#include <memory>
#include <new>

#include <curl/curl.h>

namespace ssekit::inline SSEKIT_ABI::detail {

template <auto Free>
struct curl_free {
    template <class T>
    void operator()(T* object) const noexcept {
        Free(object);
    }
};

template <class T>
T* curl_made(T* object) {
    if (object == nullptr) throw std::bad_alloc();
    return object;
}

using curl_easy = std::unique_ptr<CURL, curl_free<curl_easy_cleanup>>;

/// Whether a transfer that has ended so has sent nothing of its request. It is for versions of
/// libcurl that do not say when a request begins; what may mean both is not among these.
[[nodiscard]] constexpr bool is_before_request(CURLcode code) noexcept {
    switch (code) {
    case CURLE_URL_MALFORMAT:            // there is no place to connect to
    case CURLE_COULDNT_RESOLVE_PROXY:    // the same
    case CURLE_COULDNT_RESOLVE_HOST:     // the same
    case CURLE_COULDNT_CONNECT:          // no TCP connection
    case CURLE_INTERFACE_FAILED:         // no socket to connect with
    case CURLE_SSL_CONNECT_ERROR:        // the handshake has failed; later it is a send or a recv
    case CURLE_PEER_FAILED_VERIFICATION: // the certificate, before the handshake is done
    case CURLE_SSL_ISSUER_ERROR:         // the same
    case CURLE_SSL_PINNEDPUBKEYNOTMATCH: // the same
    case CURLE_SSL_INVALIDCERTSTATUS:    // the same
    case CURLE_SSL_CERTPROBLEM:          // ours cannot be used, before the handshake begins
    case CURLE_SSL_CIPHER:               // the same, with the list of ciphers
    case CURLE_SSL_CACERT_BADFILE:       // the same, with the certificates that are trusted
    case CURLE_SSL_CRL_BADFILE:          // the same, with those that were revoked
    case CURLE_SSL_ENGINE_NOTFOUND:      // the same, with what keeps the key
    case CURLE_SSL_ENGINE_SETFAILED:
        return true; // the same
    // Not CURLE_UNSUPPORTED_PROTOCOL, which is also an answer without a head; nor the ends of a
    // proxy, which is asked for a page as a server is.
    default: return false;
    }
}

/// Takes from a handle what says who its owner is. What is for a proxy stays, and so do the
/// certificates that are trusted.
inline void drop_credentials(CURL* easy) noexcept {
    // An empty jar begins to collect cookies, and no file ends it.
    (curl_easy_setopt)(easy, CURLOPT_COOKIELIST, "ALL");
    for (const CURLoption each : {
             CURLOPT_USERPWD, CURLOPT_USERNAME, CURLOPT_PASSWORD, CURLOPT_XOAUTH2_BEARER,
                 CURLOPT_COOKIE, CURLOPT_COOKIEJAR, CURLOPT_COOKIEFILE, CURLOPT_NETRC_FILE,
                 CURLOPT_SSLCERT, CURLOPT_SSLKEY, CURLOPT_KEYPASSWD, CURLOPT_TLSAUTH_USERNAME,
                 CURLOPT_TLSAUTH_PASSWORD,
#if LIBCURL_VERSION_NUM >= 0x074700
                 CURLOPT_SSLCERT_BLOB, CURLOPT_SSLKEY_BLOB,
#endif
#if LIBCURL_VERSION_NUM >= 0x074b00
                 CURLOPT_AWS_SIGV4,
#endif
         }) {
        (curl_easy_setopt)(easy, each, static_cast<void*>(nullptr));
    }
    (curl_easy_setopt)(easy, CURLOPT_NETRC, static_cast<long>(CURL_NETRC_IGNORED));
    // Others need no name: they take that of whoever is logged in.
    (curl_easy_setopt)(easy, CURLOPT_HTTPAUTH, static_cast<long>(CURLAUTH_BASIC));
}

} // namespace ssekit::inline SSEKIT_ABI::detail

#endif
