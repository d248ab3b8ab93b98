// SPDX-License-Identifier: MIT
//
// The newest answer to an event source: what it means, and what is kept of it for the source's
// owner: the status, the headers that were asked for, and the body, within a bound, if it is no
// stream.
#ifndef SSEKIT_DETAIL_SOURCE_KEPT_ANSWER_HPP
#define SSEKIT_DETAIL_SOURCE_KEPT_ANSWER_HPP

#include <ssekit/detail/base/buffer.hpp>
#include <ssekit/detail/http/date.hpp>
#include <ssekit/detail/http/text.hpp>
#include <ssekit/detail/source/answer.hpp>
#include <ssekit/event_source_options.hpp>
#include <ssekit/source_answer.hpp>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace ssekit::inline SSEKIT_ABI::detail {

class kept_answer {
  public:
    /// Effects: judges an answer, in place of the one before. Throws std::bad_alloc, and what
    /// `head` throws.
    void begin(const answer_head& head, const event_source_options& options) {
        const auto value = [&](std::string_view name) {
            return head.find(name).value_or(std::string_view());
        };
        body_.clear_beyond(0);
        is_whole_ = false;
        status_ = head.status();
        headers_.clear();
        for (const std::string& name : options.keep_headers) {
            if (const auto found = head.find(name)) headers_.emplace_back(name, *found);
        }
        refusal_ = judge_proxy(value("Proxy-Status"));
        const answer_decision decision =
            options.on_answer ? options.on_answer(head) : answer_decision();
        meaning_ =
            judge_answer(decision.verdict, status_, value("Content-Type"), options.on_status);
        wait_ = decision.wait;
        if (meaning_ == source_answer::again) {
            wait_ =
                retry_after(value("Retry-After"), value("Date")).value_or(std::chrono::seconds(0));
        }
    }

    /// Effects: keeps what there is room for.
    /// \returns whether that was all.
    [[nodiscard]] bool take(std::string_view bytes, std::size_t most) noexcept {
        const std::string_view part = bytes.substr(0, most - (std::min)(most, body_.size()));
        return body_.append(part) && part.size() == bytes.size();
    }
    /// The body was the whole one.
    void end() noexcept { is_whole_ = true; }
    /// A stream that nothing can read.
    void refuse_coding() noexcept {
        if (meaning_ == source_answer::stream) meaning_ = source_answer::bad_media_type;
    }

    [[nodiscard]] source_answer meaning() const noexcept { return meaning_; }
    [[nodiscard]] std::chrono::milliseconds wait() const noexcept { return wait_; }
    [[nodiscard]] int status() const noexcept { return status_; }
    [[nodiscard]] proxy_refusal refusal() const noexcept { return refusal_; }
    [[nodiscard]] std::string_view body() const noexcept { return body_.view(); }
    [[nodiscard]] bool is_whole() const noexcept { return is_whole_; }
    [[nodiscard]] std::optional<std::string_view> find(std::string_view name) const noexcept {
        for (const auto& [key, value] : headers_) {
            if (equal_ignoring_case(key, name)) return value;
        }
        return std::nullopt;
    }
    /// What it means that there will be no more requests.
    [[nodiscard]] source_end end_of_source() const noexcept {
        if (meaning_ == source_answer::bad_media_type) return source_end::bad_media_type;
        const bool is_refused = status_ == 501 && refusal_ == proxy_refusal::incremental;
        return is_refused ? source_end::not_passed_on : source_end::bad_status;
    }

  private:
    source_answer meaning_ = source_answer::stream;
    std::chrono::milliseconds wait_{}; // that it asks for
    int status_ = 0;                   // 0: there was none
    proxy_refusal refusal_ = proxy_refusal::none;
    std::vector<std::pair<std::string, std::string>> headers_ = {};
    buffer body_ = {};
    bool is_whole_ = false;
};

} // namespace ssekit::inline SSEKIT_ABI::detail

#endif
