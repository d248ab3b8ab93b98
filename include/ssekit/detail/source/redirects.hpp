// SPDX-License-Identifier: MIT
//
// Where redirects have led within one attempt, and what may travel there. Credentials go only to
// the origin of the first URL, and are not sent again where a redirect leads back to it. Where a
// body is dropped, so are the headers that describe it. The next attempt begins at the first URL
// again.
// Spec: Fetch, 4.4 "HTTP-redirect fetch".
#ifndef SSEKIT_DETAIL_SOURCE_REDIRECTS_HPP
#define SSEKIT_DETAIL_SOURCE_REDIRECTS_HPP

#include <ssekit/detail/http/resolve.hpp>
#include <ssekit/detail/http/text.hpp>
#include <ssekit/detail/http/url.hpp>
#include <ssekit/detail/http/user_info.hpp>
#include <ssekit/header.hpp>

#include <string>
#include <string_view>
#include <utility>

namespace ssekit::inline SSEKIT_ABI::detail {

[[nodiscard]] constexpr bool is_credential(std::string_view name) noexcept {
    return equal_ignoring_case(name, "Authorization") || equal_ignoring_case(name, "Cookie") ||
           equal_ignoring_case(name, "Proxy-Authorization");
}

/// Spec: Fetch, 2.2.2 "request-body-header name".
[[nodiscard]] constexpr bool is_about_body(std::string_view name) noexcept {
    return equal_ignoring_case(name, "Content-Type") ||
           equal_ignoring_case(name, "Content-Encoding") ||
           equal_ignoring_case(name, "Content-Language") ||
           equal_ignoring_case(name, "Content-Location");
}

class redirects {
  public:
    /// \param first_url a user and a password in it are taken out, see `credentials`; a fragment is
    /// left out. Throws std::bad_alloc.
    explicit redirects(std::string_view first_url)
        : first_(without_user_info(first_url.substr(0, first_url.find('#')))) {
        const url_parts parts = split_url(first_url);
        const std::string_view user = user_info_of(parts);
        if (!user.empty()) credentials_ = basic_credentials(user);
        is_sound_ = has_no_space(first_) && is_http(parts) && user.empty() == credentials_.empty();
    }

    /// \returns whether a request can be sent there.
    [[nodiscard]] bool is_sound() const noexcept { return is_sound_; }

    [[nodiscard]] std::string_view url() const noexcept { return last_.empty() ? first_ : last_; }
    /// A redirect is being followed.
    [[nodiscard]] bool has_led_on() const noexcept { return !last_.empty(); }
    /// The request is a GET from now on, whatever it was.
    [[nodiscard]] bool is_without_body() const noexcept { return without_body_; }
    /// A redirect has led to another origin, on this attempt.
    [[nodiscard]] bool is_abroad() const noexcept { return is_abroad_; }
    /// An Authorization that the URL stands for; "" for none, and abroad.
    [[nodiscard]] std::string_view credentials() const noexcept {
        return is_abroad_ ? std::string_view() : credentials_;
    }
    [[nodiscard]] bool may_travel(const source_header& header) const noexcept {
        return !(is_abroad_ && (header.is_secret || is_credential(header.name))) &&
               !(without_body_ && is_about_body(header.name));
    }

    /// \param method of the first request
    /// \returns false when it leads nowhere, or there have been `max` of them; then nothing has
    /// changed. Throws std::bad_alloc.
    [[nodiscard]] bool follow(int status, std::string_view location, std::string_view method,
                              unsigned max) {
        if (location.empty() || count_ >= max) return false;
        // A user in the place where it leads to is not ours, and is not sent.
        std::string target = without_user_info(resolve_url(url(), location));
        if (target.empty()) return false;
        ++count_;
        // 303 leads to a GET, and so do 301 and 302 after POST.
        const bool is_read_only = method == "GET" || method == "HEAD";
        const bool is_old = status == 301 || status == 302;
        if (!is_read_only && (status == 303 || (is_old && method == "POST"))) without_body_ = true;
        if (!same_origin(first_, target)) is_abroad_ = true;
        last_ = std::move(target);
        return true;
    }
    /// A stream has begun: those after it count anew.
    void arrive() noexcept { count_ = 0; }
    /// A new attempt.
    void begin_again() noexcept {
        last_.clear();
        count_ = 0;
        without_body_ = is_abroad_ = false;
    }

  private:
    std::string first_;
    std::string credentials_ = {};
    bool is_sound_ = false;
    std::string last_ = {}; // empty: none has been followed
    unsigned count_ = 0;
    bool without_body_ = false;
    bool is_abroad_ = false;
};

} // namespace ssekit::inline SSEKIT_ABI::detail

#endif
