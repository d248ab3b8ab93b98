// SPDX-License-Identifier: MIT
#include <ssekit/adapters/detail/async_drain.hpp>

#include <ssekit/hub.hpp>
#include <ssekit/shared_hub.hpp>

#include "support/allocations.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <deque>
#include <functional>
#include <memory>
#include <numeric>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

using ssekit::drain_status;
using ssekit::time_point;
using std::chrono::seconds;

namespace {

// ---- a library of asynchronous operations, as small as it can be

struct error_code {
    int number = 0;
    explicit operator bool() const { return number != 0; }
    friend bool operator==(const error_code&, const error_code&) = default;
};
constexpr error_code no_error{};
constexpr error_code aborted{1};
constexpr error_code reset{2};
constexpr error_code broken_off{3};

enum class cancellation { none, terminal };

class timer;

struct loop {
    time_point now{};
    std::deque<std::function<void()>> posted = {};
    std::vector<timer*> timers = {};
    cancellation cancelled = cancellation::none; // of all operations

    void run();
};

class timer {
  public:
    explicit timer(loop* home) : home_(home) { home_->timers.push_back(this); }
    timer(const timer&) = delete;
    timer& operator=(const timer&) = delete;
    ~timer() {
        cancel();
        std::erase(home_->timers, this);
    }

    void expires_at(time_point when) {
        cancel();
        when_ = when;
    }
    template <class Handler>
    void async_wait(Handler handler) {
        REQUIRE(!handler_);
        handler_ = std::move(handler);
    }
    void cancel() { end_wait(aborted); }
    void look() {
        if (when_ <= home_->now) end_wait(no_error);
    }
    [[nodiscard]] bool is_waited_for() const { return bool(handler_); }
    [[nodiscard]] loop* get_executor() const { return home_; }

  private:
    void end_wait(error_code how) {
        if (!handler_) return;
        home_->posted.emplace_back(
            [handler = std::exchange(handler_, nullptr), how] { handler(how); });
    }

    loop* home_;
    time_point when_ = ssekit::never;
    std::function<void(error_code)> handler_;
};

void loop::run() {
    for (;;) {
        for (timer* const each : timers) each->look();
        if (posted.empty()) return;
        const auto call = std::move(posted.front());
        posted.pop_front();
        call();
    }
}

template <class Operation, class Handler>
struct composed {
    loop* home;
    Operation operation;
    Handler handler;

    template <class... Results>
    void operator()(Results... results) {
        operation(*this, results...);
    }
    template <class... Results>
    void complete(Results... results) {
        handler(results...);
    }
    [[nodiscard]] cancellation cancelled() const { return home->cancelled; }
};

struct net {
    using error_code = ::error_code;
    using const_buffer = std::string_view;
    using executor = loop*;
    using timer = ::timer;

    static error_code aborted() { return ::aborted; }
    static error_code cut() { return broken_off; }
    template <class Handler>
    static void post(Handler handler) {
        loop* const home = handler.home;
        home->posted.emplace_back(std::move(handler));
    }
    template <class Token, class Signature, class Operation, class Object>
    static void compose(Operation operation, Token& token, Object& object) {
        composed<Operation, std::decay_t<Token>> started{object.get_executor(), operation, token};
        started();
    }
};

/// Takes `most` bytes of each write; or keeps it under way until `finish`, where it is stuck.
class stream {
  public:
    explicit stream(loop& home) : home_(&home) {}

    template <class Buffers, class Handler>
    void async_write_some(const Buffers& buffers, Handler handler) {
        REQUIRE(!handler_);
        under_way_.assign(buffers.begin(), buffers.end());
        slices.push_back(under_way_.size());
        bytes.push_back(std::accumulate(
            under_way_.begin(), under_way_.end(), std::size_t{0},
            [](std::size_t sum, std::string_view each) { return sum + each.size(); }));
        handler_ = std::move(handler);
        if (!open) {
            finish(0, aborted);
        } else if (!stuck) {
            finish(most);
        }
    }
    /// The bytes are read only now: until then they have to stay where they are.
    void finish(std::size_t taken, error_code how = no_error) {
        std::size_t left = std::min(taken, bytes.back());
        taken = left;
        for (const std::string_view each : under_way_) {
            got += each.substr(0, left);
            left -= std::min(left, each.size());
        }
        home_->posted.emplace_back(
            [handler = std::exchange(handler_, nullptr), how, taken] { handler(how, taken); });
    }
    void close(error_code& failed) {
        failed = no_error;
        open = false;
        if (handler_) finish(0, aborted);
    }
    [[nodiscard]] bool writes() const { return bool(handler_); }
    [[nodiscard]] loop* get_executor() const { return home_; }

    std::size_t most = static_cast<std::size_t>(-1);
    bool stuck = false;
    bool open = true;
    std::string got = {};
    std::vector<std::size_t> slices = {}; // of each write
    std::vector<std::size_t> bytes = {};

  private:
    loop* home_;
    std::vector<std::string_view> under_way_;
    std::function<void(error_code, std::size_t)> handler_;
};

/// As TLS is one.
struct layer {
    explicit layer(loop& home) : below(home) {}

    template <class Buffers, class Handler>
    void async_write_some(const Buffers& buffers, Handler handler) {
        below.async_write_some(buffers, std::move(handler));
    }
    stream& next_layer() { return below; }
    [[nodiscard]] loop* get_executor() const { return below.get_executor(); }

    stream below;
};

/// Whose `close` has no error to tell.
struct confident_stream : stream {
    using stream::stream;
    void close() {
        error_code ignored;
        stream::close(ignored);
    }
};

using bell = ssekit::detail::async_bell<net>;

struct drained {
    error_code failed;
    drain_status status;
    friend bool operator==(const drained&, const drained&) = default;
};

template <class Stream, class Generator>
void drain(Stream& out, Generator& from, std::optional<drained>& result) {
    const auto handler = [&](error_code failed, drain_status status) {
        REQUIRE(!result);
        result = drained{failed, status};
    };
    using operation = ssekit::detail::drain_operation<net, Stream, Generator>;
    net::compose<decltype(handler), void(error_code, drain_status)>(operation(out, from), handler,
                                                                    out);
}

template <class Stream, class Generator>
void serve(Stream& out, Generator& from, bell& by, std::optional<error_code>& result) {
    const auto handler = [&](error_code failed) {
        REQUIRE(!result);
        result = failed;
    };
    using operation = ssekit::detail::serve_operation<net, Stream, Generator>;
    net::compose<decltype(handler), void(error_code)>(operation(out, from, by), handler, out);
}

void wait(bell& by, time_point deadline, std::optional<error_code>& result) {
    by.async_wait_until(deadline, [&](error_code failed) {
        REQUIRE(!result);
        result = failed;
    });
}

// ---- a hub and one client

ssekit::subscription subscribe(ssekit::hub& hub, ssekit::waker wake = {}) {
    auto [made, refused] = hub.subscribe({.topics = "news"}, wake);
    REQUIRE(refused == ssekit::errc::ok);
    return std::move(made);
}

void publish(ssekit::hub& hub, std::string_view data) {
    REQUIRE(hub.publish("news", {.data = data}).ec == ssekit::errc::ok);
}

const std::string opening = "id: 1.0\n\n";
std::string block(int number, const std::string& data) {
    return "id: 1." + std::to_string(number) + "\ndata: " + data + "\n\n";
}

} // namespace

TEST_CASE("async_drain: the same bytes leave however many a stream takes at a time") {
    const std::string everything = opening + block(1, "one") + block(2, "two") + block(3, "three");
    for (std::size_t most = 1; most <= everything.size() + 1; ++most) {
        CAPTURE(most);
        ssekit::hub hub(1, {}, {});
        loop io;
        stream out(io);
        out.most = most;
        ssekit::subscription events = subscribe(hub);
        for (const char* const data : {"one", "two", "three"}) publish(hub, data);
        std::optional<drained> result;
        drain(out, events, result);
        CHECK(!result); // nobody is called back by the call that starts an operation
        io.run();
        CHECK(result == drained{no_error, drain_status::idle});
        CHECK(out.got == everything);
        CHECK(out.bytes.size() == (everything.size() + most - 1) / most);

        CHECK(hub.close() == ssekit::errc::ok);
        result.reset();
        drain(out, events, result);
        CHECK(!result);
        io.run();
        CHECK(result == drained{no_error, drain_status::done});
        CHECK(out.got == everything);
    }
}

TEST_CASE("async_drain: idle is true when the handler is called") {
    ssekit::hub hub(1, {}, {});
    loop io;
    stream out(io);
    ssekit::subscription events = subscribe(hub);
    std::optional<drained> result;
    drain(out, events, result);
    io.run();
    result.reset();
    drain(out, events, result); // finds nothing
    publish(hub, "late");
    io.run();
    CHECK(result == drained{no_error, drain_status::idle});
    CHECK(out.got == opening + block(1, "late"));
}

TEST_CASE("async_drain: bytes that left before an error are consumed first") {
    ssekit::hub hub(1, {}, {});
    loop io;
    stream out(io);
    out.stuck = true;
    ssekit::subscription events = subscribe(hub);
    std::optional<drained> result;
    drain(out, events, result);
    out.finish(4, reset);
    io.run();
    CHECK(result == drained{reset, drain_status::closed});
    CHECK(hub.metrics().bytes == 4);
}

TEST_CASE("async_drain: it can be cancelled between two writes") {
    ssekit::hub hub(1, {}, {});
    loop io;
    stream out(io);
    out.stuck = true;
    ssekit::subscription events = subscribe(hub);
    std::optional<drained> result;
    drain(out, events, result);
    out.finish(4);
    io.cancelled = cancellation::terminal;
    io.run();
    CHECK(result == drained{aborted, drain_status::closed});
    CHECK(out.bytes.size() == 1);
}

TEST_CASE("async_drain: a write is bounded, and other streams get their turns in between") {
    ssekit::hub hub(1, {}, {.keep = {.events = 1024, .bytes = 64 << 20}});
    loop io;
    stream first(io);
    stream second(io);
    ssekit::subscription to_first = subscribe(hub);
    ssekit::subscription to_second = subscribe(hub);
    const std::string large(100'000, 'x');
    for (int i = 0; i < 20; ++i) publish(hub, large);
    for (int i = 0; i < 100; ++i) publish(hub, "small");
    std::optional<drained> result;
    std::optional<drained> other;
    drain(first, to_first, result);
    drain(second, to_second, other);
    while (!result) {
        CHECK(first.bytes.size() - second.bytes.size() <= 1);
        const auto call = std::move(io.posted.front());
        io.posted.pop_front();
        call();
    }
    io.run();
    CHECK(first.got == second.got);
    CHECK(*std::max_element(first.bytes.begin(), first.bytes.end()) ==
          ssekit::default_drain_budget);
    CHECK(*std::max_element(first.slices.begin(), first.slices.end()) == ssekit::drain_slices);
}

TEST_CASE("async_drain: what is under way stays, what is not stays in the log, and lags there") {
    ssekit::hub hub(1, {}, {.keep = {.events = 4, .burst = {.within = seconds(0)}}});
    loop io;
    stream out(io);
    out.stuck = true;
    ssekit::subscription events = subscribe(hub);
    std::optional<drained> result;
    drain(out, events, result);
    for (int i = 0; i < 100; ++i) publish(hub, "more than the log keeps");
    out.stuck = false;
    out.finish(3);
    io.run();
    CHECK(result == drained{broken_off, drain_status::cut});
    CHECK(events.end() == ssekit::stream_end::lagged);
    CHECK(out.got == opening);
}

TEST_CASE("async_drain: what has broken off in the middle of an event is told as cut") {
    ssekit::hub hub(1, {}, {});
    loop io;
    stream out(io);
    out.most = 20;
    ssekit::subscription events = subscribe(hub);
    publish(hub, std::string(1000, 'x'));
    std::optional<drained> result;
    drain(out, events, result);
    for (int i = 0; i < 3; ++i) {
        const auto call = std::move(io.posted.front());
        io.posted.pop_front();
        call();
    }
    hub.cut();
    io.run();
    CHECK(result == drained{broken_off, drain_status::cut});
    CHECK(out.open);
    result.reset();
    drain(out, events, result);
    io.run();
    CHECK(result == drained{broken_off, drain_status::cut});
}

TEST_CASE("bell: it may ring before somebody waits, and often") {
    loop io;
    bell rings(&io);
    std::optional<error_code> result;
    for (int i = 0; i < 3; ++i) rings.ring();
    io.run();
    wait(rings, ssekit::never, result);
    CHECK(!result);
    io.run();
    CHECK(result == no_error);

    result.reset();
    wait(rings, ssekit::never, result);
    io.run();
    CHECK(!result); // once is all
    const ssekit::waker wake = rings.waker();
    wake();
    CHECK(!result); // a waker only posts
    io.run();
    CHECK(result == no_error);
}

TEST_CASE("bell: to ring it allocates nothing") {
    loop io;
    std::vector<std::unique_ptr<bell>> bells;
    for (int i = 0; i < 1000; ++i) bells.push_back(std::make_unique<bell>(&io));
    const support::allocation_watch watch;
    for (const auto& each : bells) each->waker()();
    if (support::counts_allocations) CHECK(watch.allocations() == 0);
}

TEST_CASE("bell: a wait may have a deadline") {
    loop io;
    bell rings(&io);
    std::optional<error_code> result;
    wait(rings, time_point{} + seconds(5), result);
    io.now += seconds(4);
    io.run();
    CHECK(!result);
    io.now += seconds(1);
    io.run();
    CHECK(result == no_error);
    result.reset();
    wait(rings, time_point{} + seconds(10), result);
    rings.ring();
    io.run();
    CHECK(result == no_error);
}

TEST_CASE("bell: once it is cancelled nobody waits any more") {
    loop io;
    std::optional<error_code> result;
    bell rings(&io);
    wait(rings, ssekit::never, result);
    rings.cancel();
    rings.cancel();
    io.run();
    CHECK(result == aborted);
    result.reset();
    rings.ring();
    wait(rings, ssekit::never, result);
    io.run();
    CHECK(result == aborted);
}

TEST_CASE("bell: it may die while somebody waits, and with rings under way") {
    loop io;
    std::optional<error_code> result;
    {
        bell rings(&io);
        wait(rings, ssekit::never, result);
        rings.ring();
    }
    io.run();
    CHECK(result == aborted);
    CHECK(io.timers.empty());
}

TEST_CASE("async_serve: it writes whenever the hub says so, until the stream has ended") {
    ssekit::hub hub(1, {}, {});
    loop io;
    stream out(io);
    bell rings(&io);
    ssekit::subscription events = subscribe(hub, rings.waker());
    std::optional<error_code> result;
    serve(out, events, rings, result);
    io.run();
    CHECK(out.got == opening);
    publish(hub, "one");
    publish(hub, "two");
    io.run();
    CHECK(out.slices == std::vector<std::size_t>{1, 2}); // a burst leaves in one write
    CHECK(!result);
    CHECK(hub.close({.farewell = {.type = "bye", .data = ""}}) == ssekit::errc::ok);
    io.run();
    CHECK(result == no_error);
    CHECK(out.got == opening + block(1, "one") + block(2, "two") + "event: bye\ndata: \n\n");
    CHECK(out.open); // how the transport ends is for its owner to say
}

TEST_CASE("async_serve: a stream that has ended already is noticed, but not at once") {
    ssekit::hub hub(1, {}, {});
    loop io;
    stream out(io);
    bell rings(&io);
    ssekit::subscription events = subscribe(hub, rings.waker());
    hub.cut();
    std::optional<error_code> result;
    serve(out, events, rings, result);
    CHECK(!result);
    io.run();
    CHECK(result == broken_off);
}

TEST_CASE("async_serve: it never ends as if it were whole when the stream has broken off") {
    for (const bool complete : {false, true}) { // the write that was under way when that happened
        CAPTURE(complete);
        ssekit::hub hub(1, time_point{});
        loop io;
        stream out(io);
        out.stuck = true;
        bell rings(&io);
        ssekit::subscription events = subscribe(hub, rings.waker());
        std::optional<error_code> result;
        serve(out, events, rings, result);
        io.run();
        if (complete) out.finish(4); // and its handler has not run yet
        hub.cut();
        io.run();
        CHECK(result == broken_off);
        CHECK(out.open == complete);
    }
}

TEST_CASE("async_serve: what the bell says between the last look and a write is not lost") {
    ssekit::hub hub(1, {}, {});
    loop io;
    stream out(io);
    bell rings(&io);
    ssekit::subscription events = subscribe(hub, rings.waker());
    std::optional<error_code> result;
    serve(out, events, rings, result);
    io.run();
    out.stuck = true;
    publish(hub, "one");
    io.run();
    CHECK(out.writes());
    for (int i = 0; i < 3; ++i) { // each is looked at while the write is under way
        rings.ring();
        io.run();
        CHECK(out.open);
    }
    hub.cut();
    io.run();
    CHECK(!out.open);
    CHECK(result == broken_off);
}

TEST_CASE("async_serve: it leaves no wait behind") {
    ssekit::hub hub(1, {}, {});
    loop io;
    stream out(io);
    bell rings(&io);
    ssekit::subscription events = subscribe(hub, rings.waker());
    std::optional<error_code> result;
    serve(out, events, rings, result);
    io.run();
    publish(hub, "one");
    CHECK(hub.close() == ssekit::errc::ok);
    io.run();
    CHECK(result == no_error);
    CHECK(io.posted.empty());
    for (const timer* const each : io.timers) CHECK(!each->is_waited_for());
}

TEST_CASE_TEMPLATE("async_serve: a client that the hub has given up is closed in its write", Stream,
                   stream, confident_stream, layer) {
    ssekit::hub hub(1, {}, {.write_deadline = seconds(60)});
    hub.tick(time_point{});
    loop io;
    Stream out(io);
    stream* transport = nullptr;
    if constexpr (std::is_same_v<Stream, layer>) {
        transport = &out.below;
    } else {
        transport = &out;
    }
    transport->stuck = true;
    bell rings(&io);
    ssekit::subscription events = subscribe(hub, rings.waker());
    std::optional<error_code> result;
    serve(out, events, rings, result);
    io.run();
    rings.ring(); // is no reason
    io.run();
    CHECK(transport->open);
    hub.tick(time_point{} + seconds(70));
    io.run();
    CHECK(events.end() == ssekit::stream_end::stalled);
    CHECK(!transport->open);
    CHECK(result == broken_off);
}

TEST_CASE("async_serve: it outlives a shared hub, whose end cuts the write that is under way") {
    auto hub = std::make_unique<ssekit::shared_hub>(1, ssekit::time_point());
    loop io;
    stream out(io);
    out.stuck = true;
    bell rings(&io);
    auto made = hub->subscribe({.topics = "news"}, rings.waker());
    std::optional<error_code> result;
    serve(out, made.subscription, rings, result);
    io.run();
    CHECK(out.writes());
    hub.reset();
    io.run();
    CHECK(result == broken_off);
    CHECK(!out.open);
}

TEST_CASE("async_serve: a cancelled bell ends it, whether it waits or writes") {
    for (const bool writing : {false, true}) {
        CAPTURE(writing);
        ssekit::hub hub(1, {}, {});
        loop io;
        stream out(io);
        out.stuck = writing;
        bell rings(&io);
        ssekit::subscription events = subscribe(hub, rings.waker());
        std::optional<error_code> result;
        serve(out, events, rings, result);
        io.run();
        CHECK(!result);
        rings.cancel();
        CHECK(out.open != writing);
        io.run();
        CHECK(result == aborted);
    }
}

TEST_CASE("async_serve: it ends between two writes when it is cancelled there") {
    for (const bool by_bell : {false, true}) {
        ssekit::hub hub(1, {}, {});
        loop io;
        stream out(io);
        out.stuck = true;
        bell rings(&io);
        ssekit::subscription events = subscribe(hub, rings.waker());
        std::optional<error_code> result;
        serve(out, events, rings, result);
        io.run();
        out.finish(4);
        if (by_bell) rings.cancel();
        if (!by_bell) io.cancelled = cancellation::terminal;
        io.run();
        CHECK(result == aborted);
        CHECK(out.bytes.size() == 1);
    }
}

TEST_CASE("async_serve: an error of the stream is its result") {
    ssekit::hub hub(1, {}, {});
    loop io;
    stream out(io);
    out.stuck = true;
    bell rings(&io);
    ssekit::subscription events = subscribe(hub, rings.waker());
    std::optional<error_code> result;
    serve(out, events, rings, result);
    io.run();
    out.finish(2, reset);
    io.run();
    CHECK(result == reset);
    CHECK(hub.metrics().bytes == 2);
    publish(hub, "to nobody");
    io.run();
    CHECK(out.bytes.size() == 1);
}
