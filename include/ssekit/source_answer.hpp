// SPDX-License-Identifier: MIT
//
// What a server has answered to an event source, and what its owner wants to make of it: the
// standard knows one answer that is a stream, APIs know many more. An error in JSON, a media type
// that somebody has forgotten, a session id in a header, a status after which it is worth coming
// back: all that is seen by one hook, before anything is done.
//
//     options.on_answer = [](const ssekit::answer_head& head) noexcept -> ssekit::answer_decision {
//         return {head.status() == 529 ? ssekit::answer_verdict::retry
//                                      : ssekit::answer_verdict::usual};
//     };
#ifndef SSEKIT_SOURCE_ANSWER_HPP
#define SSEKIT_SOURCE_ANSWER_HPP

#include <ssekit/waker.hpp>

#include <chrono>
#include <cstdint>
#include <optional>
#include <string_view>

namespace ssekit::inline SSEKIT_ABI {

/// The status and the headers of an answer. Lifetime: the call that it is passed to.
class answer_head {
  public:
    /// \param find called with a header's name; returns what converts to an optional string_view
    template <class FindHeader>
    answer_head(int status, FindHeader& find) noexcept
        : status_(status), find_(&find), call_(&call<FindHeader>) {}

    [[nodiscard]] int status() const noexcept { return status_; }
    /// \returns the value of the header, in any case of its letters. Of several lines it depends
    /// on the library which one is found. Throws what the library throws.
    [[nodiscard]] std::optional<std::string_view> find(std::string_view name) const {
        return call_(find_, name);
    }

  private:
    using found = std::optional<std::string_view>;
    template <class FindHeader>
    static found call(void* find, std::string_view name) {
        return (*static_cast<FindHeader*>(find))(name);
    }

    int status_;
    void* find_;
    found (*call_)(void*, std::string_view);
};

/// What to make of an answer.
enum class answer_verdict : std::uint8_t {
    usual,  ///< what the standard and the options say
    stream, ///< read it as an event stream, whatever its status and its media type are
    whole,  ///< it is no stream but a whole answer, such as JSON: its body is kept, and the source
            ///< ends, source_end::answered
    retry,  ///< as a failed attempt: connect again, whatever the method is and `repeat` says
    fail,   ///< keep its body and end, source_end::bad_status
};

struct answer_decision {
    answer_verdict verdict = answer_verdict::usual;
    /// With `retry`: wait at least so long; `max_delay` is an upper bound.
    std::chrono::milliseconds wait = {};
};

/// Asked about each answer, redirects included, before anything else is done with it. It never
/// calls the source.
using answer_hook = callback<answer_decision(const answer_head&)>;

} // namespace ssekit::inline SSEKIT_ABI

#endif
