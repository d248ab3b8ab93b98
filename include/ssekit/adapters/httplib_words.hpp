// SPDX-License-Identifier: MIT
//
// What httplib_client.hpp is made of: the requests and answers of an event source in the words of
// cpp-httplib, whose versions differ.
#ifndef SSEKIT_ADAPTERS_HTTPLIB_WORDS_HPP
#define SSEKIT_ADAPTERS_HTTPLIB_WORDS_HPP

#include <ssekit/detail/http/text.hpp>
#include <ssekit/detail/http/url.hpp>
#include <ssekit/event_source_options.hpp>
#include <ssekit/header.hpp>

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include <httplib.h>

namespace ssekit::inline SSEKIT_ABI::detail {

#ifdef CPPHTTPLIB_HEADER_MAX_COUNT
inline constexpr bool httplib_is_old = false;
#else
/// It bounds no heads, and decodes percent signs in the values of headers.
inline constexpr bool httplib_is_old = true;
#endif

// ---- requests

/// \returns the scheme, host and port of a request's URL. Throws std::bad_alloc.
[[nodiscard]] inline std::string httplib_origin(const source_request& wanted) {
    const url_parts url = split_url(wanted.url);
    std::string out(equal_ignoring_case(url.scheme, "https") ? "https://" : "http://");
    return out.append(url.host).append(":").append(port_of(url));
}

/// Throws std::bad_alloc.
[[nodiscard]] inline httplib::Request make_httplib_request(const source_request& wanted) {
    const url_parts url = split_url(wanted.url);
    httplib::Request out;
    out.method = wanted.method;
    out.path.append(url.path.empty() ? "/" : url.path).append(url.query);
    out.body = wanted.body;
    for (const header& each : wanted.headers) {
        out.headers.emplace(std::string(each.name), std::string(each.value));
    }
    if (!out.has_header("Accept-Encoding")) out.headers.emplace("Accept-Encoding", "identity");
    // The library would send what it has for a proxy through the tunnel.
    const bool is_secure = equal_ignoring_case(url.scheme, "https");
    if (wanted.is_abroad && is_secure) out.headers.emplace("Proxy-Authorization", "");
    return out;
}

/// The path is sent as it is; later versions have another word for that.
template <class Client>
void send_path_as_it_is(Client& client) {
    if constexpr (requires { client.set_path_encode(false); }) {
        client.set_path_encode(false);
    } else {
        client.set_url_encode(false);
    }
}

// ---- credentials and TLS

#ifdef CPPHTTPLIB_OPENSSL_SUPPORT
/// \returns nullptr for http. Later versions have another word for it.
template <class Client>
SSL_CTX* tls_context_of(Client& client) {
    if constexpr (requires { client.ssl_context(); }) {
        return client.ssl_context();
    } else {
        return static_cast<SSL_CTX*>(client.tls_context());
    }
}
#endif

/// Effects: takes away what the client has for the origin that it was first meant for.
template <class Client>
void leave_credentials(Client& client) {
    client.set_basic_auth("", "");
    client.set_bearer_token_auth("");
    client.set_default_headers({});
    if constexpr (requires { client.set_digest_auth("", ""); }) client.set_digest_auth("", "");
#ifdef CPPHTTPLIB_OPENSSL_SUPPORT
    SSL_CTX* const context = tls_context_of(client);
    if (context == nullptr) return;
    const auto without_certificate = [](SSL* tls, void*) {
        SSL_certs_clear(tls);
        return 1;
    };
    SSL_CTX_set_client_cert_cb(context, nullptr);
    SSL_CTX_set_cert_cb(context, without_certificate, nullptr);
#endif
}

/// Effects: has `call` called with `context` when TLS has been agreed upon.
/// \returns false where that cannot be seen, because it is http or not OpenSSL.
template <class Client>
bool tell_of_handshake([[maybe_unused]] Client& client, [[maybe_unused]] void* context,
                       [[maybe_unused]] void (*call)(void*) noexcept) {
#ifdef CPPHTTPLIB_OPENSSL_SUPPORT
    struct listener {
        void* context;
        void (*call)(void*) noexcept;
        static int index() noexcept {
            static const int made =
                SSL_CTX_get_ex_new_index(0, nullptr, nullptr, nullptr,
                                         [](void*, void* self, CRYPTO_EX_DATA*, int, long, void*) {
                                             delete static_cast<listener*>(self);
                                         });
            return made;
        }
        static void hear(const SSL* tls, int where, int) noexcept {
            if ((where & SSL_CB_HANDSHAKE_DONE) == 0) return;
            void* const self = SSL_CTX_get_ex_data(SSL_get_SSL_CTX(tls), index());
            const auto& told = *static_cast<listener*>(self);
            told.call(told.context);
        }
    };
    SSL_CTX* const tls = tls_context_of(client);
    if (tls == nullptr) return false;
    auto* const made = new listener{context, call};
    if (SSL_CTX_set_ex_data(tls, listener::index(), made) != 1) {
        delete made;
        return false;
    }
    SSL_CTX_set_info_callback(tls, &listener::hear);
    return true;
#else
    return false;
#endif
}

// ---- answers

/// Finds a header of an answer. Lifetime: as the answer.
class httplib_head {
  public:
    /// \param decodes whether the source takes content codings off
    httplib_head(const httplib::Response& response, bool decodes)
        : headers_(response.headers), is_readable_(can_be_read(decodes)) {
        // Some other program wrote "%20" there.
        if (!httplib_is_old) return;
        place_ = first("Location").value_or(std::string_view());
        for (std::size_t at = 0; (at = place_.find(' ', at)) != place_.npos; at += 3) {
            place_.replace(at, 1, "%20");
        }
    }
    [[nodiscard]] std::optional<std::string_view> operator()(std::string_view name) const {
        // A body in a coding that nobody takes off is no stream, whatever its type says.
        if (!is_readable_ && equal_ignoring_case(name, "Content-Type")) return std::nullopt;
        if (!place_.empty() && equal_ignoring_case(name, "Location")) return place_;
        return first(name);
    }

  private:
    [[nodiscard]] std::optional<std::string_view> first(std::string_view name) const {
        const auto found = headers_.find(std::string(name));
        if (found == headers_.end()) return std::nullopt;
        return found->second;
    }
    [[nodiscard]] bool can_be_read(bool decodes) const {
        const auto transfer = first("Transfer-Encoding").value_or("identity");
        if (!equal_ignoring_case(transfer, "chunked") && !is_none(transfer)) return false;
        std::size_t codings = 0;
        const auto [begin, end] = headers_.equal_range("Content-Encoding");
        for (auto each = begin; each != end; ++each) codings += is_none(each->second) ? 0U : 1U;
        // Of several lines the source would see but one.
        return codings == 0 || (decodes && headers_.count("Content-Encoding") == 1);
    }
    [[nodiscard]] static bool is_none(std::string_view coding) {
        return coding.empty() || equal_ignoring_case(coding, "identity");
    }

    const httplib::Headers& headers_;
    bool is_readable_;
    std::string place_ = {};
};

// ---- failures

/// \returns whether nothing of the request was sent.
/// \param was_connected so far as it was seen
/// \param sees_handshake of https, where not having seen one tells something
template <class Error>
[[nodiscard]] bool was_unsent(Error error, bool was_connected, bool sees_handshake) noexcept {
    // TLS has failed, the peer's certificate included, which is looked at before the request.
    bool is_refused = error == Error::SSLLoadingCerts || error == Error::SSLServerVerification ||
                      error == Error::SSLConnection;
    bool is_away = error == Error::Connection || error == Error::BindIPAddress ||
                   error == Error::ConnectionTimeout;
    if constexpr (requires { Error::SSLServerHostnameVerification; }) {
        is_refused = is_refused || error == Error::SSLServerHostnameVerification;
    }
    if constexpr (requires { Error::ProxyConnection; }) {
        is_away = is_away || error == Error::ProxyConnection;
    }
    return is_refused || (!was_connected && (is_away || sees_handshake));
}

/// \returns what the library says, and what can be known besides. Throws std::bad_alloc.
/// \param had_socket whether it has tried to connect
template <class Client>
[[nodiscard]] std::string explain([[maybe_unused]] const Client& client, httplib::Error error,
                                  bool had_socket) {
    std::string out = httplib::to_string(error);
    if (error == httplib::Error::Connection && !had_socket) out += ": no address was found";
#ifdef CPPHTTPLIB_OPENSSL_SUPPORT
    if constexpr (requires { client.get_openssl_verify_result(); }) {
        if (error == httplib::Error::SSLServerVerification) {
            const long verdict = client.get_openssl_verify_result();
            const bool is_name = verdict == X509_V_OK;
            out.append(": ").append(is_name ? "the certificate is another's"
                                            : X509_verify_cert_error_string(verdict));
        }
    }
#endif
    return out;
}

} // namespace ssekit::inline SSEKIT_ABI::detail

#endif
