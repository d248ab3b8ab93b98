// SPDX-License-Identifier: MIT
//
// The TLS writer between two ends in memory, whose buffers are as small as a case wants them.
#if defined(SSEKIT_TEST_OPENSSL) // says the build where OpenSSL is linked

#include "examples/servers/self_signed.hpp"
#include "support/text_generator.hpp"

#include <ssekit/adapters/openssl.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/ssl.h>

using ssekit::drain_status;
using ssekit::io_status;
using ssekit::openssl_writer;
using ssekit::write_result;
using support::numbers;
using support::text_generator;

namespace {

/// A server's and a client's end, and what the client has read.
class tls_pair {
  public:
    /// \param room bytes that lie between the ends at most
    explicit tls_pair(std::size_t room = 1 << 20, int version = TLS1_3_VERSION) {
        static const auto server_made = news::server_context();
        static const auto client_made = news::own<&SSL_CTX_free>(SSL_CTX_new(TLS_client_method()));
        server_.reset(SSL_new(server_made.get()));
        client_.reset(SSL_new(client_made.get()));
        BIO* near = nullptr;
        BIO* far = nullptr;
        REQUIRE(BIO_new_bio_pair(&near, room, &far, room) == 1);
        SSL_set_bio(server_.get(), near, near);
        SSL_set_bio(client_.get(), far, far);
        SSL_set_accept_state(server_.get());
        SSL_set_connect_state(client_.get());
        REQUIRE(SSL_set_max_proto_version(client_.get(), version) == 1);
    }

    /// Until the client has sent "hello" and the server has read it.
    void shake_hands() {
        openssl_writer server(this->server());
        std::array<char, 100> bytes;
        std::size_t sent = 0;
        std::size_t size = 0;
        for (int turn = 0; size == 0; ++turn) {
            REQUIRE(turn < 100'000);
            if (sent == 0) SSL_write_ex(client(), "hello", 5, &sent);
            // The server has to get rid of session tickets before it reads.
            if (SSL_is_init_finished(client()) != 0) receive();
            const write_result got = server.read_some(bytes.data(), bytes.size());
            REQUIRE(got.status != io_status::closed);
            size = got.bytes;
        }
        CHECK(std::string_view(bytes.data(), size) == "hello");
    }

    [[nodiscard]] SSL* server() const { return server_.get(); }
    [[nodiscard]] SSL* client() const { return client_.get(); }

    /// The client reads all that has come, each record by itself.
    void receive() {
        std::vector<char> record(SSL3_RT_MAX_PLAIN_LENGTH);
        std::size_t size = 0;
        int done = 0;
        ERR_clear_error();
        while ((done = SSL_read_ex(client(), record.data(), record.size(), &size)) == 1) {
            records.push_back(size);
            received.append(record.data(), size);
        }
        last_error = SSL_get_error(client(), done);
    }

    std::string received;
    std::vector<std::size_t> records; // their sizes
    int last_error = SSL_ERROR_NONE;  // of the client's last read

  private:
    using owned_ssl = std::unique_ptr<SSL, news::freed_by<&SSL_free>>;
    owned_ssl server_;
    owned_ssl client_;
};

} // namespace

TEST_CASE("openssl: a writer gathers many slices into one record") {
    tls_pair ends;
    ends.shake_hands();
    openssl_writer out(ends.server());
    std::vector<std::string> texts;
    std::string all;
    for (int i = 0; i < 32; ++i) all += texts.emplace_back("event " + std::to_string(i) + "\n");
    const std::vector<std::string_view> slices(texts.begin(), texts.end());
    const write_result wrote = out.write_some(slices);
    CHECK(wrote.bytes == all.size());
    CHECK(wrote.status == io_status::ready);
    ends.receive();
    CHECK(ends.received == all);
    CHECK(ends.records == std::vector{all.size()});
}

TEST_CASE("openssl: what is longer than a record leaves in full records") {
    tls_pair ends;
    ends.shake_hands();
    openssl_writer out(ends.server());
    const std::string text = numbers(10'000);
    for (const std::size_t size : {text.size(), std::size_t{20'000}, std::size_t{1'000}}) {
        ends.received.clear();
        ends.records.clear();
        text_generator source{text, size};
        CHECK(ssekit::drain(source, out) == drain_status::done);
        ends.receive();
        CHECK(ends.received == text);
        CHECK(ends.records.size() == text.size() / SSL3_RT_MAX_PLAIN_LENGTH + 1);
    }
}

TEST_CASE("openssl: a client that stalls loses nothing, whatever the sizes") {
    const std::string text = numbers(20'000);
    for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
        for (const std::size_t room : {17U, 1'000U, 20'000U}) {
            for (const std::size_t size : {1U, 100U, 16'383U, 16'384U, 16'385U, 1'000'000U}) {
                CAPTURE(version);
                CAPTURE(room);
                CAPTURE(size);
                tls_pair ends(room, version);
                ends.shake_hands();
                openssl_writer out(ends.server());
                text_generator source{text, size};
                drain_status status{};
                while ((status = ssekit::drain(source, out)) == drain_status::would_block) {
                    REQUIRE(ssekit::drain(source, out) == drain_status::would_block);
                    ends.receive();
                }
                ends.receive();
                CHECK(status == drain_status::done);
                CHECK(ends.received == text);
            }
        }
    }
}

TEST_CASE("openssl: a write that is repeated may have more behind it, and come from elsewhere") {
    tls_pair ends(100);
    ends.shake_hands();
    openssl_writer out(ends.server());
    const std::string first(300, 'a');
    const std::string second(300, 'b');
    const std::array<std::string_view, 2> slices{first, second};
    CHECK(out.write_some(std::span(slices).first(1)).status == io_status::would_block);
    ends.receive();
    const std::string moved = first;
    const std::array<std::string_view, 2> more{moved, second};
    write_result wrote{};
    for (int turn = 0; wrote.bytes == 0; ++turn) {
        REQUIRE(turn < 10);
        ends.receive();
        wrote = out.write_some(more);
        CHECK(wrote.status != io_status::closed);
    }
    ends.receive();
    CHECK(wrote.bytes >= first.size());
    CHECK(ends.records.at(0) == first.size()); // made when there was no more
    CHECK(ends.received == (first + second).substr(0, wrote.bytes));
}

TEST_CASE("openssl: before the handshake a write waits for the client") {
    tls_pair ends;
    openssl_writer out(ends.server());
    const std::array<std::string_view, 1> slices{"early"};
    const write_result wrote = out.write_some(slices);
    CHECK(wrote.bytes == 0);
    CHECK(wrote.status == io_status::would_block);
    ends.shake_hands();
    CHECK(out.write_some(slices).bytes == 5);
    ends.receive();
    CHECK(ends.received == "early");
}

TEST_CASE("openssl: new keys in the middle of a blocked write tear nothing") {
    tls_pair ends(2'000); // a record takes nine turns
    ends.shake_hands();
    openssl_writer out(ends.server());
    const std::string text = numbers(40'000);
    text_generator source{text, 700};
    std::array<char, 100> bytes;
    int updates = 0;
    for (int turn = 0; !source.is_done(); ++turn) {
        REQUIRE(turn < 10'000);
        const drain_status wrote = ssekit::drain(source, out);
        REQUIRE(wrote != drain_status::closed);
        // A second request during the same blocked record is more than OpenSSL 3.0 bears.
        if (turn % 20 == 0) updates += SSL_key_update(ends.client(), SSL_KEY_UPDATE_REQUESTED);
        SSL_do_handshake(ends.client());
        // The answer to new keys may have to wait for the socket to be writable.
        REQUIRE(out.read_some(bytes.data(), bytes.size()).status == io_status::would_block);
        ends.receive();
    }
    ends.receive();
    CHECK(updates > 2);
    CHECK(ends.received == text);
}

TEST_CASE("openssl: an error that somebody left behind is not taken for the writer's") {
    tls_pair ends(100);
    ends.shake_hands();
    openssl_writer out(ends.server());
    const std::string text(1'000, 'x');
    const std::array<std::string_view, 1> slices{text};
    ERR_raise(ERR_LIB_USER, 1);
    CHECK(out.write_some(slices).status == io_status::would_block);
    ERR_raise(ERR_LIB_USER, 1);
    char byte = 0;
    CHECK(out.read_some(&byte, 1).status == io_status::would_block);
    ERR_clear_error();
}

TEST_CASE("openssl: what is not TLS is told as closed") {
    tls_pair ends;
    BIO* const wire = SSL_get_wbio(ends.client());
    const std::string_view request = "GET /events HTTP/1.1\r\n\r\n";
    REQUIRE(BIO_write(wire, request.data(), static_cast<int>(request.size())) > 0);
    openssl_writer out(ends.server());
    char byte = 0;
    const write_result got = out.read_some(&byte, 1);
    CHECK(got.bytes == 0);
    CHECK(got.status == io_status::closed);
    const std::array<std::string_view, 1> slices{"x"};
    CHECK(out.write_some(slices).status == io_status::closed);
}

TEST_CASE("openssl: the end is said, and waits for room") {
    for (const std::size_t room : {17U, 10'000U}) {
        CAPTURE(room);
        tls_pair ends(room);
        ends.shake_hands();
        openssl_writer out(ends.server());
        const std::array<std::string_view, 1> slices{"last"};
        while (out.write_some(slices).bytes == 0) ends.receive();
        io_status said = out.end();
        CHECK((said == io_status::would_block) == (room == 17));
        for (int turn = 0; said == io_status::would_block; ++turn) {
            REQUIRE(turn < 10);
            ends.receive();
            said = out.end();
        }
        CHECK(said == io_status::ready);
        ends.receive();
        CHECK(ends.received == "last");
        CHECK(ends.last_error == SSL_ERROR_ZERO_RETURN);
    }
}

TEST_CASE("openssl: a client that has ended its side in order can still be written to") {
    tls_pair ends;
    ends.shake_hands();
    CHECK(SSL_shutdown(ends.client()) == 0);
    openssl_writer out(ends.server());
    char byte = 0;
    CHECK(out.read_some(&byte, 1).status == io_status::closed);
    const std::array<std::string_view, 1> slices{"last"};
    CHECK(out.write_some(slices).bytes == 4);
    CHECK(out.end() == io_status::ready);
}

#endif
