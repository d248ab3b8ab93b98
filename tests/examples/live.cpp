// SPDX-License-Identifier: MIT
//
// live: a page that shows what Server-Sent Events are good for, and a small complete server around
// ssekit::hub. One thread, poll(2), no package:
//
//     g++ -std=c++20 -O2 -Iinclude tests/examples/live.cpp -o live && ./live
//
// Where to look first: `server::turn` is one turn of the loop and all there is to delivery: tell
// the hub the time, publish, send to those that the hub reports. `server::open_stream` subscribes a
// client, `server::make_events` publishes. The rest is HTTP, small but not naive: every buffer has
// a bound and every wait has a deadline, and what is wrong with a request ends that connection and
// disturbs no other. The page is the last thing in the file.
#include <ssekit/adapters/posix.hpp>
#include <ssekit/ssekit.hpp>

#include <algorithm>
#include <array>
#include <cctype>
#include <cerrno>
#include <charconv>
#include <chrono>
#include <cmath>
#include <csignal>
#include <cstdarg>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <exception>
#include <memory>
#include <new>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

namespace {

using namespace std::chrono_literals;
using ssekit::time_point;

extern const std::string_view page;

constexpr std::string_view help =
    R"(usage: live [--port N] [--bind ADDRESS] [--origin URL]... [--retry MILLISECONDS]
            [--clients N] [--timeout SECONDS]

Serves a page that shows live events. Ctrl-C ends it.

  --port N              listen on this port (default 8080; 0: any that is free)
  --bind ADDRESS        listen on this address (default 127.0.0.1; 0.0.0.0 or :: for the network)
  --origin URL          let pages from there, https://example.org, read the stream with cookies
  --retry MILLISECONDS  how long clients wait before they come back (default 1000)
  --clients N           serve at most N streams (default 1000)
  --timeout SECONDS     what a request may take to arrive (default 10)
  --help                print this

exit status: 0 ended by a signal, 1 cannot listen, 64 the command line is wrong
)";

struct settings {
    std::uint16_t port = 8080;
    const char* address = "127.0.0.1";
    std::vector<std::string_view> origins = {};
    std::chrono::milliseconds retry = 1s;
    std::size_t clients = 1000;
    std::chrono::seconds timeout = 10s;
};

constexpr std::size_t max_head = 8192;  // bytes of a request's head
constexpr std::size_t max_body = 1024;  // and of its body
constexpr std::size_t max_waiting = 64; // connections that have not brought a request
constexpr std::size_t max_leaving = 64; // connections that are given an answer and its end
constexpr std::size_t max_jobs = 8;     // at a time
constexpr int send_buffer = 64 << 10;   // bytes in the kernel, for each client
constexpr auto metric_period = 250ms;
constexpr auto job_period = 100ms; // for one step of a job
constexpr auto stall_time = 30s;   // how long a client's socket may stay full
constexpr auto linger_time = 1s;   // for a client to take in the end of a response
constexpr auto farewell_time = 2s; // for all of them, when the server ends

/// Owns a file descriptor.
class descriptor {
  public:
    explicit descriptor(int fd = -1) noexcept : fd_(fd) {}
    descriptor(descriptor&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
    descriptor& operator=(descriptor&& other) noexcept {
        std::swap(fd_, other.fd_);
        return *this;
    }
    ~descriptor() {
        if (fd_ >= 0) ::close(fd_);
    }
    [[nodiscard]] int get() const noexcept { return fd_; }

  private:
    int fd_;
};

// ---- requests

using headers = std::vector<ssekit::header>;

struct request {
    std::string_view head = {}; // the request line, the headers and the blank line
    ssekit::request_view view = {};
    std::string_view body = {};
    std::size_t body_size = 0;
    bool http_1_0 = false;
    bool close = false; // the connection, after the response
};

/// Reads digits and nothing else.
template <class Number>
bool parse_number(std::string_view text, Number& out) {
    const char* const end = text.data() + text.size();
    const auto [stop, error] = std::from_chars(text.data(), end, out);
    return stop == end && error == std::errc{};
}

bool is_token(std::string_view text) {
    constexpr std::string_view others = "!#$%&'*+-.^_`|~";
    return !text.empty() && std::ranges::all_of(text, [&](char c) {
        return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
               others.find(c) != others.npos;
    });
}

/// Preconditions: `text` holds a CRLF.
std::string_view take_line(std::string_view& text) {
    const std::size_t end = text.find("\r\n");
    const std::string_view line = text.substr(0, end);
    text.remove_prefix(end + 2);
    return line;
}

std::vector<std::string_view> split(std::string_view list, std::string_view separator) {
    std::vector<std::string_view> parts;
    for (;;) {
        const std::size_t end = list.find(separator);
        parts.push_back(list.substr(0, end));
        if (end == list.npos) return parts;
        list.remove_prefix(end + separator.size());
    }
}

template <class Range>
bool contains(const Range& range, std::string_view value) {
    return std::ranges::find(range, value) != range.end();
}

std::string lowered(std::string_view text) {
    std::string copy(text);
    for (char& c : copy) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
    return copy;
}

/// Reads the head of a request. `read_request` alone would do for the stream; a server that keeps
/// its connections also refuses what a proxy before it might read in another way.
/// Spec: RFC 9112, 3 and 5.
/// \returns 0, or the status that says what is wrong with it.
int parse_head(request& out) {
    std::string_view rest = out.head;
    std::string_view line = take_line(rest);
    out.view = ssekit::read_request(out.head);
    const std::string_view version = line.substr(line.rfind(' ') + 1);
    out.http_1_0 = version == "HTTP/1.0";
    const bool other = version.starts_with("HTTP/") && !out.http_1_0 && version != "HTTP/1.1";
    if (out.view.method.empty()) return other ? 505 : 400;

    int hosts = 0;
    int lengths = 0;
    while (!(line = take_line(rest)).empty()) {
        const auto breaks = [](char c) { return c == '\0' || c == '\r' || c == '\n'; };
        const std::size_t colon = line.find(':');
        if (colon == line.npos || !is_token(line.substr(0, colon))) return 400;
        if (std::ranges::any_of(line, breaks)) return 400;
        const std::string name = lowered(line.substr(0, colon));
        if (name == "host") ++hosts;
        if (name == "content-length") ++lengths;
    }
    if (hosts > 1 || lengths > 1 || (hosts == 0 && !out.http_1_0)) return 400;
    const auto length = ssekit::find_header(out.head, "Content-Length");
    if (length && !parse_number(*length, out.body_size)) return 400;
    if (ssekit::find_header(out.head, "Transfer-Encoding")) return 411;
    const std::string options = lowered(ssekit::find_header(out.head, "Connection").value_or(""));
    out.close = out.http_1_0 || options.find("close") != options.npos;
    return out.body_size > max_body ? 413 : 0;
}

// ---- one client

/// A socket with what has come and what has to leave: first requests and responses, then perhaps a
/// stream, at the end a moment in which the client may still read.
class connection {
  public:
    connection(descriptor socket, time_point deadline)
        : socket_(std::move(socket)), deadline_(deadline) {}

    [[nodiscard]] bool gone() const { return gone_; }
    [[nodiscard]] bool answering() const { return !out_.empty(); }
    [[nodiscard]] bool streaming() const { return phase_ == phase::stream; }
    [[nodiscard]] bool waiting() const { return phase_ == phase::requests && out_.empty(); }
    [[nodiscard]] time_point deadline() const { return deadline_; }
    [[nodiscard]] std::string_view name() const { return name_; }

    [[nodiscard]] pollfd wish() const {
        const bool room = phase_ != phase::requests ||
                          (out_.empty() && !input_ended_ && in_.size() < max_head + max_body);
        const bool waiting = !out_.empty() || blocked_;
        return {socket_.get(), static_cast<short>((room ? POLLIN : 0) | (waiting ? POLLOUT : 0)),
                0};
    }

    /// Reads what is there. A client that streams or has been answered for the last time has
    /// nothing more to say; it is read from to learn when it goes.
    void receive() {
        std::array<char, 16384> bytes;
        const ssize_t size = recv(socket_.get(), bytes.data(), bytes.size(), 0);
        if (size > 0) {
            if (phase_ == phase::requests) in_.append(bytes.data(), static_cast<std::size_t>(size));
        } else if (size == 0) {
            input_ended_ = true;
            if (phase_ != phase::requests) gone_ = true;
        } else if (errno != EAGAIN && errno != EINTR) {
            gone_ = true;
        }
    }

    /// \returns whether there is a request to be answered now; what cannot be one is refused here.
    /// Lifetime of its views: until the next call.
    bool next_request(request& out) {
        if (phase_ != phase::requests || !out_.empty() || gone_) return false;
        in_.erase(0, std::exchange(served_, 0));
        body_omitted_ = false;
        in_.erase(0, in_.find_first_not_of("\r\n")); // empty lines before it: RFC 9112, 2.2
        if (in_.find("\n\n") < in_.find("\r\n\r\n")) return refuse(400);
        const auto [how, head] = ssekit::find_head(in_, {.head = max_head});
        if (how == ssekit::head_status::too_long) return refuse(431);
        if (how == ssekit::head_status::incomplete) return incomplete();
        out = {.head = head};
        if (const int status = parse_head(out); status != 0) return refuse(status);
        if (in_.size() - out.head.size() < out.body_size) return incomplete();
        out.body = std::string_view(in_).substr(out.head.size(), out.body_size);
        served_ = out.head.size() + out.body_size;
        close_after_ = out.close;
        body_omitted_ = out.view.method == "HEAD";
        return true;
    }

    void respond(int status, headers with, std::string_view body = {}) {
        if (close_after_) with.push_back({"Connection", "close"});
        ssekit::append_response(out_, status, with, body);
        if (body_omitted_) out_.resize(out_.size() - body.size());
        answered_ = true;
    }

    /// The last response of this connection. \returns false, for `next_request`.
    bool refuse(int status, headers with = {}) {
        close_after_ = true;
        with.push_back({"Content-Type", "text/plain"});
        respond(status, std::move(with), std::string(ssekit::reason_phrase(status)) + "\n");
        return false;
    }

    /// A stream begins with it; after HEAD it is all.
    void respond_with_stream_head(ssekit::framing form, const headers& with) {
        ssekit::append_response_head(out_, form, with);
        answered_ = true;
    }

    void start_stream(ssekit::subscription stream, std::string_view name, ssekit::framing form) {
        phase_ = phase::stream;
        form_ = form;
        stream_ = std::move(stream);
        name_ = name;
        deadline_ = ssekit::never;
    }

    /// Sends what has to leave, as far as the socket takes it.
    void send(time_point now, std::chrono::seconds timeout) {
        ssekit::posix_writer writer{socket_.get()};
        while (!out_.empty()) {
            const std::string_view bytes = out_;
            const ssekit::write_result wrote = writer.write_some({&bytes, 1});
            out_.erase(0, wrote.bytes);
            deadline_ = now + timeout;
            if (wrote.status == ssekit::io_status::closed) gone_ = true;
            if (wrote.status != ssekit::io_status::ready) return;
            if (out_.empty() && close_after_ && phase_ == phase::requests) linger(now);
        }
        if (phase_ != phase::stream) return;
        deadline_ = ssekit::never; // the hub's write_deadline counts
        // [drain]
        const ssekit::drain_status status = ssekit::drain(stream_, writer);
        blocked_ = status == ssekit::drain_status::would_block;
        if (status == ssekit::drain_status::closed) gone_ = true;
        if (status == ssekit::drain_status::cut) break_off(); // it must not look whole
        if (status == ssekit::drain_status::done) linger(now);
        if (status == ssekit::drain_status::budget_spent) stream_.reschedule();
        // [drain]
    }

    /// Closing at once could destroy what has been sent but not been read: the client would see a
    /// broken connection instead of its response.
    void linger(time_point now) {
        phase_ = phase::linger;
        deadline_ = now + linger_time;
        stream_ = {};
        shutdown(socket_.get(), SHUT_WR);
    }

    /// Ends the connection without the last chunk; where there are no chunks, only a reset says that
    /// something is missing.
    void break_off() {
        gone_ = true;
        if (form_ == ssekit::framing::raw) ssekit::reset_connection(socket_.get());
    }

    /// Ends the connection, with nothing left to be said.
    void drop() { gone_ = true; }

    /// The server ends: nothing more is read, what is under way may still leave.
    void finish() {
        close_after_ = true;
        if (phase_ == phase::requests && out_.empty()) gone_ = true;
    }

    void expire() {
        const bool asked = !in_.empty() || !answered_;
        if (phase_ != phase::requests || !out_.empty() || !asked) {
            gone_ = true;
        } else {
            refuse(408);
        }
    }

    /// Ends the connection as a broken network would: no last chunk, nothing.
    void cut() {
        ssekit::reset_connection(socket_.get());
        gone_ = true;
    }

  private:
    enum class phase { requests, stream, linger };

    bool incomplete() {
        if (input_ended_) gone_ = true;
        return false;
    }

    descriptor socket_;
    phase phase_ = phase::requests;
    ssekit::framing form_ = ssekit::framing::chunked; // of the stream
    time_point deadline_;
    std::string in_;
    std::string out_;
    std::size_t served_ = 0; // bytes of in_ that the last request took
    bool close_after_ = false;
    bool body_omitted_ = false;
    bool answered_ = false;
    bool input_ended_ = false;
    bool blocked_ = false; // the stream waits for the socket
    bool gone_ = false;
    ssekit::subscription stream_;
    std::string name_;
};

// ---- the server

/// Where the signal handler leaves a byte, so that poll returns, also between a test and the wait.
int signal_pipe = -1;

void on_signal(int) {
    const int saved = errno;
    [[maybe_unused]] const ssize_t size = write(signal_pipe, "", 1);
    errno = saved;
}

class server {
  public:
    explicit server(const settings& wanted)
        : settings_(wanted), listener_(listen_at(wanted)),
          hub_(ssekit::new_epoch(), std::chrono::steady_clock::now(), hub_settings(wanted)) {
        // So they are there before their first event and while nobody reads them.
        for (const std::string_view topic : topics) {
            if (hub_.keep(topic, kept) != ssekit::errc::ok) throw std::bad_alloc();
        }
        int ends[2];
        if (pipe(ends) != 0) throw std::system_error(errno, std::generic_category(), "pipe");
        signals_ = descriptor(ends[0]);
        signal_input_ = descriptor(ends[1]);
        for (const int fd : ends) fcntl(fd, F_SETFL, O_NONBLOCK);
        signal_pipe = ends[1];
        std::signal(SIGINT, on_signal);
        std::signal(SIGTERM, on_signal);
    }

    /// Serves until a signal comes and the clients have been let go, or a second signal comes.
    void run() {
        std::printf("open %s\n", url().c_str());
        std::fflush(stdout);
        while (!over_) {
            try {
                turn();
            } catch (const std::bad_alloc&) { // the next one goes on where this one has stopped
            }
        }
        const auto cut =
            std::ranges::count_if(connections_, [](auto& c) { return c->streaming(); });
        std::printf("clients let go: %zu, cut off: %td\n", released_, cut);
    }

  private:
    struct job {
        unsigned id;
        std::string topic; // of this job alone: "job/7"
        unsigned percent;
        time_point begun;
        time_point next_step;
    };

    static constexpr std::array<std::string_view, 3> topics = {"metric", "job", "notice"};
    static constexpr std::array<std::string_view, 3> notice_types = {"info", "warning", "alarm"};
    static constexpr ssekit::retention kept = {.events = 480}; // two minutes of the metric

    static ssekit::hub_options hub_settings(const settings& wanted) {
        return {
            .heartbeat = {.interval = 15s},
            .write_deadline = stall_time,
            .retry = wanted.retry,
            .refused_retry_min = wanted.retry,
            .refused_retry_max = 5 * wanted.retry,
            .max_subscribers = wanted.clients,
        };
    }

    // ---- the loop

    // [loop]
    void turn() {
        wait();
        now_ = std::chrono::steady_clock::now();
        hub_.tick(now_);
        if (fds_[0].revents != 0) stop();
        if (fds_[1].revents != 0) accept_all();
        for (std::size_t i = 2; i < fds_.size(); ++i) serve(*connections_[i - 2], fds_[i].revents);
        make_events();
        while (void* const ready = hub_.next_ready()) send(*static_cast<connection*>(ready));
        for (const auto& c : connections_) {
            if (c->deadline() > now_) continue;
            unless_out_of_memory(*c, [&] {
                c->expire();
                send(*c);
            });
        }
        drop_gone();
        if (closing_ && hub_.subscriptions() == 0) stop_listening();
        if (closing_ && (connections_.empty() || now_ >= close_deadline_)) over_ = true;
    }
    // [loop]

    /// Where there is no memory one connection ends, and nothing else does.
    template <class Work>
    static void unless_out_of_memory(connection& c, Work&& work) {
        try {
            work();
        } catch (const std::bad_alloc&) {
            c.cut();
        }
    }

    void wait() {
        const bool accepting = connections_.size() < capacity() && now_ >= accept_again_;
        fds_ = {{signals_.get(), POLLIN, 0}, {accepting ? listener_.get() : -1, POLLIN, 0}};
        time_point next = std::min({hub_.next_deadline(), next_metric_, close_deadline_});
        for (const job& running : jobs_) next = std::min(next, running.next_step);
        for (const auto& c : connections_) {
            fds_.push_back(c->wish());
            next = std::min(next, c->deadline());
        }
        const auto left = std::chrono::ceil<std::chrono::milliseconds>(
            std::max(next - std::chrono::steady_clock::now(), time_point::duration::zero()));
        poll(fds_.data(), static_cast<nfds_t>(fds_.size()), static_cast<int>(left.count()));
    }

    [[nodiscard]] std::size_t capacity() const {
        return settings_.clients + max_waiting + max_leaving + 1;
    }

    /// Of those that are no streams there are so many and no more: slow ones do not keep the places
    /// of others, since the one makes way that has been at it longest.
    void make_room() {
        connection* waits_longest = nullptr;
        connection* leaves_longest = nullptr;
        std::size_t waiting = 0;
        std::size_t leaving = 0;
        for (const auto& c : connections_) {
            if (c->gone() || c->streaming()) continue;
            ++(c->waiting() ? waiting : leaving);
            connection*& longest = c->waiting() ? waits_longest : leaves_longest;
            if (longest == nullptr || c->deadline() < longest->deadline()) longest = c.get();
        }
        if (leaving >= max_leaving) leaves_longest->drop();
        if (waiting < max_waiting) return;
        waits_longest->refuse(503, {{"Retry-After", "5"}});
        send(*waits_longest);
    }

    void accept_all() {
        while (connections_.size() < capacity()) {
            descriptor socket(accept(listener_.get(), nullptr, nullptr));
            if (socket.get() < 0) {
                if (errno == EINTR || errno == ECONNABORTED) continue;
                const bool none_left = errno == EAGAIN || errno == EWOULDBLOCK;
                if (!none_left) accept_again_ = now_ + 1s; // no descriptors: some will come free
                return;
            }
            const int on = 1;
            fcntl(socket.get(), F_SETFL, O_NONBLOCK);
            setsockopt(socket.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
            ssekit::notice_dead_peer(socket.get());
            // What a client has not read is better off in the log, once for all, than in the
            // kernel.
            setsockopt(socket.get(), SOL_SOCKET, SO_SNDBUF, &send_buffer, sizeof send_buffer);
            try {
                make_room();
                fds_.reserve(connections_.size() + 3); // for `wait`, which must not fail
                connections_.push_back(
                    std::make_unique<connection>(std::move(socket), now_ + settings_.timeout));
            } catch (const std::bad_alloc&) { // this one, or the one that should have made way
            }
        }
    }

    void serve(connection& c, short happened) {
        if (happened == 0 || c.gone()) return;
        unless_out_of_memory(c, [&] { receive(c, happened); });
    }
    void receive(connection& c, short happened) {
        if ((happened & POLLIN) != 0) {
            c.receive();
        } else if ((happened & (POLLERR | POLLHUP | POLLNVAL)) != 0) {
            return c.cut();
        }
        if ((happened & POLLOUT) != 0) send(c);
        for (request asked; c.next_request(asked); send(c)) answer(c, asked);
        if (c.answering()) send(c); // a refusal
    }

    void send(connection& c) {
        if (c.gone()) return;
        const bool streamed = c.streaming();
        c.send(now_, settings_.timeout);
        if (closing_ && streamed && !c.streaming()) ++released_;
    }

    // The second time it does not wait.
    void stop() {
        over_ = closing_;
        char bytes[16];
        [[maybe_unused]] const ssize_t size = read(signals_.get(), bytes, sizeof bytes);
        closing_ = true;
        close_deadline_ = now_ + farewell_time;
        ssekit::close_options how{
            .farewell = {.type = "bye", .data = "the server ends"},
            .retry_min = settings_.retry,
            .retry_max = 3 * settings_.retry,
        };
        if (hub_.close(how) != ssekit::errc::ok) { // there is no memory for it
            how.farewell = {};
            complain(hub_.close(how));
        }
        for (const auto& c : connections_) c->finish();
    }
    // Up to now, who came was told to come back: the hub refuses streams while it closes.
    void stop_listening() {
        listener_ = descriptor();
        for (const auto& c : connections_) c->finish();
        drop_gone();
    }
    void drop_gone() {
        std::erase_if(connections_, [](auto& c) { return c->gone(); });
    }

    // ---- what happens

    void make_events() {
        if (now_ - next_metric_ > 10s) next_metric_ = now_; // the machine was asleep
        for (; next_metric_ <= now_; next_metric_ += metric_period) measure();
        for (job& running : jobs_) {
            for (; running.percent < 100 && running.next_step <= now_;
                 running.next_step += job_period) {
                advance(running);
            }
        }
        std::erase_if(jobs_, [](const job& ended) { return ended.percent == 100; });
    }

    void measure() {
        const double t = std::chrono::duration<double>(next_metric_ - begun_).count();
        const double waves = 24 * std::sin(t / 7) + 13 * std::sin(t / 2.3 + 1);
        const double ripple = 5 * std::sin(t * 2.9) + 3 * std::sin(t * 7.1 + 2);
        const double load = std::clamp(50 + waves + ripple, 0.0, 100.0);
        publish("metric", "metric", R"({"seq":%llu,"load":%.1f,"streams":%zu})", ++measured_, load,
                hub_.subscribers());
        if (!high_ && load > 85) publish("notice", "warning", "The load is high: %.0f %%", load);
        if (high_ && load < 50) publish("notice", "info", "The load is back to %.0f %%", load);
        high_ = high_ ? load >= 50 : load > 85;
    }

    void advance(job& running) {
        running.percent =
            std::min(100u, running.percent + 1 + (running.percent * 7 + running.id) % 5);
        report(running);
        if (running.percent < 100) return;
        const std::chrono::duration<double> took = running.next_step - running.begun;
        publish(topics_of(running), "complete", R"({"job":%u,"seconds":%.1f})", running.id,
                took.count());
        // Streams of this job alone end. Their clients come back once, as EventSource does, and are
        // told by 204 that there is no more.
        complain(hub_.close_topic(running.topic));
    }

    void report(const job& running) {
        publish(topics_of(running), "progress", R"({"job":%u,"percent":%u})", running.id,
                running.percent);
    }

    static std::array<std::string_view, 2> topics_of(const job& running) {
        return {"job", running.topic};
    }

    // There is no request to answer; a closing hub takes no more events, which is as it should be.
    static void complain(ssekit::errc code) {
        if (code == ssekit::errc::ok || code == ssekit::errc::closed) return;
        std::fprintf(stderr, "%s\n", ssekit::message(code).data());
    }

    [[gnu::format(printf, 4, 5)]] void publish(const ssekit::topic_list& topic,
                                               std::string_view type, const char* form, ...) {
        std::array<char, 128> data;
        va_list values;
        va_start(values, form);
        const int size = std::vsnprintf(data.data(), data.size(), form, values);
        va_end(values);
        const auto sent = hub_.publish(
            topic, {.type = type, .data = {{data.data(), static_cast<std::size_t>(size)}}});
        complain(sent.ec);
    }

    // ---- what is asked for

    void answer(connection& c, const request& asked) {
        struct route {
            std::string_view path;
            std::string_view allow;
            void (server::*handle)(connection&, const request&);
        };
        static constexpr route routes[] = {
            {"/", "GET, HEAD", &server::send_page},
            {"/events", ssekit::stream_methods, &server::open_stream},
            {"/jobs", "POST", &server::start_job},
            {"/notices", "POST", &server::take_notice},
            {"/break", "POST", &server::break_client},
        };
        for (const route& to : routes) {
            if (to.path != asked.view.path()) continue;
            if (contains(split(to.allow, ", "), asked.view.method)) {
                return (this->*to.handle)(c, asked);
            }
            return tell(c, 405, "allowed here: " + std::string(to.allow), {{"Allow", to.allow}});
        }
        tell(c, 404, "no such page; the way in is /");
    }

    static void tell(connection& c, int status, std::string text, headers with = {}) {
        with.push_back({"Content-Type", "text/plain; charset=utf-8"});
        c.respond(status, std::move(with), text += '\n');
    }

    void send_page(connection& c, const request&) {
        c.respond(
            200,
            {{"Content-Type", "text/html; charset=utf-8"},
             {"Cache-Control", "no-cache"},
             {"Content-Security-Policy", "default-src 'none'; connect-src 'self'; img-src data:; "
                                         "script-src 'unsafe-inline'; style-src 'unsafe-inline'"}},
            page);
    }

    void open_stream(connection& c, const request& asked) {
        headers with = cors_headers(asked);
        const int status = ssekit::stream_status(asked.view);
        if (status == 204) {
            with.push_back({"Allow", ssekit::stream_methods});
            return c.respond(status, with);
        }
        if (status != 200) return tell(c, status, "this is a text/event-stream", with);

        std::vector<std::string_view> wanted(topics.begin(), topics.end());
        std::string list;
        if (const auto filter = ssekit::find_query(asked.view.target, "topics")) {
            if (!ssekit::percent_decode(*filter, list)) list.clear();
            wanted = split(list, ",");
            if (!std::ranges::all_of(wanted, [&](auto name) { return is_topic(name); })) {
                return tell(c, 400, "topics are metric, job, notice and job/NUMBER", with);
            }
        }
        const std::string_view name = ssekit::find_query(asked.view.target, "client").value_or("");
        if (name.size() > 32) return tell(c, 400, "a client's name has at most 32 bytes", with);

        const ssekit::framing form = ssekit::framing_for(asked.view);
        if (asked.view.method == "HEAD") return c.respond_with_stream_head(form, with);
        std::string id;
        ssekit::last_event_id(asked.view, id, ssekit::id_source::header_or_query);
        const bool history = ssekit::find_query(asked.view.target, "history").has_value();
        // [subscribe]
        ssekit::subscribe_result subscribed = hub_.subscribe({
            .topics = wanted,
            .last_event_id = id,
            .start = history ? ssekit::start_point::earliest : ssekit::start_point::live,
            .framing = form,
            .user = &c,
        });
        // [subscribe]
        if (ssekit::is_refused_softly(subscribed.ec, asked.view)) { // a browser comes back
            with.insert(with.end(), ssekit::stream_headers.begin(), ssekit::stream_headers.end());
            return c.respond(200, std::move(with),
                             ssekit::soft_refusal(hub_.refused_retry()).body());
        }
        if (subscribed.ec != ssekit::errc::ok) {
            const ssekit::refusal no = ssekit::refusal_of(subscribed.ec);
            const std::string wait = std::to_string(no.retry_after.count());
            if (no.retry_after != 0s) with.push_back({"Retry-After", wait});
            return tell(c, no.status, std::string(message(subscribed.ec)), with);
        }
        c.respond_with_stream_head(form, with);
        c.start_stream(std::move(subscribed.subscription), name, form);
    }

    [[nodiscard]] headers cors_headers(const request& asked) const {
        headers out;
        ssekit::for_each_cors_header({.origins = settings_.origins, .credentials = true},
                                     asked.view,
                                     [&](const ssekit::header& each) { out.push_back(each); });
        return out;
    }

    // Clients may only name what is there: a name of their own would make a topic.
    [[nodiscard]] bool is_topic(std::string_view name) const {
        bool found = false;
        hub_.for_each_topic(
            [&](const ssekit::topic_info& each) { found = found || each.name == name; });
        return found;
    }

    void start_job(connection& c, const request&) {
        if (jobs_.size() == max_jobs) {
            return tell(c, 429, "that many jobs run already: wait for one", {{"Retry-After", "1"}});
        }
        const std::string number = std::to_string(++last_job_);
        jobs_.push_back({last_job_, "job/" + number, 0, now_, now_ + job_period});
        report(jobs_.back());
        c.respond(202, {{"Content-Type", "application/json"}}, "{\"job\":" + number + "}\n");
    }

    // The text goes into the stream as it is: whatever it holds, it stays the data of one event.
    void take_notice(connection& c, const request& asked) {
        const std::string_view type =
            ssekit::find_query(asked.view.target, "type").value_or("info");
        if (!contains(notice_types, type)) return tell(c, 400, "types are info, warning and alarm");
        if (asked.body.empty()) return tell(c, 400, "the body is the text of the notice");
        const auto [offset, ec] = hub_.publish("notice", {.type = type, .data = asked.body});
        if (ec != ssekit::errc::ok) return tell(c, 503, std::string(message(ec)));
        tell(c, 202, std::string(hub_.id_of(offset).view()));
    }

    void break_client(connection& c, const request& asked) {
        const std::string_view name = ssekit::find_query(asked.view.target, "client").value_or("");
        std::size_t count = 0;
        for (const auto& other : connections_) {
            if (name.empty() || !other->streaming() || other->name() != name) continue;
            other->cut();
            ++count;
        }
        if (count == 0) return tell(c, 404, "no stream of that name");
        tell(c, 202, "cut");
    }

    // ---- the address

    static descriptor listen_at(const settings& wanted) {
        addrinfo hints{};
        hints.ai_socktype = SOCK_STREAM;
        hints.ai_flags = AI_PASSIVE;
        addrinfo* found = nullptr;
        const std::string port = std::to_string(wanted.port);
        const std::string where = std::string(wanted.address) + ", port " + port;
        if (const int error = getaddrinfo(wanted.address, port.c_str(), &hints, &found);
            error != 0) {
            throw std::runtime_error("cannot listen at " + where + ": " + gai_strerror(error));
        }
        const std::unique_ptr<addrinfo, void (*)(addrinfo*)> owner(found, freeaddrinfo);
        descriptor socket(::socket(found->ai_family, found->ai_socktype, found->ai_protocol));
        const int on = 1;
        setsockopt(socket.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
        if (bind(socket.get(), found->ai_addr, found->ai_addrlen) != 0 ||
            ::listen(socket.get(), SOMAXCONN) != 0) {
            const int error = errno;
            throw std::runtime_error("cannot listen at " + where + ": " + std::strerror(error) +
                                     (error == EADDRINUSE
                                          ? "\nChoose another port with --port N, or "
                                            "any that is free with --port 0."
                                          : ""));
        }
        fcntl(socket.get(), F_SETFL, O_NONBLOCK);
        return socket;
    }

    [[nodiscard]] std::string url() const {
        sockaddr_storage address{};
        socklen_t size = sizeof address;
        getsockname(listener_.get(), reinterpret_cast<sockaddr*>(&address), &size);
        std::array<char, NI_MAXHOST> host{};
        std::array<char, NI_MAXSERV> port{};
        getnameinfo(reinterpret_cast<const sockaddr*>(&address), size, host.data(), host.size(),
                    port.data(), port.size(), NI_NUMERICHOST | NI_NUMERICSERV);
        std::string name = host.data();
        if (name == "0.0.0.0") name = "127.0.0.1"; // any address will do, so one that always works
        if (name == "::") name = "::1";
        if (address.ss_family == AF_INET6) name = "[" + name + "]";
        return "http://" + name + ":" + port.data() + "/";
    }

    const settings settings_;
    descriptor listener_;
    descriptor signals_;
    descriptor signal_input_;
    std::vector<pollfd> fds_;

    time_point now_ = std::chrono::steady_clock::now(); // of this turn
    const time_point begun_ = now_;
    time_point next_metric_ = now_;
    time_point accept_again_ = now_;
    time_point close_deadline_ = ssekit::never;
    bool closing_ = false;
    bool over_ = false;

    ssekit::hub hub_;
    std::vector<std::unique_ptr<connection>> connections_;
    std::size_t released_ = 0; // streams that have ended in order since the signal
    std::vector<job> jobs_;
    unsigned last_job_ = 0;
    unsigned long long measured_ = 0;
    bool high_ = false;
};

// ---- the command line

int complain(const char* what, const char* about) {
    std::fprintf(stderr, "live: %s%s\nTry 'live --help'.\n", what, about);
    return 64;
}

/// Browsers send an Origin without a path, so one that ends in a slash would match nothing.
bool is_origin(std::string_view text) {
    const std::size_t scheme = text.find("://");
    return text == "*" || (scheme != text.npos && text.find('/', scheme + 3) == text.npos);
}

int run(int argc, char** argv) {
    settings wanted;
    for (int i = 1; i < argc; ++i) {
        const char* const name = argv[i];
        const std::string_view option = name;
        if (option == "--help") {
            std::fwrite(help.data(), 1, help.size(), stdout);
            return 0;
        }
        const char* const value = i + 1 < argc ? argv[++i] : nullptr;
        unsigned number = 0;
        bool good = value != nullptr;
        if (option == "--port") {
            good = good && parse_number(value, wanted.port);
        } else if (option == "--bind") {
            wanted.address = value;
        } else if (option == "--origin") {
            good = good && is_origin(value);
            if (good) wanted.origins.emplace_back(value);
        } else if (option == "--retry") {
            good = good && parse_number(value, number);
            wanted.retry = std::chrono::milliseconds(number);
        } else if (option == "--clients") {
            good = good && parse_number(value, wanted.clients) && wanted.clients <= 1'000'000;
        } else if (option == "--timeout") {
            good = good && parse_number(value, number) && number > 0;
            wanted.timeout = std::chrono::seconds(number);
        } else {
            return complain("unknown argument: ", name);
        }
        if (!good) return complain("no value or a wrong one behind ", name);
    }
    rlimit files{};
    getrlimit(RLIMIT_NOFILE, &files);
    files.rlim_cur = files.rlim_max; // a connection is a file
    setrlimit(RLIMIT_NOFILE, &files);
    server(wanted).run();
    return 0;
}

} // namespace

int main(int argc, char** argv) {
    try {
        return run(argc, argv);
    } catch (const std::exception& error) {
        std::fprintf(stderr, "live: %s\n", error.what());
        return 1;
    }
}

namespace {

const std::string_view page = R"html(<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>ssekit live</title>
<link rel="icon" href="data:image/svg+xml,<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 16 16'>
<path d='M1 9h3l2-6 3 11 2-5h4' fill='none' stroke='%232f6fed' stroke-width='2'/></svg>">
<style>
:root {
  --page: #f4f5f7; --card: #fff; --line: #dfe3e8; --text: #1b2330; --quiet: #5b6675;
  --accent: #2459d3; --accent-text: #fff; --good: #147a48; --warn: #94590a; --bad: #bd2a35;
  --caught: #c2700c; --code: #f0f2f5;
}
@media (prefers-color-scheme: dark) {
  :root {
    --page: #10141a; --card: #181e27; --line: #2b3442; --text: #e5eaf1; --quiet: #98a4b5;
    --accent: #7ca6ff; --accent-text: #0d1320; --good: #58c88d; --warn: #e0ae52; --bad: #f28590;
    --caught: #f0a74a; --code: #10151d;
  }
}
* { box-sizing: border-box; }
body {
  margin: 0 auto; padding: 1.5rem clamp(.75rem, 3vw, 2rem) 3rem; max-width: 70rem;
  background: var(--page); color: var(--text); font: 1rem/1.5 system-ui, sans-serif;
}
header { display: flex; flex-wrap: wrap; gap: .25rem 1rem; align-items: center; }
h1 { margin: 0; font-size: 1.6rem; letter-spacing: -.01em; }
h1 span { color: var(--accent); }
header p { flex-basis: 100%; margin: 0 0 .75rem; color: var(--quiet); }
h2 { margin: 0; font-size: 1.05rem; }
main { display: grid; gap: 1rem; grid-template-columns: repeat(6, minmax(0, 1fr)); }
section {
  grid-column: span 2; padding: 1rem 1.1rem; min-width: 0;
  background: var(--card); border: 1px solid var(--line); border-radius: .75rem;
}
section.wide { grid-column: span 6; }
@media (max-width: 60rem) { section { grid-column: span 3; } #connection { grid-column: span 6; } }
@media (max-width: 40rem) { section, #connection { grid-column: span 6; } }
.title { display: flex; gap: .75rem; align-items: center; justify-content: space-between;
  min-height: 2.3rem; margin-bottom: .6rem; }
.quiet { color: var(--quiet); font-size: .9rem; }
p.quiet { margin: .6rem 0 0; }
#legend { white-space: nowrap; }
#state { display: inline-flex; gap: .5em; align-items: center; padding: .1rem .7rem;
  border: 1px solid currentColor; border-radius: 2rem; font-size: .9rem; color: var(--warn); }
#state::before { content: ""; width: .6em; height: .6em; border-radius: 50%;
  background: currentColor; }
#state.live { color: var(--good); }
#state.gone { color: var(--bad); }
#load { font-size: 1.5rem; font-weight: 600; font-variant-numeric: tabular-nums;
  white-space: nowrap; }
canvas { display: block; width: 100%; height: 13rem; }
dl { display: grid; grid-template-columns: auto 1fr; gap: .25rem 1rem; margin: 0; }
dt { color: var(--quiet); }
dd { margin: 0; text-align: right; font-variant-numeric: tabular-nums; overflow-wrap: anywhere; }
code, pre, .id { font: .85rem/1.6 ui-monospace, Menlo, Consolas, monospace; }
button, input, select {
  font: inherit; color: inherit; padding: .35rem .8rem; min-width: 0;
  background: var(--card); border: 1px solid var(--line); border-radius: .5rem;
}
button { cursor: pointer; font-weight: 500; }
button:hover:not(:disabled) { border-color: var(--quiet); }
button:disabled { opacity: .5; cursor: default; }
button.main { background: var(--accent); border-color: var(--accent); color: var(--accent-text); }
button.cut { color: var(--bad); border-color: currentColor; }
:focus-visible { outline: 2px solid var(--accent); outline-offset: 2px; }
#verdict { margin: .8rem 0 0; padding: .5rem .75rem; border-left: 3px solid var(--line);
  background: var(--code); border-radius: .25rem; font-size: .9rem; overflow-wrap: anywhere; }
#verdict.good { border-color: var(--good); }
#verdict.warn { border-color: var(--caught); }
ul { list-style: none; margin: 0; padding: 0; }
#jobs li { margin-bottom: .7rem; }
#jobs .row { display: flex; justify-content: space-between; font-size: .9rem;
  font-variant-numeric: tabular-nums; }
progress { appearance: none; display: block; width: 100%; height: .5rem; margin-top: .2rem;
  border: 0; border-radius: 1rem; background: var(--line); overflow: hidden; }
progress::-webkit-progress-bar { background: var(--line); }
progress::-webkit-progress-value { background: var(--accent); transition: width .12s linear; }
progress::-moz-progress-bar { background: var(--accent); }
.done progress::-webkit-progress-value { background: var(--good); }
.done progress::-moz-progress-bar { background: var(--good); }
.done b { color: var(--good); }
form { display: flex; flex-wrap: wrap; gap: .5rem; margin-bottom: .8rem; }
form input { flex: 1 0 100%; }
form select { flex: 1; }
#notices { max-height: 13rem; overflow-y: auto; }
#notices li { display: grid; grid-template-columns: 4rem 1fr; gap: 0 .6rem; padding: .4rem 0;
  border-top: 1px solid var(--line); }
#notices:empty::before { content: "None yet. What you send appears on every open page.";
  color: var(--quiet); font-size: .9rem; }
#notices .text { overflow-wrap: anywhere; white-space: pre-wrap; }
#notices .id { grid-column: 2; color: var(--quiet); font-size: .75rem; }
.tag { font-size: .8rem; font-weight: 600; color: var(--accent);
  line-height: 1.875; }
.tag.warning { color: var(--warn); }
.tag.alarm { color: var(--bad); }
pre { margin: 0; padding: .75rem; background: var(--code); border-radius: .5rem;
  overflow: hidden; white-space: pre-wrap; overflow-wrap: anywhere; }
#wire { height: 27.3rem; }
#text-stream { display: grid; gap: .5rem 1.5rem; grid-template-columns: 1fr 1fr; }
#text-stream .title { grid-column: 1 / -1; margin: 0; }
#text-stream p { margin: 0 0 .3rem; }
#text-stream pre + p { margin-top: .9rem; }
@media (max-width: 60rem) { #text-stream { grid-template-columns: minmax(0, 1fr); } }
i.caught { display: inline-block; width: 1.2em; height: .25em; vertical-align: middle;
  border-radius: 1em; background: var(--caught); }
@media (prefers-reduced-motion: reduce) { * { transition: none !important; } }
</style>

<header>
  <h1><span>ssekit</span> live</h1>
  <output id="state">connecting</output>
  <p>All that moves on this page comes over one Server-Sent Events connection.</p>
</header>
<main>
  <section class="wide">
    <div class="title"><h2>Simulated load</h2><span id="load">–</span></div>
    <canvas id="chart" role="img" aria-label="The load over the last minute"></canvas>
    <p class="quiet">Four events a second, here those of the last minute. Each carries a sequence
      number, so that the page can tell whether one is missing.
      <span id="legend" hidden><i class="caught"></i> came late, after a reconnect.</span></p>
  </section>
  <section id="connection">
    <div class="title"><h2>Connection</h2>
      <button class="cut" id="break" disabled>Break it</button></div>
    <dl>
      <dt>Last event id</dt><dd><code id="last">–</code></dd>
      <dt>Events received</dt><dd id="events">0</dd>
      <dt>Reconnects</dt><dd id="reconnects">0</dd>
      <dt>Events missing</dt><dd id="missing">0</dd>
      <dt>Streams of this server</dt><dd id="streams">–</dd>
    </dl>
    <p id="verdict" role="status">Break it, and the browser comes back with the last event id; the
      server sends what was missed.</p>
  </section>
  <section>
    <div class="title"><h2>Jobs</h2><button class="main" id="start">Start a job</button></div>
    <ul id="jobs"></ul>
    <p class="quiet" id="no-jobs">A job runs on the server for a few seconds. Each step is a
      <code>progress</code> event, the end a <code>complete</code> event.</p>
  </section>
  <section>
    <div class="title"><h2>Notices</h2></div>
    <form id="form">
      <input id="text" aria-label="Text of the notice" placeholder="Tell every open page" required
        maxlength="300" autocomplete="off">
      <select id="kind" aria-label="Type of the notice">
        <option>info<option>warning<option>alarm
      </select>
      <button>Send</button>
    </form>
    <ul id="notices"></ul>
  </section>
  <section class="wide" id="text-stream">
    <div class="title"><h2>The same stream, as text</h2></div>
    <pre id="wire"></pre>
    <div>
      <p>Watch it in a terminal:</p>
      <pre id="curl"></pre>
      <p>Leave with Ctrl-C, come back with the last id that you saw, and get what you missed:</p>
      <pre id="resume"></pre>
      <p>Start a job and follow it alone; the stream ends with it:</p>
      <pre id="follow"></pre>
      <p>One JSON object a line, for other programs:</p>
      <pre id="cat"></pre>
    </div>
  </section>
</main>

<script>
"use strict";
const $ = id => document.getElementById(id);
const client = Math.random().toString(36).slice(2, 10); // the name under which /break knows us
const stream = location.origin + "/events";
const shown = 240;      // points in the chart
const points = [];      // {seq, load, caught: came after a reconnect, cut: first behind a gap}
let source, lastId = "", lastSeq = null, events = 0, reconnects = 0, missing = 0;
let tries = 0, retry;   // since the browser gave up
let away = null;        // since the connection broke: {id, since}
let catching = null;    // since it is back: {id, since, opened, count, ok}

// ---- connection

// [page]
function connect() {
  // The browser comes back by itself, and sends Last-Event-ID. A new EventSource has none to send:
  // its id travels in the query.
  const resume = lastId ? "&lastEventId=" + encodeURIComponent(lastId) : "";
  source = new EventSource("/events?history&client=" + client + resume);
  source.onopen = opened;
  source.onerror = broken;
  listen();
}

function broken() {
  if (source.readyState !== EventSource.CLOSED) return lost("", "reconnecting");
  // After an error status the browser gives up. The next try is the page's, later each time.
  lost("gone", "server not there");
  const pause = Math.min(1000 * 2 ** tries++, 30_000);
  retry = setTimeout(connect, pause * (.75 + Math.random() / 4));
}

// A page that is left may be kept as it is, for the way back, and its connection with it. Over
// HTTP/1.1 there are six to a server: then the seventh page would not load.
addEventListener("pagehide", () => {
  clearTimeout(retry);
  source?.close();
  lost("", "reconnecting");
});
addEventListener("pageshow", connect); // loaded, or back
// [page]

function listen() {
  on("metric", event => metric(JSON.parse(event.data)));
  on("progress", event => progress(JSON.parse(event.data)));
  on("complete", event => complete(JSON.parse(event.data)));
  for (const kind of ["info", "warning", "alarm"]) on(kind, event => notice(kind, event));
  on("gap", event => gap(JSON.parse(event.data)));
  on("bye", event => verdict("warn", "The server says goodbye: " + event.data));
}

function on(type, handle) {
  source.addEventListener(type, event => {
    lastId = event.lastEventId;
    events += 1;
    tries = 0;
    if (late()) catching.count += 1;
    wire(event);
    handle(event);
    $("last").textContent = lastId || "–";
    show("resume", `curl -N -H 'Last-Event-ID: ${lastId}' ${stream}`);
    $("events").textContent = events.toLocaleString();
  });
}

function lost(kind, text) {
  state(kind, text);
  if (!away) away = {id: lastId, since: performance.now()};
}

function opened() {
  state("live", "connected");
  if (!away) return;
  reconnects += 1;
  $("reconnects").textContent = reconnects;
  catching = {id: away.id, since: away.since, opened: performance.now(), count: 0, ok: null};
  away = null;
  $("legend").hidden = false;
  setTimeout(judge, 400);
}

// What was missed comes at once when the connection is back; what comes later is new.
function late() {
  return catching !== null && performance.now() - catching.opened < 120;
}

// What the sequence numbers have shown since the reconnect.
function judge() {
  if (!catching) return;
  if (catching.ok === null) return setTimeout(judge, 100); // no measurement yet
  const {id, since, opened, count, ok} = catching;
  catching = null;
  const seconds = ((opened - since) / 1000).toFixed(1);
  if (ok) verdict("good", `Resumed at ${id} after ${seconds}\u00A0s: nothing lost, ${count} late ` +
    `event${count === 1 ? "" : "s"}.`);
}

const gaps = {
  unknown: "it has been restarted",
  expired: "what was missed is no longer kept",
  lagged: "this page was too slow",
};

function gap({reason, missed}) {
  if (catching) catching.ok = false;
  lastSeq = null;
  const count = missed ? ` ${missed} events are missing.` : "";
  verdict("warn", `Gap: the server cannot go on where we were, ${gaps[reason] || reason}.${count}`);
}

function state(kind, text) {
  $("state").className = kind;
  $("state").textContent = text;
  $("break").disabled = kind !== "live";
}

function verdict(kind, text) {
  $("verdict").className = kind;
  $("verdict").textContent = text;
}

async function post(path, body) {
  try {
    const response = await fetch(path, {method: "POST", body});
    if (!response.ok) verdict("warn", await response.text());
    return response.ok;
  } catch {
    verdict("warn", "The server does not answer.");
  }
}

// ---- chart

function metric({seq, load, streams}) {
  const cut = lastSeq === null;
  if (!cut && seq !== lastSeq + 1) {
    missing += Math.max(seq - lastSeq - 1, 1);
    $("missing").textContent = missing;
    verdict("warn", `Expected event ${lastSeq + 1}, got ${seq}.`);
    if (catching) catching.ok = false;
  } else if (catching && catching.ok === null) {
    catching.ok = !cut;
  }
  lastSeq = seq;
  points.push({seq, load, cut, caught: late()});
  if (points.length > shown) points.shift();
  $("load").textContent = load.toFixed(1) + " %";
  $("streams").textContent = streams;
  requestDraw();
}

let drawing = false;
function requestDraw() {
  if (drawing) return;
  drawing = true;
  requestAnimationFrame(() => { drawing = false; draw(); });
}

function draw() {
  const canvas = $("chart"), context = canvas.getContext("2d");
  const style = getComputedStyle(document.documentElement);
  const color = name => style.getPropertyValue("--" + name);
  const width = canvas.clientWidth, height = canvas.clientHeight, scale = devicePixelRatio;
  canvas.width = Math.round(width * scale);
  canvas.height = Math.round(height * scale);
  context.scale(scale, scale);
  const left = 30, top = 8, bottom = height - 8;
  const x = i => left + (width - left - 6) * (i + shown - points.length) / (shown - 1);
  const y = load => bottom - (bottom - top) * load / 100;

  context.font = "11px system-ui, sans-serif";
  context.textAlign = "right";
  context.textBaseline = "middle";
  for (const level of [0, 25, 50, 75, 100]) {
    context.fillStyle = color("quiet");
    context.fillText(level, left - 8, y(level));
    context.fillStyle = color("line");
    context.fillRect(left, Math.round(y(level)), width - left, 1);
  }
  if (points.length === 0) return;

  context.lineJoin = context.lineCap = "round";
  for (let first = 0, i = 1; i <= points.length; ++i) {
    // One stroke for each run of the same kind; a run of another kind begins at the last point.
    const ends = i === points.length || points[i].cut;
    if (!ends && points[i].caught === points[Math.min(first + 1, i)].caught) continue;
    const last = i - 1, kind = points[Math.min(first + 1, last)].caught ? "caught" : "accent";
    context.beginPath();
    for (let k = first; k <= last; ++k) context.lineTo(x(k), y(points[k].load));
    context.strokeStyle = context.fillStyle = color(kind);
    context.lineWidth = 2;
    context.stroke();
    context.lineTo(x(last), bottom);
    context.lineTo(x(first), bottom);
    context.globalAlpha = .1;
    context.fill();
    context.globalAlpha = 1;
    first = ends ? i : last;
  }
  const end = points.length - 1;
  context.fillStyle = color("accent");
  context.beginPath();
  context.arc(x(end), y(points[end].load), 4, 0, 7);
  context.fill();
}

// ---- jobs and notices

function job(id) {
  let item = $("job-" + id);
  if (item) return item;
  item = document.createElement("li");
  item.id = "job-" + id;
  item.innerHTML = '<div class="row"><span></span><b></b></div><progress max="100"></progress>';
  item.querySelector("span").textContent = "Job " + id;
  $("jobs").prepend(item);
  $("no-jobs").hidden = true;
  follow(id);
  if ($("jobs").children.length > 5) $("jobs").lastChild.remove();
  return item;
}

function follow(id) {
  show("follow", `curl -N '${stream}?topics=job/${id}&history'`);
}

function progress({job: id, percent}) {
  const item = job(id);
  item.className = "";
  item.querySelector("b").textContent = percent + " %";
  item.querySelector("progress").value = percent;
}

function complete({job: id, seconds}) {
  const item = job(id);
  item.className = "done";
  item.querySelector("b").textContent = "complete in " + seconds.toFixed(1) + " s";
  item.querySelector("progress").value = 100;
}

function notice(kind, event) {
  const item = document.createElement("li");
  item.innerHTML = '<span class="tag"></span><span class="text"></span><span class="id"></span>';
  const [tag, text, id] = item.children;
  tag.classList.add(kind);
  tag.textContent = kind;
  text.textContent = event.data;
  id.textContent = event.lastEventId;
  $("notices").prepend(item);
  if ($("notices").children.length > 30) $("notices").lastChild.remove();
}

const recent = [];
function wire(event) {
  const data = event.data.split("\n").map(line => "data: " + line).join("\n");
  recent.push(`id: ${event.lastEventId}\nevent: ${event.type}\n${data}\n`);
  if (recent.length > 5) recent.shift();
  show("wire", recent.slice().reverse().join("\n"));
}

// Text that somebody may be about to select holds still.
function show(id, text) {
  if (!$(id).matches(":hover")) $(id).textContent = text;
}

$("break").onclick = () => post("/break?client=" + client);
$("start").onclick = () => post("/jobs");
$("form").onsubmit = async event => {
  event.preventDefault();
  if (await post("/notices?type=" + $("kind").value, $("text").value)) $("text").value = "";
};
$("curl").textContent = `curl -N ${stream}`;
follow(1);
$("cat").textContent = `curl -sN '${stream}?topics=metric' | sse_cat`;
addEventListener("resize", requestDraw);
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", requestDraw);
</script>
)html";

} // namespace
