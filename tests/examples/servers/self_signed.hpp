// SPDX-License-Identifier: MIT
//
// A key and a certificate for this machine, made anew at each start, so that the TLS examples need
// no files. Clients have no reason to trust it: `curl --insecure`. Needs OpenSSL 3.
#ifndef SSEKIT_EXAMPLES_SERVERS_SELF_SIGNED_HPP
#define SSEKIT_EXAMPLES_SERVERS_SELF_SIGNED_HPP

#include <cstddef>
#include <cstdint>
#include <memory>
#include <stdexcept>
#include <string>

#include <openssl/asn1.h>
#include <openssl/bio.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

namespace news {

/// Frees what OpenSSL has made.
template <auto Free>
struct freed_by {
    template <class T>
    void operator()(T* owned) const noexcept {
        Free(owned);
    }
};

/// Throws std::runtime_error unless it is.
inline void require(bool good) {
    if (!good) throw std::runtime_error("OpenSSL refuses");
}

/// Owns what `made` points to; a null pointer is refused.
template <auto Free, class T>
std::unique_ptr<T, freed_by<Free>> own(T* made) {
    require(made != nullptr);
    return std::unique_ptr<T, freed_by<Free>>(made);
}

/// What `write(BIO*)` writes.
template <class Write>
std::string pem_of(Write&& write) {
    const auto memory = own<&BIO_free_all>(BIO_new(BIO_s_mem()));
    require(write(memory.get()) == 1);
    std::string out(BIO_ctrl_pending(memory.get()), '\0');
    std::size_t got = 0;
    require(BIO_read_ex(memory.get(), out.data(), out.size(), &got) == 1 && got == out.size());
    return out;
}

/// Both as PEM.
struct key_pair {
    std::string certificate;
    std::string key;
};

/// Throws std::runtime_error.
inline key_pair self_signed_certificate() {
    const auto key = own<&EVP_PKEY_free>(EVP_EC_gen("P-256"));
    const auto made = own<&X509_free>(X509_new());
    require(X509_set_version(made.get(), X509_VERSION_3) == 1);
    require(X509_set_pubkey(made.get(), key.get()) == 1);

    // A client that has seen another certificate of this name with the same number would refuse it.
    std::uint64_t number = 0;
    require(RAND_bytes(reinterpret_cast<unsigned char*>(&number), sizeof number) == 1);
    require(ASN1_INTEGER_set_uint64(X509_get_serialNumber(made.get()), number) == 1);
    constexpr long day = 24L * 60 * 60;
    require(X509_gmtime_adj(X509_getm_notBefore(made.get()), -60) != nullptr);
    require(X509_gmtime_adj(X509_getm_notAfter(made.get()), day) != nullptr);

    X509_NAME* const name = X509_get_subject_name(made.get());
    const auto* const host = reinterpret_cast<const unsigned char*>("localhost");
    require(X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, host, -1, -1, 0) == 1);
    require(X509_set_issuer_name(made.get(), name) == 1);
    const auto names = own<&X509_EXTENSION_free>(
        X509V3_EXT_conf_nid(nullptr, nullptr, NID_subject_alt_name, "DNS:localhost,IP:127.0.0.1"));
    require(X509_add_ext(made.get(), names.get(), -1) == 1);
    require(X509_sign(made.get(), key.get(), EVP_sha256()) > 0);

    return {.certificate = pem_of([&](BIO* out) { return PEM_write_bio_X509(out, made.get()); }),
            .key = pem_of([&](BIO* out) {
                return PEM_write_bio_PrivateKey(out, key.get(), nullptr, nullptr, 0, nullptr,
                                                nullptr);
            })};
}

/// A context for servers that show a certificate like that.
inline auto server_context() {
    const key_pair pair = self_signed_certificate();
    const auto read = [](const std::string& pem) {
        return own<&BIO_free_all>(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
    };
    const auto certificate =
        own<&X509_free>(PEM_read_bio_X509(read(pair.certificate).get(), nullptr, nullptr, nullptr));
    const auto key = own<&EVP_PKEY_free>(
        PEM_read_bio_PrivateKey(read(pair.key).get(), nullptr, nullptr, nullptr));
    auto context = own<&SSL_CTX_free>(SSL_CTX_new(TLS_server_method()));
    require(SSL_CTX_set_min_proto_version(context.get(), TLS1_2_VERSION) == 1);
    require(SSL_CTX_use_certificate(context.get(), certificate.get()) == 1);
    require(SSL_CTX_use_PrivateKey(context.get(), key.get()) == 1);
    return context;
}

} // namespace news

#endif
