// SPDX-License-Identifier: MIT
//
// The event source over Beast against a server on the same io_context, which answers with any bytes
// that a case wants, or stays silent at any stage.
#if defined(SSEKIT_TEST_BEAST) // says the build where OpenSSL is linked

// Asio does not know by itself that this compiler has coroutines.
#if defined(__clang__) && !defined(BOOST_ASIO_HAS_CO_AWAIT)
#define BOOST_ASIO_HAS_CO_AWAIT 1
#define BOOST_ASIO_HAS_STD_COROUTINE 1
#endif

#include "examples/servers/self_signed.hpp"
#include "support/letter_decoder.hpp"
#include "support/name_service.hpp"
#include "support/process.hpp"

#include <ssekit/adapters/beast_client.hpp>

#include <doctest/doctest.h>

#include <array>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <exception>
#include <functional>
#include <list>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/address.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/strand.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>

#include <boost/version.hpp>

#if BOOST_VERSION >= 107700
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/experimental/awaitable_operators.hpp>
#endif

namespace {

support::name_service& names = support::names();

namespace asio = boost::asio;
using asio::awaitable;
using asio::use_awaitable;
using asio::ip::tcp;
using boost::system::error_code;
using ssekit::source_end;
using std::chrono::milliseconds;

const std::string chunked = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n"
                            "Transfer-Encoding: chunked\r\n\r\n";
const std::string delimited = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n";
const std::string last_chunk = "0\r\n\r\n";

/// One event in a chunk.
std::string event(std::string_view data) {
    const std::string text = "data: " + std::string(data) + "\n\n";
    std::array<char, 20> size{};
    std::snprintf(size.data(), size.size(), "%zx\r\n", text.size());
    return size.data() + text + "\r\n";
}

struct tls_identity {
    tls_identity() {
        const news::key_pair made = news::self_signed_certificate();
        server.use_certificate_chain(asio::buffer(made.certificate));
        server.use_private_key(asio::buffer(made.key), asio::ssl::context::pem);
        server.set_verify_mode(asio::ssl::verify_peer); // asks for a certificate, and takes any
        server.set_verify_callback([](bool, asio::ssl::verify_context&) { return true; });
        trusting.add_certificate_authority(asio::buffer(made.certificate));
        known.add_certificate_authority(asio::buffer(made.certificate));
        known.use_certificate_chain(asio::buffer(made.certificate));
        known.use_private_key(asio::buffer(made.key), asio::ssl::context::pem);
    }
    asio::ssl::context server{asio::ssl::context::tls_server};
    asio::ssl::context trusting{asio::ssl::context::tls_client};
    asio::ssl::context known{asio::ssl::context::tls_client}; // trusting, and has a certificate
    asio::ssl::context distrusting{asio::ssl::context::tls_client};
};

// ---- the server

enum class then {
    end,  ///< as it should be
    cut,  ///< TLS without a word
    stay, ///< until the client goes
    hang, ///< and do not even read
};

struct answer {
    std::vector<std::string> parts;
    then after = then::end;
};

/// What a server has seen of its clients.
struct journal {
    std::vector<std::string> requests;     // their heads
    std::vector<std::string> server_names; // "": none was sent
    std::vector<bool> certificates;        // whether there was one
};

/// \param pause between two parts
template <class Stream>
awaitable<void> give(Stream& stream, journal& seen, const answer& what, milliseconds pause) {
    std::string request;
    const std::size_t size = co_await asio::async_read_until(stream, asio::dynamic_buffer(request),
                                                             "\r\n\r\n", use_awaitable);
    seen.requests.push_back(request.substr(0, size));
    for (const std::string& part : what.parts) {
        co_await asio::async_write(stream, asio::buffer(part), use_awaitable);
        // The client is on the same io_context, and reads before there is more.
        for (int i = 0; i < 4; ++i) co_await asio::post(stream.get_executor(), use_awaitable);
        if (pause == milliseconds(0)) continue;
        asio::steady_timer timer(stream.get_executor(), pause);
        co_await timer.async_wait(use_awaitable);
    }
    std::array<char, 4096> rest;
    error_code gone;
    while (what.after == then::stay && !gone) {
        co_await stream.async_read_some(asio::buffer(rest), redirect_error(use_awaitable, gone));
    }
    if (what.after != then::hang) co_return;
    asio::steady_timer forever(stream.get_executor(), ssekit::never);
    co_await forever.async_wait(use_awaitable);
}

awaitable<void> serve(tcp::socket socket, journal& seen, answer what, milliseconds pause) {
    socket.set_option(tcp::no_delay(true));
    co_await give(socket, seen, what, pause);
}

awaitable<void> serve_tls(tcp::socket socket, journal& seen, answer what, asio::ssl::context& tls) {
    asio::ssl::stream<tcp::socket> stream(std::move(socket), tls);
    co_await stream.async_handshake(asio::ssl::stream_base::server, use_awaitable);
    const char* const name = SSL_get_servername(stream.native_handle(), TLSEXT_NAMETYPE_host_name);
    seen.server_names.emplace_back(name == nullptr ? "" : name);
    const std::unique_ptr<X509, decltype(&X509_free)> certificate(
        SSL_get1_peer_certificate(stream.native_handle()), &X509_free);
    seen.certificates.push_back(certificate != nullptr);
    co_await give(stream, seen, what, milliseconds(0));
    if (what.after == then::end) co_await stream.async_shutdown(use_awaitable);
}

/// Gives each client the same answer; with an identity, over TLS.
class server {
  public:
    server(const asio::any_io_executor& where, answer what, tls_identity* identity = nullptr,
           const char* address = "127.0.0.1", milliseconds pause = milliseconds(0))
        : acceptor_(where, {asio::ip::make_address(address), 0}), what_(std::move(what)),
          identity_(identity), pause_(pause) {
        co_spawn(where, accept(), asio::detached);
    }

    [[nodiscard]] std::uint16_t port() const { return acceptor_.local_endpoint().port(); }
    [[nodiscard]] std::string url(const std::string& host = "127.0.0.1") const {
        return (identity_ == nullptr ? "http://" : "https://") + host + ":" +
               std::to_string(port()) + "/events";
    }
    journal seen = {};
    int connections = 0;

  private:
    awaitable<void> accept() {
        for (;;) {
            tcp::socket accepted = co_await acceptor_.async_accept(use_awaitable);
            ++connections;
            const auto where = accepted.get_executor();
            auto served = identity_ == nullptr
                              ? serve(std::move(accepted), seen, what_, pause_)
                              : serve_tls(std::move(accepted), seen, what_, identity_->server);
            co_spawn(where, std::move(served), asio::detached);
        }
    }

    tcp::acceptor acceptor_;
    answer what_;
    tls_identity* identity_;
    milliseconds pause_; // over plain TCP
};

/// A port that is listened at, where no connection comes about.
class full_port {
  public:
    explicit full_port(asio::io_context& io) : acceptor_(io, tcp::v4()) {
        acceptor_.bind({asio::ip::address_v4::loopback(), 0});
        acceptor_.listen(0);
        for (int i = 0; i < 4; ++i) { // its queue has room for less
            waiting_.emplace_back(io).async_connect(acceptor_.local_endpoint(), [](error_code) {});
        }
    }
    [[nodiscard]] std::string url() const {
        return "http://127.0.0.1:" + std::to_string(acceptor_.local_endpoint().port()) + "/";
    }

  private:
    tcp::acceptor acceptor_;
    std::list<tcp::socket> waiting_;
};

// ---- the client

/// Comes back at once, but gives up at the second failure in a row.
ssekit::event_source_options impatient() {
    ssekit::event_source_options out;
    out.reconnection_time = out.min_delay = out.max_backoff = milliseconds(1);
    out.max_failures = 1;
    return out;
}

/// Asks once: its end says how the one answer has ended.
ssekit::event_source_options one_post(std::string body = "question") {
    ssekit::event_source_options out;
    out.method = "POST";
    out.body = std::move(body);
    return out;
}

class client {
  public:
    client(const asio::any_io_executor& where, const std::string& url,
           ssekit::event_source_options options, asio::ssl::context* tls = nullptr)
        : source(url, std::move(options)), executor(where) {
        if (tls != nullptr) {
            stream.emplace(where, *tls, source);
        } else {
            stream.emplace(where, source);
        }
    }

    /// \param keep lives as long as the coroutine
    void start(std::shared_ptr<client> keep = {}) {
        const auto at_end = [this, keep](std::exception_ptr thrown) {
            failed = thrown != nullptr;
            ended = true;
            if (on_end) on_end();
        };
#if BOOST_VERSION >= 107700
        co_spawn(executor, read(), asio::bind_cancellation_slot(cancellation.slot(), at_end));
#else
        co_spawn(executor, read(), at_end);
#endif
    }

    ssekit::event_source source;
    asio::any_io_executor executor;
    std::optional<ssekit::beast_event_stream> stream;
    std::vector<std::string> events;
    std::size_t enough = 0; // so many events; then it closes
    bool ended = false;
    bool failed = false;
    std::function<void()> on_end;
    std::function<void(std::string_view)> on_event;
#if BOOST_VERSION >= 107700
    asio::cancellation_signal cancellation;
    bool throws_if_cancelled = true;
#endif

  private:
    awaitable<void> read() {
#if BOOST_VERSION >= 107700
        co_await asio::this_coro::throw_if_cancelled(throws_if_cancelled);
#endif
        while (const ssekit::event_view* const event = co_await stream->next()) {
            events.emplace_back(*event->data);
            if (on_event) on_event(events.back());
            if (events.size() == enough) stream->close();
        }
    }
};

/// Runs until `done()` holds. \returns whether it does.
template <class Condition>
bool run(asio::io_context& io, Condition&& done) {
    const auto deadline = std::chrono::steady_clock::now() + support::patience;
    while (!done()) {
        if (io.run_one_until(deadline) == 0) return done();
    }
    return true;
}

bool run_to_end(asio::io_context& io, client& reader) {
    reader.start();
    return run(io, [&] { return reader.ended; }) && !reader.failed;
}

struct outcome {
    source_end end;
    int status;
    std::vector<std::string> events;
    std::string failure;
    std::string body;
};

/// One client and one answer.
outcome ask(answer what, ssekit::event_source_options options = one_post(),
            tls_identity* identity = nullptr) {
    asio::io_context io;
    server peer(io.get_executor(), std::move(what), identity);
    client reader(io.get_executor(), peer.url(), std::move(options),
                  identity == nullptr ? nullptr : &identity->trusting);
    REQUIRE(run_to_end(io, reader));
    return {reader.source.end(), reader.source.status(), reader.events,
            std::string(reader.source.failure()), std::string(reader.source.answer_body())};
}

std::vector<std::string> bytes_of(const std::string& text) {
    std::vector<std::string> out;
    for (const char c : text) out.emplace_back(1, c);
    return out;
}

// ---- a client that waits

enum class stage { resolve, connect, handshake, head, body, pause };
constexpr stage stages[] = {stage::resolve, stage::connect, stage::handshake,
                            stage::head,    stage::body,    stage::pause};

ssekit::event_source_options patient() {
    ssekit::event_source_options out;
    out.connect_timeout = milliseconds(0);
    out.reconnection_time = std::chrono::hours(1);
    return out;
}

/// Brings a client to where only another's doing would go on. Goes before its io_context does.
class stalled {
  public:
    stalled(asio::io_context& io, stage at, const std::function<void(client&)>& prepare = {})
        : stage_(at), silent_(io, tcp::v4()) {
        names.set_held(at == stage::resolve);
        const asio::any_io_executor where = io.get_executor();
        std::string url = "http://slow.test/";
        if (at == stage::connect) url = full_.emplace(io).url();
        if (at == stage::handshake) { // the system accepts, and nobody reads
            silent_.bind({asio::ip::address_v4::loopback(), 0});
            silent_.listen();
            url = "https://127.0.0.1:" + std::to_string(silent_.local_endpoint().port());
        }
        if (at == stage::head) url = peer_.emplace(where, answer{{}, then::stay}).url();
        if (at == stage::body) {
            url = peer_.emplace(where, answer{{chunked, event("one")}, then::stay}).url();
        }
        if (at == stage::pause) url = "http://127.0.0.1:1/";
        auto owner = std::make_shared<client>(where, url, patient(), &tls_);
        reader = owner.get();
        if (prepare) prepare(*reader);
        reader->start(std::move(owner));
        REQUIRE(run(io, [&] { return is_there(io); }));
    }
    ~stalled() { names.set_held(false); }

    client* reader = nullptr; // belongs to its coroutine

  private:
    bool is_there(asio::io_context& io) {
        switch (stage_) {
        case stage::resolve: return io.poll(), names.until_asked();
        case stage::head: return peer_->seen.requests.size() == 1;
        case stage::body: return reader->events.size() == 1;
        case stage::pause: return reader->source.failures() == 1;
        // Nobody sees it there; what comes too early meets it at the stage before.
        default: return io.run_for(milliseconds(50)), true;
        }
    }

    stage stage_;
    tcp::acceptor silent_;
    asio::ssl::context tls_{asio::ssl::context::tls_client};
    std::optional<full_port> full_;
    std::optional<server> peer_;
};

} // namespace

TEST_CASE("beast: events arrive over TLS, from a name or an address") {
    tls_identity identity;
    for (const std::string host : {"localhost", "127.0.0.1"}) {
        asio::io_context io;
        server peer(io.get_executor(), {{chunked, event("one") + event("two")}, then::stay},
                    &identity);
        client reader(io.get_executor(), peer.url(host), impatient(), &identity.trusting);
        reader.enough = 2;
        REQUIRE(run_to_end(io, reader));
        CHECK(reader.events == std::vector<std::string>{"one", "two"});
        CHECK(reader.source.end() == source_end::closed);
        const std::string named = host == "localhost" ? host : "";
        CHECK(peer.seen.server_names == std::vector<std::string>{named});
    }
}

TEST_CASE("beast: nothing is sent where the certificate is not trusted, or another's") {
    tls_identity identity;
    names.port = 0;
    const auto refuses = [&](const std::string& host, asio::ssl::context& tls) {
        asio::io_context io;
        server peer(io.get_executor(), {{chunked, event("one")}, then::stay}, &identity,
                    host == "127.0.0.2" ? "127.0.0.2" : "127.0.0.1");
        client reader(io.get_executor(), peer.url(host), impatient(), &tls);
        REQUIRE(run_to_end(io, reader));
        CHECK(reader.source.end() == source_end::too_many_failures);
        CHECK(reader.source.status() == 0);
        CHECK(reader.events.empty());
        CHECK(peer.seen.requests.empty());
        CHECK(peer.connections == 2);
    };
    refuses("localhost", identity.distrusting);
    refuses("127.0.0.2", identity.trusting);
    refuses("elsewhere.test", identity.trusting);
    identity.trusting.set_verify_mode(asio::ssl::verify_none);
    refuses("elsewhere.test", identity.trusting);
}

TEST_CASE("beast: https fails without a context") {
    asio::io_context io;
    client reader(io.get_executor(), "https://127.0.0.1:1/", impatient());
    REQUIRE(run_to_end(io, reader));
    CHECK(reader.source.end() == source_end::too_many_failures);
}

TEST_CASE("beast: close() ends next() at once, whatever it waits for") {
    for (const stage each : stages) {
        CAPTURE(static_cast<int>(each));
        asio::io_context io;
        stalled scene(io, each);
        bool ended = false;
        scene.reader->on_end = [&] { ended = true; };
        CHECK_FALSE(scene.reader->ended);
        scene.reader->stream->close();
        CHECK(run(io, [&] { return ended; }));
        if (each != stage::resolve) continue;
        names.set_held(false); // what it finds now, it finds for nobody
        io.run_for(support::patience);
        CHECK(io.stopped());
    }
}

#if BOOST_VERSION >= 107700 // before that a coroutine cannot be cancelled
TEST_CASE("beast: a coroutine that is cancelled ends at once, whatever next() waits for") {
    for (const stage each : stages) {
        for (const bool throws : {true, false}) {
            CAPTURE(static_cast<int>(each));
            CAPTURE(throws);
            asio::io_context io;
            stalled scene(io, each,
                          [throws](client& reader) { reader.throws_if_cancelled = throws; });
            bool ended = false;
            bool failed = false;
            scene.reader->on_end = [&, reader = scene.reader] {
                ended = true;
                failed = reader->failed;
            };
            scene.reader->cancellation.emit(asio::cancellation_type::terminal);
            CHECK(run(io, [&] { return ended; }));
            CHECK(failed);
            if (each == stage::resolve) names.set_held(false);
        }
    }
}

TEST_CASE("beast: in a coroutine that was cancelled before, next() does not begin to wait") {
    asio::io_context io;
    server peer(io.get_executor(), {{chunked}, then::stay});
    client reader(io.get_executor(), peer.url(), patient());
    asio::cancellation_signal signal;
    unsigned aborted = 0;
    bool ended = false;
    const auto read = [&]() -> awaitable<void> {
        co_await asio::this_coro::throw_if_cancelled(false);
        signal.emit(asio::cancellation_type::terminal);
        while (aborted < 10) { // more often than it gets further meanwhile
            try {
                co_await reader.stream->next();
            } catch (const boost::system::system_error& error) {
                if (error.code() == asio::error::operation_aborted) ++aborted;
            }
        }
    };
    co_spawn(io, read(),
             asio::bind_cancellation_slot(
                 signal.slot(), [&](std::exception_ptr thrown) { ended = thrown == nullptr; }));
    CHECK(run(io, [&] { return ended; }));
    CHECK(aborted == 10);
}

TEST_CASE("beast: who waits for an event no longer than a while loses none, nor the connection") {
    using namespace asio::experimental::awaitable_operators;
    asio::io_context io;
    std::vector<std::string> pieces = {chunked};
    for (const char c : event("one") + event("two")) pieces.emplace_back(1, c);
    server peer(io.get_executor(), {pieces, then::stay});
    client reader(io.get_executor(), peer.url(), patient());
    unsigned timeouts = 0;
    bool ended = false;
    const auto read = [&]() -> awaitable<void> {
        while (reader.events.size() != 2 || timeouts < 3) {
            asio::steady_timer timer(co_await asio::this_coro::executor, milliseconds(1));
            const auto got =
                co_await (reader.stream->next() || timer.async_wait(asio::use_awaitable));
            if (got.index() == 1) {
                ++timeouts;
            } else if (const auto* const event = std::get<0>(got)) {
                reader.events.emplace_back(*event->data);
            }
        }
    };
    co_spawn(io, read(), [&](std::exception_ptr thrown) { ended = thrown == nullptr; });
    CHECK(run(io, [&] { return ended; }));
    CHECK(reader.events == std::vector<std::string>{"one", "two"});
    CHECK(timeouts >= 3);
    CHECK(peer.connections == 1);
    CHECK(reader.source.failures() == 0);
    CHECK(reader.source.state() == ssekit::ready_state::open);
}
#endif

TEST_CASE("beast: an io_context may be destroyed while next() waits") {
    for (const stage each : stages) {
        CAPTURE(static_cast<int>(each));
        asio::io_context io;
        const stalled scene(io, each); // what is left shows under AddressSanitizer
    }
}

TEST_CASE("beast: a stream may go before the coroutine does that waits for it") {
    asio::io_context io;
    server peer(io.get_executor(), {{chunked, event("one")}, then::stay});
    client reader(io.get_executor(), peer.url(), patient());
    reader.start();
    CHECK(run(io, [&] { return reader.events.size() == 1; }));
}

TEST_CASE("beast: a look-up that takes too long is a failure, and no more than that") {
    asio::io_context io;
    server peer(io.get_executor(), {{chunked, event("one")}, then::stay});
    ssekit::event_source_options options = impatient();
    options.max_failures = 0;
    options.connect_timeout = milliseconds(100);
    client reader(io.get_executor(), peer.url("slow.test"), options);
    reader.enough = 1;
    names.port = 0;
    names.set_held(true);
    reader.start();
    CHECK(run(io, [&] { return reader.source.failures() == 2; }));
    names.set_held(false);
    CHECK(run(io, [&] { return reader.ended; }));
    CHECK(reader.events == std::vector<std::string>{"one"});
}

TEST_CASE("beast: streams share an io_context") {
    asio::io_context io;
    server quiet(io.get_executor(), {{chunked}, then::stay});
    server busy(io.get_executor(), {{chunked, event("one"), event("two"), last_chunk}});
    client waits(io.get_executor(), quiet.url(), impatient());
    client reads(io.get_executor(), busy.url(), impatient());
    waits.start();
    reads.enough = 10;
    REQUIRE(run_to_end(io, reads));
    CHECK(reads.events.size() == 10);
    CHECK(busy.connections == 5);
    CHECK_FALSE(waits.ended);
    waits.stream->close();
    CHECK(run(io, [&] { return waits.ended; }));
    CHECK(quiet.connections == 1);
}

TEST_CASE("beast: several threads run streams that have a strand each") {
    tls_identity identity;
    asio::io_context io(4);
    const asio::any_io_executor serving = asio::make_strand(io);
    server plain(serving, {{chunked, event("one"), event("two"), last_chunk}});
    server secure(serving, {{chunked, event("one"), event("two"), last_chunk}}, &identity);
    server quiet(serving, {{chunked}, then::stay});
    server* const peers[] = {&plain, &secure, &quiet};
    std::list<client> readers;
    std::vector<client*> waiting;
    std::atomic<int> left = 6;
    for (int i = 0; i < left; ++i) {
        client& made = readers.emplace_back(asio::make_strand(io), peers[i % 3]->url(), impatient(),
                                            &identity.trusting);
        made.enough = 20;
        made.on_end = [&] {
            if (--left == 0) io.stop();
        };
        if (i % 3 == 2) waiting.push_back(&made);
    }
    for (client& each : readers) each.start();
    std::array<std::thread, 4> threads;
    for (std::thread& each : threads) each = std::thread([&] { io.run_for(support::patience); });
    for (client* const each : waiting) { // by any thread, but on the strand
        asio::post(each->executor, [each] { each->stream->close(); });
    }
    for (std::thread& each : threads) each.join();
    CHECK(left == 0);
    for (const client& each : readers) CHECK_FALSE(each.failed);
    for (const client& each : readers) {
        CHECK(each.events.size() == (each.source.url() == quiet.url() ? 0 : 20));
    }
}

TEST_CASE("beast: an answer is complete when HTTP and TLS say so") {
    tls_identity identity;
    const std::string counted = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n"
                                "Content-Length: ";
    struct ending {
        std::string answer;
        then after;
        source_end plain;
        source_end secure;
    };
    const source_end good = source_end::completed;
    const source_end bad = source_end::not_repeated;
    const ending endings[] = {
        {chunked + event("one") + last_chunk, then::end, good, good},
        {chunked + event("one") + last_chunk, then::cut, good, good},
        {chunked + event("one") + "0\r\nTrailer: a\r\n\r\n", then::end, good, good},
        {chunked + event("one"), then::end, bad, bad},
        {chunked + event("one") + "0\r\n", then::cut, bad, bad},
        {chunked + event("one") + "no number\r\n", then::stay, bad, bad},
        {counted + "11\r\n\r\ndata: one\n\n", then::stay, good, good},
        {counted + "12\r\n\r\ndata: one\n\n", then::end, bad, bad},
        {delimited + "data: one\n\n", then::end, good, good},
        {delimited + "data: one\n\n", then::cut, good, bad},
    };
    for (const ending& each : endings) {
        CAPTURE(each.answer);
        const outcome plain = ask({{each.answer}, each.after});
        CHECK(plain.end == each.plain);
        CHECK(plain.events == std::vector<std::string>{"one"});
        const outcome secure = ask({{each.answer}, each.after}, one_post(), &identity);
        CHECK(secure.end == each.secure);
        CHECK(secure.events == std::vector<std::string>{"one"});
    }
    CHECK(ask({{}}).end == bad);
    CHECK(ask({{"HTTP/1.1 200"}}).end == bad);
    CHECK(ask({{"SSH-2.0-server\r\n"}, then::stay}).end == bad);
    CHECK(ask({{"HTTP/1.1 100 Continue\r\n\r\n", "once more\r\n"}, then::stay}).end == bad);
}

TEST_CASE("beast: a body in a coding that was not asked for is no stream") {
    const auto ends = [](const std::string& line) {
        return ask({{"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n" + line + "\r\n\r\n" +
                     event("one") + last_chunk}})
            .end;
    };
    CHECK(ends("Content-Encoding: gzip") == source_end::bad_media_type);
    CHECK(ends("content-encoding: identity, br") == source_end::bad_media_type);
    CHECK(ends("Content-Encoding: identity\r\nContent-Encoding: gzip") ==
          source_end::bad_media_type);
    CHECK(ends("Transfer-Encoding: gzip, chunked") == source_end::bad_media_type);
    CHECK(ends("Transfer-Encoding: gzip") == source_end::bad_media_type);
    CHECK(ends("Content-Encoding: Identity\r\nTransfer-Encoding: Chunked") ==
          source_end::completed);
    CHECK(ends("Content-Encoding:\r\nTransfer-Encoding: identity") == source_end::completed);
}

TEST_CASE("beast: what comes byte by byte is the same") {
    const std::string again = "HTTP/1.1 100 Continue\r\n\r\n"
                              "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n";
    for (const std::string& text : {again + chunked + event("one") + last_chunk,
                                    chunked + last_chunk, delimited + "data: one\n\n"}) {
        for (const answer& each : {answer{{text}}, answer{bytes_of(text)}}) {
            const outcome got = ask(each);
            CHECK(got.end == source_end::completed);
            CHECK(got.status == 200);
            CHECK(got.events.size() == (text == chunked + last_chunk ? 0 : 1));
        }
    }
}

TEST_CASE("beast: heads and what stands between chunks have a limit") {
    const auto with = [](std::size_t size) { return std::string(size, 'x'); };
    const auto head = [&](std::size_t size) {
        std::string out = chunked;
        return out.insert(out.size() - 2, "X-Long: " + with(size) + "\r\n");
    };
    CHECK(ask({{head(50'000) + last_chunk}}).end == source_end::completed);
    CHECK(ask({{head(70'000) + last_chunk}}).end == source_end::not_repeated);
    std::vector<std::string> lines(70, "X-Long: " + with(1000) + "\r\n");
    lines.insert(lines.begin(), "HTTP/1.1 200 OK\r\n");
    CHECK(ask({lines, then::stay}).end == source_end::not_repeated);
    CHECK(ask({{chunked + "1;" + with(70'000)}, then::stay}).end == source_end::not_repeated);
    CHECK(ask({{chunked + "0\r\nX: " + with(70'000)}, then::stay}).end == source_end::not_repeated);
}

TEST_CASE("beast: long events go through, and those over a limit are counted") {
    const std::string longest(1'000'000, 'x');
    const std::string text = event("one") + event(longest) + event("two") + last_chunk;
    CHECK(ask({{chunked + text}}).events == std::vector<std::string>{"one", longest, "two"});

    asio::io_context io;
    server peer(io.get_executor(), {{chunked + text}});
    ssekit::event_source_options options = one_post();
    options.parser.limits.data = 1000;
    client reader(io.get_executor(), peer.url(), options);
    REQUIRE(run_to_end(io, reader));
    CHECK(reader.events == std::vector<std::string>{"one", "two"});
    CHECK(reader.stream->dropped() == 1);
    CHECK(reader.stream->last_error() == ssekit::errc::data_too_long);
}

// ---- what is sent where, and why it fails

TEST_CASE("beast: a request that never left is sent again, whatever it is, and it says why") {
    tls_identity identity;
    names.port = 0;
    const auto fails = [](const std::string& url, asio::ssl::context* tls, milliseconds patience) {
        asio::io_context io;
        ssekit::event_source_options options = impatient();
        options.method = "POST";
        options.connect_timeout = patience;
        client reader(io.get_executor(), url, options, tls);
        REQUIRE(run_to_end(io, reader));
        CHECK(reader.source.end() == source_end::too_many_failures); // so there were two attempts
        return std::string(reader.source.failure());
    };
    const milliseconds forever(0);
    std::string closed = "http://127.0.0.1:";
    {
        asio::io_context io;
        tcp::acceptor once(io, {asio::ip::address_v4::loopback(), 0});
        closed += std::to_string(once.local_endpoint().port());
    }
    CHECK(fails(closed, nullptr, forever) == "Connection refused");
    CHECK(fails("http://nowhere.invalid/", nullptr, forever).starts_with("Host not found"));
    CHECK(fails("https://127.0.0.1:1/", nullptr, forever) != "no connection");

    asio::io_context io;
    server peer(io.get_executor(), {{chunked}, then::stay}, &identity);
    std::thread serving([&] { io.run_for(support::patience); });
    CHECK(fails(peer.url("localhost"), &identity.distrusting, forever)
              .ends_with("self-signed certificate"));
    io.stop();
    serving.join();

    full_port full(io);
    CHECK(fails(full.url(), nullptr, milliseconds(50)) == "no connection in time");
    tcp::acceptor silent(io, {asio::ip::address_v4::loopback(), 0});
    const std::string port = std::to_string(silent.local_endpoint().port());
    CHECK(fails("https://127.0.0.1:" + port, &identity.trusting, milliseconds(50)) ==
          "no connection in time");
}

TEST_CASE("beast: the time to connect is not that of the answer") {
    ssekit::event_source_options options = one_post();
    options.connect_timeout = milliseconds(2000);
    options.answer_timeout = milliseconds(50);
    const outcome silent = ask({{}, then::stay}, options);
    CHECK(silent.end == source_end::not_repeated);
    CHECK(silent.failure == "no answer in time");

    std::vector<std::string> slow(500, "HTTP/1.1 103 Early Hints\r\n\r\n");
    slow.push_back(chunked + event("one") + last_chunk);
    options.connect_timeout = milliseconds(1000);
    options.answer_timeout = support::patience;
    asio::io_context io;
    server peer(io.get_executor(), {slow}, nullptr, "127.0.0.1", milliseconds(3));
    client reader(io.get_executor(), peer.url(), options);
    REQUIRE(run_to_end(io, reader));
    CHECK(reader.source.end() == source_end::completed);
    CHECK(reader.events == std::vector<std::string>{"one"});
}

TEST_CASE("beast: a certificate of the client is not presented where a redirect leads to") {
    tls_identity identity;
    asio::io_context io;
    server there(io.get_executor(), {{chunked + event("one")}, then::stay}, &identity);
    server here(io.get_executor(),
                {{"HTTP/1.1 307 Temporary Redirect\r\nLocation: " + there.url() + "\r\n\r\n"}},
                &identity);
    for (int i = 0; i < 2; ++i) { // it is not lost for the first one
        client reader(io.get_executor(), here.url(), impatient(), &identity.known);
        reader.enough = 1;
        REQUIRE(run_to_end(io, reader));
        CHECK(reader.events == std::vector<std::string>{"one"});
    }
    CHECK(here.seen.certificates == std::vector<bool>{true, true});
    CHECK(there.seen.certificates == std::vector<bool>{false, false});
}

TEST_CASE("beast: a control character in a head is for the source to judge") {
    const auto redirect = [](const std::string& place) {
        return ask({{"HTTP/1.1 302 Found\r\nLocation: " + place + "\r\n\r\n"}}, impatient()).end;
    };
    CHECK(redirect("http://127.0.0.1/\x01") == source_end::bad_redirect);
    CHECK(redirect("http://127.0.0.1/\x7F") == source_end::bad_redirect);
    const std::string odd = "HTTP/1.1 200 O\x01K\r\nX-Odd: a\x02z\r\n";
    for (const bool slow : {false, true}) {
        const std::string text = odd + chunked.substr(17) + event("\x03") + last_chunk;
        const outcome got = ask(slow ? answer{bytes_of(text)} : answer{{text}});
        CHECK(got.end == source_end::completed);
        CHECK(got.events == std::vector<std::string>{"\x03"}); // the body is left as it is
    }
    const std::string nul = std::string("X-Odd: ") + '\0' + "\r\n";
    CHECK(ask({{"HTTP/1.1 200 OK\r\n" + nul + chunked.substr(17)}}).end ==
          source_end::not_repeated);
}

// ---- answers

TEST_CASE("beast: the body of an answer that is no stream is kept") {
    const std::string json = R"({"error":{"message":"no"}})";
    const std::string head = "HTTP/1.1 401 Unauthorized\r\nContent-Type: application/json\r\n";
    const std::string size = "Content-Length: " + std::to_string(json.size()) + "\r\n\r\n";
    for (const answer& each :
         {answer{{head + size + json}, then::stay}, answer{bytes_of(head + "\r\n" + json)}}) {
        const outcome got = ask(each);
        CHECK(got.end == source_end::bad_status);
        CHECK(got.body == json);
    }
    ssekit::event_source_options options = one_post();
    options.max_answer_body = 10;
    CHECK(ask({{head + "\r\n", std::string(1'000'000, 'x')}, then::stay}, options).body ==
          std::string(10, 'x'));
    options.body_timeout = milliseconds(20);
    const outcome late = ask({{head + size + json.substr(0, 5)}, then::stay}, options);
    CHECK(late.body == json.substr(0, 5));
    CHECK(late.failure == "no whole answer in time");
}

TEST_CASE("beast: an event without its blank line is delivered where that was asked for") {
    ssekit::event_source_options options = one_post();
    const answer what = {{chunked, "B\r\ndata: last\n\r\n", last_chunk}};
    CHECK(ask(what, options).events.empty());
    options.deliver_unfinished = true;
    const outcome got = ask(what, options);
    CHECK(got.end == source_end::completed);
    CHECK(got.events == std::vector<std::string>{"last"});
}

TEST_CASE("beast: a coding that was asked for is taken off") {
    support::letter_decoder decoder;
    const auto reads = [&](const std::string& lines, const std::string& body) {
        ssekit::event_source_options options = one_post();
        options.decoder = &decoder;
        options.deliver_unfinished = false;
        return ask(
            {{"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n" + lines + "\r\n" + body}},
            options);
    };
    std::string coded = "data: one\n\n";
    for (char& c : coded) c = static_cast<char>(c + 1);
    CHECK(reads("Content-Encoding: x-next\r\n", coded).events == std::vector<std::string>{"one"});
    CHECK(reads("", "data: one\n\n").events == std::vector<std::string>{"one"});
    const std::string identity = "Content-Encoding: identity\r\n";
    CHECK(reads(identity, "data: one\n\n").events == std::vector<std::string>{"one"});
    for (const std::string& refused :
         {std::string("Content-Encoding: gzip\r\n"), identity + "Content-Encoding: x-next\r\n",
          std::string("Content-Encoding: x-next\r\nContent-Encoding: x-next\r\n"),
          std::string("Content-Encoding: x-next\r\nTransfer-Encoding: x-next\r\n")}) {
        CAPTURE(refused);
        CHECK(reads(refused, coded).end == source_end::bad_media_type);
    }

    asio::io_context io;
    server peer(io.get_executor(), {{chunked + last_chunk}});
    ssekit::event_source_options options = one_post();
    options.decoder = &decoder;
    client reader(io.get_executor(), peer.url(), options);
    REQUIRE(run_to_end(io, reader));
    CHECK(peer.seen.requests[0].find("Accept-Encoding: x-next\r\n") != std::string::npos);
    CHECK(peer.seen.requests[0].find("identity") == std::string::npos);
}

// ---- items

TEST_CASE("beast: a loop over items sees what was dropped, that nothing comes, and the end") {
    asio::io_context io;
    server peer(
        io.get_executor(),
        {{chunked, event("one") + event(std::string(2000, 'x')) + event("two")}, then::stay});
    ssekit::event_source_options options = one_post();
    options.parser.limits.data = 1000;
    client reader(io.get_executor(), peer.url(), options);
    std::vector<std::string> seen;
    const auto read = [&]() -> awaitable<void> {
        for (;;) {
            const auto until = std::chrono::steady_clock::now() + milliseconds(5);
            const ssekit::stream_item item = co_await reader.stream->next_item(until);
            if (item.kind == ssekit::item_kind::event) seen.emplace_back(*item.event->data);
            if (item.kind == ssekit::item_kind::dropped) {
                seen.emplace_back(ssekit::message(item.error));
            }
            if (item.kind == ssekit::item_kind::end) break;
            if (item.kind != ssekit::item_kind::quiet || seen.empty()) continue;
            if (seen.back() == "quiet") reader.stream->close();
            if (seen.size() >= 3) seen.emplace_back("quiet");
        }
        seen.emplace_back("end");
        reader.ended = true;
    };
    co_spawn(io, read(), asio::detached);
    CHECK(run(io, [&] { return reader.ended; }));
    const std::string too_long(ssekit::message(ssekit::errc::data_too_long));
    REQUIRE(seen.size() >= 5);
    CHECK(seen[0] == "one");
    CHECK(seen[1] == too_long);
    CHECK(seen[2] == "two");
    CHECK(seen[3] == "quiet");
    CHECK(seen.back() == "end");
    CHECK(reader.stream->dropped() == 1);
    CHECK(peer.connections == 1);
}

TEST_CASE("beast: to wait until a point in time costs nothing that comes, at any stage") {
    std::string text = "HTTP/1.1 100 Continue\r\n\r\n" + chunked + event("one") + event("two");
    asio::io_context io;
    server peer(io.get_executor(), {bytes_of(text), then::stay}, nullptr, "127.0.0.1",
                milliseconds(1));
    client reader(io.get_executor(), peer.url(), patient());
    unsigned quiet = 0;
    const auto read = [&]() -> awaitable<void> {
        while (reader.events.size() != 2) {
            const auto until = std::chrono::steady_clock::now() + std::chrono::microseconds(500);
            const ssekit::stream_item item = co_await reader.stream->next_item(until);
            if (item.kind == ssekit::item_kind::event)
                reader.events.emplace_back(*item.event->data);
            if (item.kind == ssekit::item_kind::quiet) ++quiet;
        }
        reader.ended = true;
    };
    co_spawn(io, read(), asio::detached);
    CHECK(run(io, [&] { return reader.ended; }));
    CHECK(reader.events == std::vector<std::string>{"one", "two"});
    CHECK(quiet > 0);
    CHECK(peer.connections == 1);
    CHECK(reader.source.failures() == 0);
}

TEST_CASE("beast: another stream over the same source begins with a new connection") {
    asio::io_context io;
    server peer(io.get_executor(), {{chunked, event("one")}, then::stay});
    client reader(io.get_executor(), peer.url(), impatient());
    const auto read = [&]() -> awaitable<void> {
        for (int i = 0; i < 2; ++i) {
            reader.stream.emplace(reader.executor, reader.source);
            const ssekit::event_view* const got = co_await reader.stream->next();
            if (got != nullptr) reader.events.emplace_back(*got->data);
        }
        reader.ended = true;
    };
    co_spawn(io, read(), asio::detached);
    CHECK(run(io, [&] { return reader.ended; }));
    CHECK(reader.events == std::vector<std::string>{"one", "one"});
    CHECK(peer.connections == 2);
}

// ---- time

TEST_CASE("beast: the time of the reader and of the hooks is no silence of the server") {
    ssekit::event_source_options options = patient();
    options.connect_timeout = options.answer_timeout = options.idle_timeout =
        options.event_timeout = milliseconds(1000);
    const auto sleep = [] { std::this_thread::sleep_for(milliseconds(1300)); };
    auto slow_request = [&](ssekit::event_source&) noexcept { return sleep(), true; };
    auto slow_answer = [&](const ssekit::answer_head&) noexcept {
        return sleep(), ssekit::answer_decision();
    };
    auto slow_change = [&](ssekit::event_source&) noexcept { sleep(); };
    options.before_request = slow_request;
    options.on_answer = slow_answer;
    options.on_change = slow_change;
    asio::io_context io;
    const std::string comment = "2\r\n:\n\r\n";
    server peer(io.get_executor(),
                {{chunked, comment, event("one"), comment, event("two")}, then::stay});
    client reader(io.get_executor(), peer.url(), options);
    reader.on_event = [&](std::string_view) { sleep(); };
    reader.enough = 2;
    REQUIRE(run_to_end(io, reader));
    CHECK(reader.events == std::vector<std::string>{"one", "two"});
    CHECK(peer.connections == 1);
    CHECK(reader.source.failures() == 0);
}

TEST_CASE("beast: an answer is read that comes before the request has left") {
    const answer refusal = {{"HTTP/1.1 413 Content Too Large\r\n\r\n"}, then::hang};
    ssekit::event_source_options options = one_post(std::string(20'000'000, 'x'));
    options.body_timeout = milliseconds(1);
    const outcome got = ask(refusal, options);
    CHECK(got.end == source_end::bad_status);
    CHECK(got.status == 413);
}

TEST_CASE("beast: a request says what HTTP/1.1 wants") {
    const auto sent = [](const std::string& url, ssekit::event_source_options options,
                         const answer& what = {{chunked + last_chunk}}) {
        asio::io_context io;
        server peer(io.get_executor(), what);
        names.port = peer.port();
        client reader(io.get_executor(), url, std::move(options));
        REQUIRE(run_to_end(io, reader));
        names.port = 0;
        REQUIRE_FALSE(peer.seen.requests.empty());
        return peer.seen.requests[0];
    };
    const std::string usual = "Connection: close\r\nAccept-Encoding: identity\r\n"
                              "Accept: text/event-stream\r\nCache-Control: no-cache\r\n";
    CHECK(sent("http://web.test", one_post()) ==
          "POST / HTTP/1.1\r\nHost: web.test\r\n" + usual + "Content-Length: 8\r\n\r\n");
    CHECK(sent("http://me:secret@web.test:81?a=b#c", one_post("")) ==
          "POST /?a=b HTTP/1.1\r\nHost: web.test:81\r\n" + usual +
              "Authorization: Basic bWU6c2VjcmV0\r\nContent-Length: 0\r\n\r\n");
    CHECK(sent("HTTP://[2001:db8::1]:80/a/b?", impatient()) ==
          "GET /a/b? HTTP/1.1\r\nHost: [2001:db8::1]\r\n" + usual + "\r\n");

    ssekit::event_source_options own = impatient();
    own.body = "question";
    own.headers = {{"host", "other.test"},       {"Content-Length", "100"},
                   {"Accept-Encoding", "gzip"},  {"transfer-encoding", "chunked"},
                   {"connection", "keep-alive"}, {"X-Empty", ""}};
    CHECK(sent("http://web.test/", own) ==
          "GET / HTTP/1.1\r\nAccept: text/event-stream\r\nCache-Control: no-cache\r\n"
          "host: other.test\r\nAccept-Encoding: gzip\r\nconnection: keep-alive\r\n"
          "X-Empty: \r\nContent-Length: 8\r\n\r\n");

    ssekit::event_source_options head = impatient(); // the answer ends where its body would begin
    head.method = "HEAD";
    CHECK(sent("http://web.test/", head, {{chunked}, then::stay}) ==
          "HEAD / HTTP/1.1\r\nHost: web.test\r\n" + usual + "\r\n");
}

#endif
