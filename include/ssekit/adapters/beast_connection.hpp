// SPDX-License-Identifier: MIT
//
// What beast_client.hpp is made of: one connection of an event source, from the look-up of its host
// to the end of the response. It is driven from outside, step by step, and knows no deadlines.
//
// It belongs to its operations until the last of them is done. Once it has been given up, it no
// longer knows its driver, and whatever still completes changes nothing.
#ifndef SSEKIT_ADAPTERS_BEAST_CONNECTION_HPP
#define SSEKIT_ADAPTERS_BEAST_CONNECTION_HPP

#include <ssekit/detail/base/decimal.hpp>
#include <ssekit/detail/http/url.hpp>
#include <ssekit/event_source.hpp>
#include <ssekit/http_request.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include <boost/asio/buffer.hpp>
#include <boost/asio/connect.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/ip/address.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/asio/ssl/host_name_verification.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/buffer_body.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/system/system_error.hpp>

namespace ssekit::inline SSEKIT_ABI::detail {

/// One request and its response, in steps: each is begun by a call, and cancels the alarm when it
/// is done. Throws boost::system::system_error and std::bad_alloc.
class beast_connection : public std::enable_shared_from_this<beast_connection> {
    using error_code = boost::system::error_code;
    using tcp = boost::asio::ip::tcp;

    auto step() {
        done_ = false;
        return [self = shared_from_this()](error_code failed, const auto&...) {
            self->finish(failed);
        };
    }
    void finish(error_code failed) {
        done_ = true;
        error_ = failed;
        if (alarm_ != nullptr) alarm_->cancel();
    }

  public:
    /// \param decodes whether a content coding is welcome, because the source takes it off
    beast_connection(const source_request& request, bool decodes, boost::asio::steady_timer& alarm,
                     boost::asio::ssl::context* context);

    void resolve();
    void connect() { boost::asio::async_connect(socket_, found_, step()); }
    void shake_hands() { tls_->async_handshake(boost::asio::ssl::stream_base::client, step()); }
    void write(); // not a step: an answer may come before all is written
    void read();

    [[nodiscard]] bool is_secure() const noexcept { return tls_.has_value(); }
    [[nodiscard]] bool is_done() const noexcept { return done_; }
    [[nodiscard]] error_code error() const noexcept { return error_; }
    /// \returns it in words.
    [[nodiscard]] std::string explain(error_code failed);

    /// Effects: reads what has come, up to the end of the head or to so much of the body as it
    /// returns. Lifetime: until the next call.
    std::string_view parse();
    [[nodiscard]] bool has_head() const { return parser_->is_header_done(); }
    [[nodiscard]] bool has_all() const { return parser_->is_done(); }
    [[nodiscard]] int status() const { return static_cast<int>(parser_->get().result_int()); }
    [[nodiscard]] std::optional<std::string_view> find(std::string_view name) const;

    void give_up() {
        alarm_ = nullptr;
        resolver_.cancel();
        error_code ignored;
        socket_.close(ignored);
    }

  private:
    static constexpr std::size_t max_head = 64 << 10; // bytes, also of what stands between chunks

    void write_head(const source_request& request, const url_parts& url);
    void secure(boost::asio::ssl::context& context);
    void begin_response();
    void clean_head();
    [[nodiscard]] bool is_readable() const;
    template <class Operation>
    void on_stream(Operation&& operation) {
        tls_ ? operation(*tls_) : operation(socket_);
    }

    boost::asio::steady_timer* alarm_; // nullptr: given up
    std::string host_ = {};
    std::string port_ = {};
    std::string out_ = {};
    bool has_body_; // the response may
    bool decodes_;
    bool done_ = false;
    bool starved_ = false; // the parser waits for more than there is
    error_code error_ = {};
    tcp::resolver resolver_;
    tcp::resolver::results_type found_ = {};
    tcp::socket socket_;
    std::optional<boost::asio::ssl::stream<tcp::socket&>> tls_ = {};
    boost::beast::flat_buffer in_ = boost::beast::flat_buffer(max_head);
    std::optional<boost::beast::http::response_parser<boost::beast::http::buffer_body>> parser_;
    std::array<char, 16 << 10> body_;
    std::string head_ = {};     // as it came
    std::size_t cleaned_ = 0;   // bytes of in_, up to the end of the head
    std::size_t line_ = 0;      // bytes of the last one in head_
    bool has_controls_ = false; // in head_
};

// ---- how

inline beast_connection::beast_connection(const source_request& request, bool decodes,
                                          boost::asio::steady_timer& alarm,
                                          boost::asio::ssl::context* context)
    : alarm_(&alarm), has_body_(request.method != "HEAD"), decodes_(decodes),
      resolver_(alarm.get_executor()), socket_(alarm.get_executor()) {
    const url_parts url = split_url(request.url);
    host_ = url.host.starts_with('[') ? url.host.substr(1, url.host.size() - 2) : url.host;
    port_ = port_of(url);
    write_head(request, url);
    out_ += request.body;
    begin_response();
    if (!equal_ignoring_case(url.scheme, "https")) return;
    if (context == nullptr) {
        throw boost::system::system_error(boost::asio::error::no_protocol_option);
    }
    secure(*context);
    // The certificate of the context is not for another origin.
    if (request.is_abroad) SSL_set_cert_cb(tls_->native_handle(), nullptr, nullptr);
    if (request.is_abroad) SSL_certs_clear(tls_->native_handle());
}

inline void beast_connection::write_head(const source_request& request, const url_parts& url) {
    const auto line = [&](std::string_view name, std::string_view value) {
        out_.append(name).append(": ").append(value).append("\r\n");
    };
    const auto unless_given = [&](std::string_view name, std::string_view value) {
        const auto is_it = [&](std::string_view other) { return equal_ignoring_case(other, name); };
        if (std::ranges::none_of(request.headers, is_it, &header::name)) line(name, value);
    };
    out_.append(request.method).append(" ");
    out_.append(url.path.empty() ? "/" : url.path).append(url.query).append(" HTTP/1.1\r\n");
    std::string host(url.host);
    if (port_ != (equal_ignoring_case(url.scheme, "https") ? "443" : "80")) host += ":" + port_;
    unless_given("Host", host);
    unless_given("Connection", "close"); // Spec: RFC 9112, 9.3: no other request will follow
    unless_given("Accept-Encoding", "identity");
    for (const header& each : request.headers) {
        if (equal_ignoring_case(each.name, "Content-Length")) continue;
        if (equal_ignoring_case(each.name, "Transfer-Encoding")) continue;
        line(each.name, each.value);
    }
    if (!request.body.empty() || (request.method != "GET" && request.method != "HEAD")) {
        line("Content-Length", decimal(request.body.size()).view());
    }
    out_ += "\r\n";
}

inline void beast_connection::secure(boost::asio::ssl::context& context) {
    tls_.emplace(socket_, context);
    tls_->set_verify_mode(boost::asio::ssl::verify_peer);
    tls_->set_verify_callback(boost::asio::ssl::host_name_verification(host_));
    error_code is_name;
    boost::asio::ip::make_address(host_, is_name);
    // An address is not sent. Spec: RFC 6066, 3.
    if (is_name && SSL_set_tlsext_host_name(tls_->native_handle(), host_.c_str()) != 1) {
        throw boost::system::system_error(boost::asio::error::invalid_argument);
    }
}

inline std::string beast_connection::explain(error_code failed) {
    std::string out = failed.message();
    const long verdict = tls_ ? SSL_get_verify_result(tls_->native_handle()) : X509_V_OK;
    if (failed.category() == boost::asio::error::get_ssl_category() && verdict != X509_V_OK) {
        out.append(": ").append(X509_verify_cert_error_string(verdict));
    }
    return out;
}

inline void beast_connection::begin_response() {
    head_.clear();
    line_ = 0;
    has_controls_ = false;
    parser_.emplace();
    parser_->header_limit(max_head);
    // None that is reached: with boost::none, Boost 1.74 refuses each Content-Length.
    parser_->body_limit((std::numeric_limits<std::uint64_t>::max)());
    parser_->skip(!has_body_);
}

inline void beast_connection::resolve() {
    done_ = false;
    resolver_.async_resolve(
        host_, port_, tcp::resolver::numeric_service,
        [self = shared_from_this()](error_code failed, tcp::resolver::results_type found) {
            self->found_ = std::move(found);
            self->finish(failed);
        });
}

// Where writing fails, reading fails too, perhaps after an answer that says why.
inline void beast_connection::write() {
    on_stream([this](auto& stream) {
        boost::asio::async_write(stream, boost::asio::buffer(out_),
                                 [self = shared_from_this()](error_code, std::size_t) {});
    });
}

inline void beast_connection::read() {
    const std::size_t room = (std::min)(body_.size(), in_.max_size() - in_.size());
    if (room == 0) throw boost::system::system_error(boost::asio::error::no_buffer_space);
    done_ = false;
    auto handler = [self = shared_from_this()](error_code failed, std::size_t bytes) {
        self->in_.commit(bytes);
        // TLS that ends without close_notify is another error: the data may have been truncated.
        const bool ended = failed == boost::asio::error::eof;
        if (ended && self->parser_->got_some()) self->parser_->put_eof(failed);
        self->finish(failed);
    };
    const auto space = in_.prepare(room);
    on_stream([&](auto& stream) { stream.async_read_some(space, std::move(handler)); });
}

// Beast takes no head with a control character, and so would not say what it redirects to or
// refuses. Here they become spaces, and what the head means is for the source to say.
// Spec: RFC 9110, 5.5.
inline void beast_connection::clean_head() {
    char* const bytes = static_cast<char*>(in_.data().data());
    while (cleaned_ < in_.size()) {
        char& c = bytes[cleaned_++];
        head_ += c;
        if (c == '\n') {
            if (std::exchange(line_, 0) == 0) return; // the head's end
        } else if (c != '\r') {
            ++line_;
            const bool is_control = (c > 0 && c < ' ' && c != '\t') || c == '\x7F';
            has_controls_ = has_controls_ || is_control;
            if (is_control) c = ' ';
        }
    }
}

inline std::string_view beast_connection::parse() {
    namespace http = boost::beast::http;
    // Asked again about the last chunk, Boost 1.74 asserts that there are five bytes by now.
    if (starved_ && in_.size() < 5) return {};
    const bool in_head = !has_head();
    parser_->get().body().data = body_.data();
    parser_->get().body().size = body_.size();
    error_code failed;
    while (in_.size() > 0 && !failed && !has_all() && in_head != has_head()) {
        if (in_head) clean_head();
        const std::size_t size = parser_->put(in_.cdata(), failed);
        in_.consume(size);
        cleaned_ -= (std::min)(cleaned_, size);
        if (in_head && has_head() && status() / 100 == 1) begin_response(); // another head follows
    }
    starved_ = !in_head && failed == http::error::need_more;
    const std::size_t size = in_head ? 0 : body_.size() - parser_->get().body().size;
    const bool goes_on = failed == http::error::need_more || failed == http::error::need_buffer;
    // What came before the mistake is handed out first; then the parser finds the mistake again.
    if (failed && !goes_on && size == 0) throw boost::system::system_error(failed);
    return {body_.data(), size};
}

/// \returns whether the source can make events of the body.
inline bool beast_connection::is_readable() const {
    namespace http = boost::beast::http;
    const auto& head = parser_->get();
    std::size_t codings = 0;
    for (const auto& field : head) {
        const bool transfer = field.name() == http::field::transfer_encoding;
        if (!transfer && field.name() != http::field::content_encoding) continue;
        const std::string_view coding(field.value().data(), field.value().size());
        const bool is_none = coding.empty() || equal_ignoring_case(coding, "identity");
        if (transfer && !is_none && !equal_ignoring_case(coding, "chunked")) return false;
        codings += !transfer && !is_none ? 1U : 0U;
    }
    // Of several lines the source would see but one.
    return codings == 0 || (decodes_ && head.count(http::field::content_encoding) == 1);
}

inline std::optional<std::string_view> beast_connection::find(std::string_view name) const {
    // A body in a coding that nobody takes off is not an event stream, whatever its type says.
    if (equal_ignoring_case(name, "Content-Type") && !is_readable()) return std::nullopt;
    if (has_controls_) return find_header(head_, name);
    const auto& head = parser_->get();
    const auto at = head.find({name.data(), name.size()});
    if (at == head.end()) return std::nullopt;
    return std::string_view(at->value().data(), at->value().size());
}

} // namespace ssekit::inline SSEKIT_ABI::detail

#endif
