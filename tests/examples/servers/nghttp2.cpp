// SPDX-License-Identifier: MIT
//
// Event streams over HTTP/2, many on one connection, from a loop over epoll. Browsers speak HTTP/2
// over TLS only; `curl -N --http2-prior-knowledge` and proxies do without. Needs Linux.
//
// What one client may cost has bounds: a head that grows too long is reset as soon as it does, and a
// connection that brings several is told to calm down; streams may be reset at a rate that a browser
// never comes to, and beyond that the library ends the connection.
#include "epoll_server.hpp"
#include "news.hpp"

#include <ssekit/adapters/nghttp2.hpp>
#include <ssekit/adapters/posix.hpp>
#include <ssekit/hub.hpp>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <list>
#include <memory>
#include <new>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <nghttp2/nghttp2.h>
#include <sys/socket.h>

namespace {

constexpr std::uint32_t max_streams = 100; // of one connection
constexpr std::size_t max_output = 64 << 10;
constexpr int max_long_heads = 3; // of one connection
// Streams that a client may reset: so many at once, and then so many a second. One that resets more
// gets GOAWAY; see CVE-2023-44487.
constexpr std::uint64_t reset_burst = 1000;
constexpr std::uint64_t resets_per_second = 33;

/// A body that is no stream.
struct text {
    std::string all = {};
    std::size_t sent = 0;

    std::size_t prepare(std::span<std::string_view> slices) const noexcept {
        if (is_done()) return 0;
        slices[0] = std::string_view(all).substr(sent);
        return 1;
    }
    void consume(std::size_t bytes) noexcept { sent += bytes; }
    [[nodiscard]] bool is_done() const noexcept { return sent == all.size(); }
    [[nodiscard]] static bool is_abrupt() noexcept { return false; }
};

class connection;

/// A request and its response.
struct exchange {
    exchange(connection& with, std::int32_t stream) : home(with), id(stream) {}

    connection& home;
    std::int32_t id;
    std::string method = {};
    std::string target = {};
    std::string fields = "\r\n"; // as HTTP/1.1 has them, after the request line
    ssekit::nghttp2_source<text> body = {};
    ssekit::nghttp2_source<ssekit::subscription> events = {};

    [[nodiscard]] bool is_too_long() const { return fields.size() > ssekit::request_limits().head; }
    void add_field(std::string_view name, std::string_view value) {
        if (name == ":method") method = value;
        if (name == ":path") target = value;
        if (is_too_long()) return; // a few bytes of HPACK can stand for a great many here
        fields.append(name).append(": ").append(value).append("\r\n");
    }
};

template <auto Delete>
struct deleted_by {
    template <class T>
    void operator()(T* owned) const noexcept {
        Delete(owned);
    }
};
using owned_session = std::unique_ptr<nghttp2_session, deleted_by<&nghttp2_session_del>>;
using owned_callbacks =
    std::unique_ptr<nghttp2_session_callbacks, deleted_by<&nghttp2_session_callbacks_del>>;
using owned_option = std::unique_ptr<nghttp2_option, deleted_by<&nghttp2_option_del>>;

/// What all sessions are made with.
struct session_kind {
    owned_callbacks callbacks;
    owned_option option;
};

class connection {
  public:
    using context = const session_kind*;

    connection(epoll::descriptor accepted, ssekit::hub& hub, context kind)
        : socket_(std::move(accepted)), hub_(hub), session_(make_session(*kind, this)) {
        const auto longest = static_cast<std::uint32_t>(ssekit::request_limits().head);
        const std::array<nghttp2_settings_entry, 2> settings = {
            {{NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS, max_streams},
             {NGHTTP2_SETTINGS_MAX_HEADER_LIST_SIZE, longest}}};
        gone_ = nghttp2_submit_settings(session_.get(), NGHTTP2_FLAG_NONE, settings.data(),
                                        settings.size()) != 0;
    }

    [[nodiscard]] bool is_gone() const { return gone_; }
    /// When it is to be gone, unless it has brought a whole request.
    [[nodiscard]] ssekit::time_point deadline() const { return deadline_; }
    /// There is more to be read, of which nothing will be reported.
    [[nodiscard]] bool has_more() const { return has_more_; }

    void serve() {
        std::array<std::uint8_t, 16384> bytes;
        has_more_ = true;
        for (int reads = 0; reads < epoll::reads_at_a_time && has_more_ && !gone_; ++reads) {
            const ssize_t got = recv(socket_.get(), bytes.data(), bytes.size(), 0);
            has_more_ = got > 0;
            if (got == 0 || (got < 0 && errno != EAGAIN && errno != EINTR)) gone_ = true;
            if (got <= 0) break;
            const auto size = static_cast<std::size_t>(got);
            gone_ = nghttp2_session_mem_recv(session_.get(), bytes.data(), size) < 0;
        }
        blocked_ = false; // or we shall know at once
    }

    /// Effects: sends what the turn has made of all streams.
    void finish_turn() {
        while (!blocked_ && !gone_) {
            collect();
            if (out_.empty()) break;
            const std::string_view all = out_;
            const auto [bytes, status] = ssekit::posix_writer{socket_.get()}.write_some({&all, 1});
            out_.erase(0, bytes);
            blocked_ = status == ssekit::io_status::would_block;
            if (status == ssekit::io_status::closed) gone_ = true;
        }
        const bool over = nghttp2_session_want_read(session_.get()) == 0 &&
                          nghttp2_session_want_write(session_.get()) == 0;
        if (over && out_.empty()) gone_ = true;
    }

    static void resume(void* user) {
        exchange& with = *static_cast<exchange*>(user);
        with.home.resume(with);
    }

    void drop() { gone_ = true; }

    /// Effects: takes no more requests, and is gone when the last response is.
    void close() {
        const std::int32_t last = nghttp2_session_get_last_proc_stream_id(session_.get());
        nghttp2_submit_goaway(session_.get(), NGHTTP2_FLAG_NONE, last, NGHTTP2_NO_ERROR, nullptr,
                              0);
    }

    static session_kind make_kind() { return {make_callbacks(), make_option()}; }

  private:
    // [recipe]
    void begin_stream(exchange& with, const ssekit::request_view& request) {
        auto [stream, refused] =
            hub_.subscribe({.topics = news::topic,
                            .last_event_id = request.last_event_id.value_or(""),
                            .user = &with});
        if (refused != ssekit::errc::ok) {
            return respond(with, news::refused(hub_, request, refused));
        }
        with.events.generator = std::move(stream);
        const nghttp2_data_provider body = with.events.provider();
        submit(with, ssekit::nghttp2_stream_fields(), &body);
    }
    void resume(exchange& with) { // which hub::next_ready has returned
        if (with.events.resume(session_.get(), with.id) != 0) gone_ = true; // out of memory
        const ssekit::stream_end end = with.events.generator.end();
        const bool given_up = end == ssekit::stream_end::stalled || end == ssekit::stream_end::cut;
        if (given_up && blocked_) gone_ = true; // not even a reset could leave
    }
    // [recipe]

    static connection& of(void* self) { return *static_cast<connection*>(self); }
    static exchange* find(nghttp2_session* session, std::int32_t stream) {
        return static_cast<exchange*>(nghttp2_session_get_stream_user_data(session, stream));
    }
    static std::string_view view(nghttp2_rcbuf* text) {
        const auto [bytes, size] = nghttp2_rcbuf_get_buf(text);
        return {reinterpret_cast<const char*>(bytes), size};
    }

    static owned_session make_session(const session_kind& kind, connection* self) {
        nghttp2_session* made = nullptr;
        if (nghttp2_session_server_new2(&made, kind.callbacks.get(), self, kind.option.get()) !=
            0) {
            throw std::bad_alloc();
        }
        return owned_session(made);
    }
    static owned_callbacks make_callbacks();
    static owned_option make_option();

    // What the library calls: no exception can pass through its frames. A connection for which there
    // is no memory ends.
    template <class Function>
    static int without_exceptions(Function&& function) noexcept {
        try {
            return function();
        } catch (const std::bad_alloc&) {
            return NGHTTP2_ERR_CALLBACK_FAILURE;
        }
    }

    int begin_request(std::int32_t stream) {
        exchange& added = exchanges_.emplace_back(*this, stream);
        deadline_ = std::min(deadline_, epoll::clock::now() + epoll::patience);
        return nghttp2_session_set_stream_user_data(session_.get(), stream, &added);
    }
    int add_field(exchange& with, std::string_view name, std::string_view value) {
        with.add_field(name, value);
        if (!with.is_too_long()) return 0;
        // What follows of it is read, because those after it depend on that, and goes nowhere.
        if (++long_heads_ > max_long_heads) {
            nghttp2_session_terminate_session(session_.get(), NGHTTP2_ENHANCE_YOUR_CALM);
        }
        nghttp2_submit_rst_stream(session_.get(), NGHTTP2_FLAG_NONE, with.id,
                                  NGHTTP2_ENHANCE_YOUR_CALM);
        return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
    }
    void end_exchange(std::int32_t stream) {
        exchanges_.remove_if([&](const exchange& each) { return each.id == stream; });
        if (exchanges_.empty()) deadline_ = epoll::clock::now() + epoll::patience;
    }

    void collect() {
        const std::uint8_t* bytes = nullptr;
        ssize_t size = 1;
        while (size > 0 && out_.size() < max_output) {
            size = nghttp2_session_mem_send(session_.get(), &bytes);
            if (size > 0) {
                out_.append(reinterpret_cast<const char*>(bytes), static_cast<std::size_t>(size));
            }
        }
        if (size < 0) gone_ = true;
    }

    void answer(exchange& with) {
        deadline_ = ssekit::never;
        const auto find = [&](std::string_view name) {
            return ssekit::find_header(with.fields, name);
        };
        const ssekit::request_view request = ssekit::read_request(with.method, with.target, find);
        const news::answer what = news::answer_to(hub_, request);
        if (!what.is_stream()) return respond(with, what);
        if (request.method == "HEAD") return submit(with, ssekit::nghttp2_stream_fields(), nullptr);
        begin_stream(with, request);
    }

    void respond(exchange& with, const news::answer& what) {
        const std::string status = std::to_string(what.status);
        std::vector<nghttp2_nv> fields = {ssekit::nghttp2_field({":status", status}),
                                          ssekit::nghttp2_field({"content-type", what.type})};
        for (const auto& [name, value] : what.more) {
            fields.push_back(ssekit::nghttp2_field({name, value}));
        }
        with.body.generator.all = with.method == "HEAD" ? "" : what.body;
        const nghttp2_data_provider body = with.body.provider();
        submit(with, fields, with.body.generator.is_done() ? nullptr : &body);
    }

    void submit(exchange& with, std::span<const nghttp2_nv> fields,
                const nghttp2_data_provider* body) {
        nghttp2_submit_response(session_.get(), with.id, fields.data(), fields.size(), body);
    }

    epoll::descriptor socket_;
    ssekit::hub& hub_;
    std::list<exchange> exchanges_;
    owned_session session_;
    std::string out_ = {}; // frames that the socket has not taken
    ssekit::time_point deadline_ = epoll::clock::now() + epoll::patience;
    int long_heads_ = 0;
    bool has_more_ = false;
    bool blocked_ = false;
    bool gone_ = false;
};

// [resets]
owned_option connection::make_option() {
    nghttp2_option* made = nullptr;
    if (nghttp2_option_new(&made) != 0) throw std::bad_alloc();
    const auto limit = [](auto* option) { // since 1.57, and in Debian's 1.52
        if constexpr (requires { nghttp2_option_set_stream_reset_rate_limit(option, 1, 1); }) {
            nghttp2_option_set_stream_reset_rate_limit(option, reset_burst, resets_per_second);
        }
    };
    limit(made);
    return owned_option(made);
}
// [resets]

owned_callbacks connection::make_callbacks() {
    nghttp2_session_callbacks* made = nullptr;
    if (nghttp2_session_callbacks_new(&made) != 0) throw std::bad_alloc();
    nghttp2_session_callbacks_set_on_begin_headers_callback(
        made, [](nghttp2_session*, const nghttp2_frame* frame, void* self) {
            if (frame->headers.cat != NGHTTP2_HCAT_REQUEST) return 0; // trailers
            return without_exceptions([&] { return of(self).begin_request(frame->hd.stream_id); });
        });
    nghttp2_session_callbacks_set_on_header_callback2(
        made, [](nghttp2_session* session, const nghttp2_frame* frame, nghttp2_rcbuf* name,
                 nghttp2_rcbuf* value, std::uint8_t, void* self) {
            exchange* const with = find(session, frame->hd.stream_id);
            if (with == nullptr) return 0;
            return without_exceptions(
                [&] { return of(self).add_field(*with, view(name), view(value)); });
        });
    nghttp2_session_callbacks_set_on_frame_recv_callback(
        made, [](nghttp2_session* session, const nghttp2_frame* frame, void* self) {
            const bool asks =
                frame->hd.type == NGHTTP2_HEADERS && frame->headers.cat == NGHTTP2_HCAT_REQUEST;
            exchange* const with = asks ? find(session, frame->hd.stream_id) : nullptr;
            if (with == nullptr) return 0;
            return without_exceptions([&] { return of(self).answer(*with), 0; });
        });
    nghttp2_session_callbacks_set_on_stream_close_callback(
        made, [](nghttp2_session*, std::int32_t stream, std::uint32_t, void* self) {
            of(self).end_exchange(stream);
            return 0;
        });
    return owned_callbacks(made);
}

} // namespace

int main(int argc, char** argv) {
    const session_kind kind = connection::make_kind();
    epoll::server<connection>(news::read_settings(argc, argv), &kind).run();
}
