// SPDX-License-Identifier: MIT
//
// Event streams from Mongoose, one thread around mg_mgr_poll. `mg_send` only appends to the
// connection's buffer, which has no bound of its own; the poll writes it when the socket takes it,
// and then calls the connection's event handler. A stream installs its own handler on its
// connection. It appends no more than a given room and goes on when some of that has left, so a
// stalled client costs that room, and what else it has not read stays in the hub's log, where the
// lag policy sees it.
//
// Everything happens on the thread of the poll: `mongoose_turn` is called next to mg_mgr_poll and
// lets those streams send that have something. Where events are published on other threads the hub
// is a shared_hub, and its waker, `mongoose_waker`, ends the wait of the poll with mg_wakeup. A
// stream belongs to its connection and dies with it: when the client goes, mg_mgr_free is called,
// the stream has ended and all of it has left, or it has broken off, which closes the connection at
// once. It may outlive the hub, but then nothing tells it to end: close the hub first, and take
// turns until it has no subscriptions.
//
// Written against templates: include "mongoose.h" beside it. Read: 7.22, mongoose.c.
#ifndef SSEKIT_ADAPTERS_MONGOOSE_HPP
#define SSEKIT_ADAPTERS_MONGOOSE_HPP

#include <ssekit/http_request.hpp>
#include <ssekit/hub_options.hpp>
#include <ssekit/stream_answer.hpp>
#include <ssekit/stream_route.hpp>
#include <ssekit/time.hpp>
#include <ssekit/writer.hpp>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>

namespace ssekit::inline SSEKIT_ABI {

namespace detail {

template <class Hub>
using mongoose_subscription =
    decltype(std::declval<Hub&>().subscribe(std::declval<subscribe_options>()).subscription);

} // namespace detail

/// \returns what matters to streams of a mg_http_message. Lifetime: views of `message`.
template <class Message>
[[nodiscard]] request_view mongoose_request(const Message& message) noexcept {
    return read_request({message.head.buf, message.head.len});
}

/// Effects: answers a request, in its MG_EV_HTTP_MSG, with a stream of the hub, from the client's
/// Last-Event-ID on unless `options` brings one; or as stream_answer.hpp has it where there is no
/// stream. From then on the connection's `fn` and `fn_data` are the stream's.
/// \param hub a hub or a shared_hub
/// \param room how many bytes may wait in the connection's buffer
/// \param route what holds for the address; it takes any method, unless it says which
/// \returns the subscription, to welcome the client or to add topics; nullptr when the answer is no
/// stream, or a HEAD. Throws std::bad_alloc.
/// Lifetime: the subscription is the handler's until it returns.
template <class Hub, class Connection, class Message>
detail::mongoose_subscription<Hub>*
mongoose_stream(Hub& hub, Connection& connection, const Message& message,
                const subscribe_options& options, std::size_t room = 16 << 10,
                const stream_route& route = {.allow = ""});

/// Effects: begins a turn of the hub and lets its streams send. Call it after each mg_mgr_poll.
/// \param Connection mg_connection
/// \returns how many milliseconds the next mg_mgr_poll may wait, `longest` at most.
template <class Connection, class Hub>
int mongoose_turn(Hub& hub, time_point now, int longest = 1000) noexcept;

/// \returns a waker for the loop of a shared_hub. Call mg_wakeup_init first.
/// Lifetime: `manager` outlives the hub. Thread safety: the waker may be fired by any thread.
template <class Manager>
[[nodiscard]] waker mongoose_waker(Manager& manager) noexcept {
    // No connection has this id. A ring that does not fit into the pipe is no loss: those in it
    // wake the loop as well. It is sent from the stack, so nothing is allocated.
    return {[](void* of) noexcept { mg_wakeup(static_cast<Manager*>(of), ~0ul, "", 0); }, &manager};
}

// ---- how

namespace detail {

template <class Connection, class Hub>
class mongoose_response {
  public:
    mongoose_response(Connection& connection, std::size_t room) noexcept
        : connection_(connection), room_(room) {}

    errc begin(Hub& hub, subscribe_options options) {
        options.user = this;
        auto [stream, refused] = hub.subscribe(options);
        if (refused != errc::ok) return refused;
        stream_ = std::move(stream);
        connection_.fn_data = this;
        connection_.fn = [](Connection* where, int, void*) { happened(*where); };
        return errc::ok;
    }
    mongoose_subscription<Hub>& stream() noexcept { return stream_; }

    void send() noexcept {
        const drain_status status = drain(stream_, *this);
        waits_ = status == drain_status::would_block || status == drain_status::budget_spent;
        if (status == drain_status::done) connection_.is_draining = 1;
        if (status == drain_status::cut) connection_.is_closing = 1; // at once, whatever is left
    }

    // A writer: what is appended leaves with the next polls. Without memory nothing is appended,
    // and there is another attempt later.
    write_result write_some(std::span<const std::string_view> slices) noexcept {
        std::size_t taken = 0;
        for (const std::string_view slice : slices) {
            const std::size_t left = room_ - std::min<std::size_t>(room_, connection_.send.len);
            const std::string_view part = slice.substr(0, left);
            const bool sent = !part.empty() && mg_send(&connection_, part.data(), part.size());
            if (sent) taken += part.size();
            if (!sent || part.size() < slice.size()) return {taken, io_status::would_block};
        }
        return {taken, io_status::ready};
    }

  private:
    // The numbers of events differ between versions, so this goes by what they have changed. Each
    // poll brings at least one.
    static void happened(Connection& where) noexcept {
        auto* const self = static_cast<mongoose_response*>(where.fn_data);
        if (self == nullptr) return;
        if (where.is_closing) {
            where.fn_data = nullptr;
            delete self;
        } else if (self->waits_ && where.send.len < self->room_) {
            self->send();
        }
    }

    Connection& connection_;
    std::size_t room_;
    bool waits_ = true; // to be sent for the first time, or for room
    mongoose_subscription<Hub> stream_;
};

template <class Connection>
void mongoose_send(Connection& connection, std::string_view bytes) noexcept {
    if (!mg_send(&connection, bytes.data(), bytes.size())) connection.is_closing = 1;
}

} // namespace detail

template <class Hub, class Connection, class Message>
detail::mongoose_subscription<Hub>*
mongoose_stream(Hub& hub, Connection& connection, const Message& message,
                const subscribe_options& options, std::size_t room, const stream_route& route) {
    const request_view asked = mongoose_request(message);
    auto made = std::make_unique<detail::mongoose_response<Connection, Hub>>(connection, room);
    const stream_answer answer =
        answer_request(hub, asked, route, options,
                       [&](const subscribe_options& wanted) { return made->begin(hub, wanted); });
    std::string out;
    answer.append_to(out, route, asked);
    detail::mongoose_send(connection, out);
    if (answer.kind == answer_kind::stream) return &made.release()->stream(); // the connection's
    connection.is_resp = 0; // the next request may come
    return nullptr;
}

template <class Connection, class Hub>
int mongoose_turn(Hub& hub, time_point now, int longest) noexcept {
    hub.tick(now);
    while (void* const ready = hub.next_ready()) {
        static_cast<detail::mongoose_response<Connection, Hub>*>(ready)->send();
    }
    const time_point due = hub.next_deadline();
    if (due <= now) return 0;
    if (due - now >= std::chrono::milliseconds(longest)) return longest;
    return static_cast<int>(std::chrono::ceil<std::chrono::milliseconds>(due - now).count());
}

} // namespace ssekit::inline SSEKIT_ABI

#endif
