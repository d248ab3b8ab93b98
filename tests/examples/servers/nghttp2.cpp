// SPDX-License-Identifier: MIT
//
// Event streams over HTTP/2, many on one connection, from a loop over epoll. Browsers speak HTTP/2
// over TLS only; `curl -N --http2-prior-knowledge` and proxies do without. Needs Linux.
#include "epoll_server.hpp"
#include "news.hpp"

#include <ssekit/adapters/nghttp2.hpp>
#include <ssekit/adapters/posix.hpp>
#include <ssekit/hub.hpp>

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

class connection {
  public:
    using context = const nghttp2_session_callbacks*;

    connection(epoll::descriptor accepted, ssekit::hub& hub, context callbacks)
        : socket_(std::move(accepted)), hub_(hub), session_(make_session(callbacks, this)) {
        const nghttp2_settings_entry most{NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS, max_streams};
        nghttp2_submit_settings(session_.get(), NGHTTP2_FLAG_NONE, &most, 1);
    }

    [[nodiscard]] bool is_gone() const { return gone_; }

    void serve() {
        std::array<std::uint8_t, 16384> bytes;
        ssize_t got = 0;
        while ((got = recv(socket_.get(), bytes.data(), bytes.size(), 0)) > 0 && !gone_) {
            const auto size = static_cast<std::size_t>(got);
            gone_ = nghttp2_session_mem_recv(session_.get(), bytes.data(), size) < 0;
        }
        if (got == 0 || (got < 0 && errno != EAGAIN && errno != EINTR)) gone_ = true;
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

    /// Effects: takes no more requests, and is gone when the last response is.
    void close() {
        const std::int32_t last = nghttp2_session_get_last_proc_stream_id(session_.get());
        nghttp2_submit_goaway(session_.get(), NGHTTP2_FLAG_NONE, last, NGHTTP2_NO_ERROR, nullptr,
                              0);
    }

    static owned_callbacks make_callbacks();

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

    static owned_session make_session(context callbacks, connection* self) {
        nghttp2_session* made = nullptr;
        if (nghttp2_session_server_new(&made, callbacks, self) != 0) throw std::bad_alloc();
        return owned_session(made);
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
        if (with.is_too_long()) return respond(with, {431});
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
    bool blocked_ = false;
    bool gone_ = false;
};

owned_callbacks connection::make_callbacks() {
    nghttp2_session_callbacks* made = nullptr;
    if (nghttp2_session_callbacks_new(&made) != 0) throw std::bad_alloc();
    nghttp2_session_callbacks_set_on_begin_headers_callback(
        made, [](nghttp2_session* session, const nghttp2_frame* frame, void* self) {
            if (frame->headers.cat != NGHTTP2_HCAT_REQUEST) return 0; // trailers
            exchange& added = of(self).exchanges_.emplace_back(of(self), frame->hd.stream_id);
            return nghttp2_session_set_stream_user_data(session, added.id, &added);
        });
    nghttp2_session_callbacks_set_on_header_callback2(
        made, [](nghttp2_session* session, const nghttp2_frame* frame, nghttp2_rcbuf* name,
                 nghttp2_rcbuf* value, std::uint8_t, void*) {
            exchange* const with = find(session, frame->hd.stream_id);
            if (with != nullptr) with->add_field(view(name), view(value));
            return 0;
        });
    nghttp2_session_callbacks_set_on_frame_recv_callback(
        made, [](nghttp2_session* session, const nghttp2_frame* frame, void* self) {
            const bool asks =
                frame->hd.type == NGHTTP2_HEADERS && frame->headers.cat == NGHTTP2_HCAT_REQUEST;
            exchange* const with = asks ? find(session, frame->hd.stream_id) : nullptr;
            if (with != nullptr) of(self).answer(*with);
            return 0;
        });
    nghttp2_session_callbacks_set_on_stream_close_callback(
        made, [](nghttp2_session*, std::int32_t stream, std::uint32_t, void* self) {
            of(self).exchanges_.remove_if([&](const exchange& each) { return each.id == stream; });
            return 0;
        });
    return owned_callbacks(made);
}

} // namespace

int main(int argc, char** argv) {
    const auto callbacks = connection::make_callbacks();
    epoll::server<connection>(news::read_settings(argc, argv), callbacks.get()).run();
}
