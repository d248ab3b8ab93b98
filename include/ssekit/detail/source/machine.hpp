// SPDX-License-Identifier: MIT
//
// What an event source does between the calls of its owner: how an attempt begins, what an answer
// leads to, and how a connection that is lost, late or done with turns into the next attempt or the
// end. event_source.hpp is its face, and feeds it with what has happened.
#ifndef SSEKIT_DETAIL_SOURCE_MACHINE_HPP
#define SSEKIT_DETAIL_SOURCE_MACHINE_HPP

#include <ssekit/detail/base/short_text.hpp>
#include <ssekit/detail/source/answer.hpp>
#include <ssekit/detail/source/attempts.hpp>
#include <ssekit/detail/source/backoff.hpp>
#include <ssekit/detail/source/event_reader.hpp>
#include <ssekit/detail/source/kept_answer.hpp>
#include <ssekit/detail/source/next_request.hpp>
#include <ssekit/detail/source/state.hpp>
#include <ssekit/event_source_options.hpp>
#include <ssekit/source_answer.hpp>
#include <ssekit/time.hpp>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <optional>
#include <string_view>
#include <utility>

namespace ssekit::inline SSEKIT_ABI::detail {

/// \tparam Source the face, which hooks are called with
template <class Source>
class source_machine {
  protected:
    using milliseconds = std::chrono::milliseconds;

    /// How the body of an answer that is no stream has ended.
    enum class body_end : std::uint8_t { whole, too_long, broken };

    source_machine(std::string_view url, event_source_options options)
        : options_(std::move(options)), request_(url), reader_(options_.parser),
          attempts_(options_.seed) {}
    source_machine(source_machine&&) noexcept = default;
    source_machine& operator=(source_machine&&) noexcept = default;
    ~source_machine() = default;

    void begin(time_point now) noexcept;
    [[nodiscard]] bool prepare(time_point now);
    void take_head(const answer_head& head, time_point now);
    void open(time_point now) noexcept;
    void conclude(time_point now, body_end how, std::string_view why) noexcept;
    void be_late(time_point now) noexcept;
    void lose(time_point now, source_loss how, std::string_view why,
              milliseconds at_least = {}) noexcept;
    void finish(source_end why) noexcept {
        if (state_.finish(why)) tell();
    }
    void tell() noexcept {
        if (options_.on_change) options_.on_change(self());
    }
    void put_off(time_point now) noexcept {
        state_.put_off((std::min)(event_due_, deadline(now, options_.idle_timeout)));
    }
    [[nodiscard]] static time_point deadline(time_point now, milliseconds timeout) noexcept {
        return timeout == milliseconds(0) ? never : later(now, timeout);
    }

    event_source_options options_;
    source_state state_;
    next_request request_;
    kept_answer answer_;
    event_reader reader_;
    attempts attempts_;

    bool has_begun_ = false;    // it has been told a time
    bool is_connected_ = false; // so far as the library tells
    bool is_over_ = false;      // the last event has been given out
    bool was_cut_ = false;
    time_point event_due_ = never;
    short_text failure_;

  private:
    [[nodiscard]] Source& self() noexcept { return static_cast<Source&>(*this); }
};

// ---- how

template <class Source>
void source_machine<Source>::begin(time_point now) noexcept {
    if (std::exchange(has_begun_, true)) return;
    if (options_.seed == 0) {
        attempts_.seed(static_cast<std::uint64_t>(now.time_since_epoch().count()));
    }
    if (state_.phase() == source_phase::waiting) {
        state_.wait_until(later(now, options_.initial_delay));
    }
}

/// \returns whether there is an attempt.
template <class Source>
bool source_machine<Source>::prepare(time_point now) {
    if (options_.before_request && !options_.before_request(self())) {
        state_.connect(never);
        lose(now, source_loss::unsent, "the request was not prepared");
        return false;
    }
    if (state_.phase() != source_phase::waiting) return false; // it was closed
    request_.begin();
    return true;
}

template <class Source>
void source_machine<Source>::take_head(const answer_head& head, time_point now) {
    failure_ = {};
    answer_.begin(head, options_);
    if (answer_.meaning() == source_answer::redirect) {
        const bool leads_on = request_.follow(head, options_);
        state_.drop_transfer();
        return leads_on ? state_.wait_until(now) : finish(source_end::bad_redirect);
    }
    if (answer_.meaning() == source_answer::no_content) {
        return finish(source_end::no_content);
    }
    const auto coding = head.find("Content-Encoding").value_or(std::string_view());
    const bool is_readable = reader_.begin(options_.decoder, coding);
    if (!is_readable) answer_.refuse_coding();
    if (answer_.meaning() == source_answer::stream) return open(now);
    state_.answer(deadline(now, options_.body_timeout));
    if (is_readable) return;
    state_.drop_transfer();
    conclude(now, body_end::broken, "a content coding that was not asked for");
}

template <class Source>
void source_machine<Source>::open(time_point now) noexcept {
    attempts_.begin_stream();
    request_.arrive();
    event_due_ = deadline(now, options_.event_timeout);
    state_.open(now, (std::min)(event_due_, deadline(now, options_.idle_timeout)));
    tell();
}

// There will be no more of an answer that is no stream.
template <class Source>
void source_machine<Source>::conclude(time_point now, body_end how, std::string_view why) noexcept {
    state_.wait_until(never);
    if (how == body_end::whole) answer_.end();
    failure_ = short_text(why);
    switch (answer_.meaning()) {
    case source_answer::again: return lose(now, source_loss::broken, why, answer_.wait());
    case source_answer::retry: return lose(now, source_loss::told, why, answer_.wait());
    case source_answer::whole:
        if (how == body_end::whole) return finish(source_end::answered);
        if (how == body_end::too_long) return finish(source_end::answer_too_long);
        return lose(now, source_loss::broken, why);
    default: return finish(answer_.end_of_source());
    }
}

template <class Source>
void source_machine<Source>::be_late(time_point now) noexcept {
    if (state_.phase() == source_phase::answered) {
        conclude(now, body_end::broken, "no whole answer in time");
    } else if (!state_.is_open()) {
        lose(now, source_loss::broken,
             is_connected_ ? "no answer in time" : "no connection in time");
    } else {
        lose(now, source_loss::broken,
             has_come(event_due_, now) ? "no event in time" : "no byte in time");
    }
    state_.drop_transfer();
}

// The connection is gone, or will not come about.
template <class Source>
void source_machine<Source>::lose(time_point now, source_loss how, std::string_view why,
                                  milliseconds at_least) noexcept {
    const bool was_open = state_.is_open();
    failure_ = short_text(why);
    was_cut_ = reader_.end() && was_open;
    state_.wait_until(never); // from here on there is no transfer
    if (is_over_) return finish(source_end::completed);
    if (!attempts_.may_repeat(options_, how)) {
        if (was_open && options_.is_last) return finish(source_end::cut_short);
        const bool ended = was_open && how == source_loss::in_order;
        return finish(ended ? source_end::completed : source_end::not_repeated);
    }
    const time_point healthy = later(state_.opened(), options_.healthy_after);
    if (attempts_.fail(options_, was_open, has_come(healthy, now))) {
        return finish(source_end::too_many_failures);
    }
    request_.begin_again();
    const milliseconds asked =
        (std::max)(reader_.parser().retry().value_or(options_.reconnection_time), at_least);
    state_.wait_until(later(now, attempts_.delay(options_, asked)));
    tell();
}

} // namespace ssekit::inline SSEKIT_ABI::detail

#endif
