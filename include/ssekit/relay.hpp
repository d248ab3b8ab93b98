// SPDX-License-Identifier: MIT
//
// A hub beyond one process: what is published goes into a journal, which several nodes share, and
// what the journal has comes to the hub of each, also to that of the publisher. Nothing is
// published locally first, so the order is the log's alone, each event has one id on all nodes, and
// a client may come back to any of them.
//
//     hub:     hub_options.ids = event_ids::by_sequence; the epoch may be any, the relay sets it
//     loop:    when the relay's waker has fired:  while (relay.turn(hub)) let_others_have_a_turn();
//     publish: relay.publish("orders", {.data = "..."}, {}, {.done = ...})
//
// Threads do what blocks: one appends, another reads, each with a journal of its own. The
// loop only ever hands over and takes over, in parts that have a bound. Publishing puts the event
// into a queue; when it is stored `done` is told, which may be before or after the event arrives.
// While the engine is away the queue fills up to its bound, attempts are made again and again, and
// what is in doubt is sent once more with its number, so that it is stored once. Streams live on
// meanwhile, and notice nothing but silence.
//
// A stream that has missed more than its hub keeps, of gap_policy::fetch, is fed from the log by a
// third thread. It asks in `turn`, so let `hub_options::on_need` ring the same bell as the waker.
//
// Where the engine has lost something that it had acknowledged, its log has another term: the hub
// begins a new epoch and each stream is told of a gap. Where the log has been trimmed before this
// node could read it, each stream is told of what is lost. A record that nobody here can read is
// skipped, and counted.
#ifndef SSEKIT_RELAY_HPP
#define SSEKIT_RELAY_HPP

#include <ssekit/detail/base/random.hpp>
#include <ssekit/detail/relay/follower.hpp>
#include <ssekit/detail/relay/history.hpp>
#include <ssekit/detail/relay/inbox.hpp>
#include <ssekit/detail/relay/outbox.hpp>
#include <ssekit/detail/source/backoff.hpp>
#include <ssekit/errc.hpp>
#include <ssekit/event.hpp>
#include <ssekit/event_key.hpp>
#include <ssekit/event_place.hpp>
#include <ssekit/event_target.hpp>
#include <ssekit/journal.hpp>
#include <ssekit/journal_entry.hpp>
#include <ssekit/relay_options.hpp>
#include <ssekit/waker.hpp>

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <mutex>
#include <optional>
#include <random>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

namespace ssekit::inline SSEKIT_ABI {

/// Thread safety: for any thread at any time, but for `turn`, which is for one at a time, and
/// `stop`. Memory that is not there ends the program on the relay's threads; it has bounds.
template <journal Journal>
class relay {
  public:
    /// Effects: makes three journals of `arguments`, and starts a thread for each.
    /// \param wake fired when `turn` has something to do, once until it has returned false. It only
    /// posts or notifies. Lifetime: what it calls outlives the relay.
    /// Throws std::bad_alloc, std::system_error, and what the journals throw.
    template <class... Arguments>
    relay(relay_options options, waker wake, Arguments&&... arguments)
        : options_(std::move(options)), wake_(wake), reading_(arguments...), writing_(arguments...),
          fetching_(arguments...), outbox_(options_.max_queue, options_.max_queue_bytes),
          follower_(options_.ring) {
        if (options_.producer.empty()) options_.producer = random_name();
        reader_ = std::thread([this] { read(); });
        writer_ = std::thread([this] { write(); });
        fetcher_ = std::thread([this] { fetch(); });
    }
    relay(const relay&) = delete;
    relay& operator=(const relay&) = delete;
    /// Effects: as `stop`; then nobody is told of what was left.
    ~relay() { stop(); }

    /// Effects: queues the event for the log. It blocks no longer than a copy takes.
    /// \param target topics, a tag, all, or a topic that is closed with it, then also without data
    /// \returns errc::ok: `done` will be told. queue_is_full: try again later. closed. What
    /// `append_entry` says. Throws std::bad_alloc, and then nothing is queued.
    errc publish(const event_target& target, const event_view& event, event_key key = {},
                 const relay_publish_options& options = {}) {
        std::string entry;
        const errc code = append_entry(entry, {target, event, key});
        if (code != errc::ok) return code;
        const std::lock_guard locked(lock_);
        const errc queued = outbox_.push(std::move(entry), options);
        if (queued == errc::queue_is_full) ++metrics_.queue_full;
        if (queued != errc::ok) return queued;
        ++metrics_.published;
        to_writer_.notify_one();
        return errc::ok;
    }

    /// Effects: gives the hub what has come, and tells publishers what has become of their events,
    /// up to `relay_options::turn_records`. `Hub` is a hub, or whatever has its functions.
    /// \returns whether there is more to do.
    template <class Hub>
    bool turn(Hub& hub);

    /// Effects: takes no more events; what is queued is still stored. See `is_flushed`.
    void close() noexcept {
        const std::lock_guard locked(lock_);
        outbox_.close();
        to_writer_.notify_one();
    }
    /// Whether nothing is queued, and all publishers have been told.
    [[nodiscard]] bool is_flushed() const noexcept {
        const std::lock_guard locked(lock_);
        return outbox_.size() == 0 && results_.empty();
    }

    /// Effects: ends the threads; it takes as long as a call of a journal does. What is not stored
    /// has its outcome, closed or in_doubt, in the next turn. Safe to repeat.
    /// Thread safety: nothing else is called meanwhile.
    void stop();

    /// Whether clients may come: the hub has what the log had when the relay began.
    [[nodiscard]] bool is_ready() const noexcept {
        const std::lock_guard locked(lock_);
        return ready_;
    }
    [[nodiscard]] relay_health health() const {
        const std::lock_guard locked(lock_);
        return {ready_, reader_connected_ && writer_connected_, error_};
    }
    [[nodiscard]] relay_metrics metrics() const noexcept {
        const std::lock_guard locked(lock_);
        relay_metrics now = metrics_;
        now.lag = newest_ - (std::min)(newest_, told_.offset);
        now.queue = outbox_.size();
        now.queue_bytes = outbox_.bytes();
        return now;
    }

  private:
    using milliseconds = std::chrono::milliseconds;
    using guard = std::unique_lock<std::mutex>;

    /// How long to wait for the engine, longer with each failure in a row.
    class patience {
      public:
        void succeed() noexcept { failures_ = 0; }
        [[nodiscard]] milliseconds next(const relay_options& options) noexcept {
            const detail::delay_bounds bounds{options.retry_min, options.retry_max,
                                              options.retry_max};
            return draw(detail::delay_after(options.retry_min, failures_++, bounds), random_);
        }

      private:
        unsigned failures_ = 0;
        detail::random_sequence random_{std::random_device()()};
    };

    static std::string random_name() {
        std::random_device random;
        std::string name;
        for (int i = 0; i < 32; ++i) name += "0123456789abcdef"[random() % 16];
        return name;
    }

    /// What a thread has found. Where it failed, `error` says why.
    struct finding {
        bool failed = false;
        std::string error = {};
        bool opened = false;
    };

    void write();
    void read();
    void fetch();
    void read_history(const history_need& need, bool& open, std::uint64_t& term, finding& found,
                      std::optional<detail::relay_history>& made);
    template <class Hub>
    void tell(Hub& hub, guard& locked);
    template <class Hub>
    void feed(Hub& hub, guard& locked);
    void tell_publishers(guard& locked);
    finding look(detail::relay_page& page, bool& open);
    static finding failure(std::string_view why) { return {true, std::string(why)}; }

    void wake_loop() noexcept { // with the lock
        if (std::exchange(woken_, true) || !wake_) return;
        wake_();
    }
    void note(const finding& found, bool& connected) { // with the lock
        connected = !found.failed;
        if (!found.failed) return;
        error_ = found.error;
        ++metrics_.failures;
    }
    void hand_over(std::vector<detail::relay_result>& results);
    void hand_over(detail::relay_page&& page);
    void add(const relay_metrics& counts) noexcept;

    relay_options options_;
    waker wake_;
    Journal reading_;  // of the reader's thread
    Journal writing_;  // of the writer's
    Journal fetching_; // of the third

    mutable std::mutex lock_; // of all that follows
    std::condition_variable to_writer_;
    std::condition_variable to_reader_;
    std::condition_variable to_fetcher_;
    detail::relay_outbox outbox_;
    std::deque<detail::relay_result> results_;
    std::deque<detail::relay_page> inbox_; // whose first belongs to `turn`
    std::size_t inbox_bytes_ = 0;
    detail::history_queue asked_;
    std::deque<detail::relay_history> histories_; // whose first belongs to `turn`
    std::size_t history_bytes_ = 0;
    relay_metrics metrics_;
    std::string error_;
    bool reader_connected_ = false;
    bool writer_connected_ = true; // as long as it has not been tried
    bool ready_ = false;
    bool woken_ = false;
    bool ending_ = false;
    std::optional<std::uint64_t> aim_;
    std::uint64_t newest_ = 0; // of the log, as far as is known
    event_place told_;         // the hub
    std::uint64_t noted_ = 0;  // how often the hub has been told the newest

    detail::log_follower follower_; // of the reader's thread
    entry_reader entries_;          // of `turn`
    std::vector<history_need> needs_;
    std::thread reader_;
    std::thread writer_;
    std::thread fetcher_;
};

// ---- how

template <journal Journal>
void relay<Journal>::hand_over(std::vector<detail::relay_result>& results) {
    for (detail::relay_result& each : results) {
        switch (each.outcome.ec) {
        case errc::ok: ++(each.outcome.repeated ? metrics_.repeated : metrics_.stored); break;
        case errc::in_doubt: ++metrics_.in_doubt; break;
        default: ++metrics_.not_stored;
        }
        results_.push_back(std::move(each));
    }
    if (!results.empty()) wake_loop();
    results.clear();
}

template <journal Journal>
void relay<Journal>::hand_over(detail::relay_page&& page) {
    inbox_bytes_ += page.size();
    inbox_.push_back(std::move(page));
    wake_loop();
}

template <journal Journal>
void relay<Journal>::write() {
    patience waits;
    bool open = false;
    std::uint64_t term = 0;
    std::uint64_t to_trim = 0; // stored since the log was trimmed
    std::vector<appended> ends;
    std::vector<detail::relay_result> results;
    guard locked(lock_);
    for (;;) {
        to_writer_.wait(locked,
                        [&] { return ending_ || outbox_.is_closed() || outbox_.size() != 0; });
        if (ending_ || outbox_.size() == 0) break; // closed
        if (open && options_.gather.count() > 0) {
            to_writer_.wait_for(locked, options_.gather, [&] {
                return ending_ || outbox_.is_closed() || outbox_.size() >= options_.max_batch;
            });
            if (ending_) break;
        }
        finding found;
        if (!open) {
            locked.unlock();
            const journal_bounds bounds = writing_.open();
            open = bounds.status == journal_status::ok;
            if (!open) found = failure(writing_.error());
            locked.lock();
            if (open) {
                term = bounds.term;
                outbox_.reopened(term, results);
                hand_over(results);
            }
        } else {
            const auto records = outbox_.take(options_.max_batch, options_.max_batch_bytes);
            const std::uint64_t number = outbox_.first_number();
            locked.unlock();
            ends.assign(records.size(), appended());
            const journal_status status = writing_.append(options_.producer, number, records, ends);
            open = status == journal_status::ok;
            const std::string why(writing_.error());
            if (status == journal_status::away) found = failure(why);
            locked.lock();
            if (!open) ++metrics_.retried;
            outbox_.settle(status, ends, term, why, results);
            to_trim += results.size();
            hand_over(results);
        }
        note(found, writer_connected_);
        if (found.failed) {
            to_writer_.wait_for(locked, waits.next(options_), [&] { return ending_; });
            continue;
        }
        waits.succeed();
        if (open && options_.keep != 0 && to_trim > options_.keep / 8) {
            locked.unlock();
            open = writing_.trim(options_.keep) == journal_status::ok;
            locked.lock();
            to_trim = 0;
        }
    }
}

template <journal Journal>
typename relay<Journal>::finding relay<Journal>::look(detail::relay_page& page, bool& open) {
    const bool opens = !open;
    if (opens) {
        const journal_bounds bounds = reading_.open();
        if (bounds.status != journal_status::ok) return failure(reading_.error());
        switch (follower_.opened(bounds)) {
        case detail::log_follower::opening::begins: page.begins = follower_.place(); break;
        case detail::log_follower::opening::goes_on: break;
        case detail::log_follower::opening::went_back:
            return failure("the log has lost its end and has no other term");
        }
        open = true;
    }
    const journal_page found =
        reading_.read(follower_.place().offset, options_.page,
                      [&page](std::uint64_t offset, std::string_view entry) noexcept {
                          page.add(offset, entry);
                      });
    switch (found.status) {
    case journal_status::ok:
    case journal_status::lost: page.lost_through = follower_.read(found, page.first()); return {};
    case journal_status::other_term:
        open = false;
        return opens ? failure("the log is another one each time") : finding();
    case journal_status::away: break;
    }
    open = false;
    return failure(reading_.error());
}

template <journal Journal>
void relay<Journal>::read() {
    using clock = std::chrono::steady_clock;
    patience waits;
    bool open = false;
    clock::time_point last_page = clock::now();
    guard locked(lock_);
    while (!ending_) {
        if (inbox_bytes_ > options_.max_inbox_bytes) {
            to_reader_.wait(locked);
            continue;
        }
        detail::relay_page page;
        page.asked = noted_;
        locked.unlock();
        finding found = look(page, open);
        page.term = follower_.place().epoch;
        page.newest = follower_.newest();
        const bool idle = open && follower_.place().offset >= page.newest;
        const bool news = page.begins || page.lost_through != 0 || page.first() != 0;
        const clock::time_point now = clock::now();
        const bool due = idle && now - last_page >= options_.remind;
        locked.lock();
        note(found, reader_connected_);
        newest_ = page.newest;
        metrics_.term_changes = follower_.term_changes();
        if (found.opened) ++metrics_.connects;
        if (!aim_) aim_ = follower_.aim();
        if (news || due) {
            last_page = now;
            hand_over(std::move(page));
        }
        if (found.failed) {
            to_reader_.wait_for(locked, waits.next(options_), [&] { return ending_; });
            continue;
        }
        waits.succeed();
        if (!idle || news) continue; // there may be more already
        locked.unlock();
        const journal_status status = reading_.wait(follower_.place().offset, options_.wait);
        if (status == journal_status::away) found = failure(reading_.error());
        open = status == journal_status::ok;
        locked.lock();
        if (found.failed) note(found, reader_connected_);
    }
}

template <journal Journal>
void relay<Journal>::add(const relay_metrics& counts) noexcept {
    metrics_.received += counts.received;
    metrics_.lost += counts.lost;
    metrics_.not_records += counts.not_records;
    metrics_.newer += counts.newer;
    metrics_.malformed += counts.malformed;
    metrics_.not_taken += counts.not_taken;
}

template <journal Journal>
void relay<Journal>::fetch() {
    patience waits;
    bool open = false;
    std::uint64_t term = 0;
    guard locked(lock_);
    for (;;) {
        to_fetcher_.wait(locked, [&] {
            return ending_ || (!asked_.empty() && history_bytes_ <= options_.max_inbox_bytes);
        });
        if (ending_) return;
        const history_need need = asked_.take();
        locked.unlock();
        finding found;
        std::optional<detail::relay_history> made;
        read_history(need, open, term, found, made);
        locked.lock();
        if (made) {
            waits.succeed();
            ++metrics_.history_pages;
            history_bytes_ += made->page.size();
            histories_.push_back(std::move(*made));
            wake_loop();
        } else if (found.failed) { // the stream has its heartbeats, and waits
            error_ = found.error;
            ++metrics_.failures;
            asked_.put_back(need);
            to_fetcher_.wait_for(locked, waits.next(options_), [&] { return ending_; });
        } else { // its term is over, which the hub learns from the reader
            asked_.settle(need.stream);
        }
    }
}

template <journal Journal>
void relay<Journal>::read_history(const history_need& need, bool& open, std::uint64_t& term,
                                  finding& found, std::optional<detail::relay_history>& made) {
    if (!open || term != need.after.epoch) {
        const journal_bounds bounds = fetching_.open();
        open = bounds.status == journal_status::ok;
        term = bounds.term;
        if (!open) found = failure(fetching_.error());
        if (!open || term != need.after.epoch) return;
    }
    detail::relay_history next{need};
    const journal_page page =
        fetching_.read(need.after.offset, options_.page,
                       [&next](std::uint64_t offset, std::string_view entry) noexcept {
                           next.page.add(offset, entry);
                       });
    open = page.status == journal_status::ok || page.status == journal_status::lost;
    if (!open) {
        if (page.status == journal_status::away) found = failure(fetching_.error());
        return;
    }
    next.read(page);
    made.emplace(std::move(next));
}

template <journal Journal>
void relay<Journal>::tell_publishers(guard& locked) {
    std::vector<detail::relay_result> results;
    while (!results_.empty() &&
           results.size() < (std::max)(options_.turn_records, std::size_t{1})) {
        results.push_back(std::move(results_.front()));
        results_.pop_front();
    }
    locked.unlock();
    for (detail::relay_result& each : results) {
        each.outcome.why = each.why;
        if (each.done) each.done(each.outcome);
    }
    locked.lock();
}

template <journal Journal>
template <class Hub>
void relay<Journal>::tell(Hub& hub, guard& locked) {
    std::size_t records = (std::max)(options_.turn_records, std::size_t{1});
    std::size_t bytes = (std::max)(options_.turn_bytes, std::size_t{1});
    while (!inbox_.empty()) {
        detail::relay_page& page = inbox_.front(); // stays, while more comes after it
        locked.unlock();
        relay_metrics counts;
        const bool done = page.tell(hub, entries_, records, bytes, counts);
        locked.lock();
        add(counts);
        if (page.told_through() != 0 || told_.epoch != page.term) {
            told_ = {page.term, page.told_through()};
        }
        ready_ = ready_ || told_.offset >= aim_.value_or(0);
        if (!done) return;
        // Only if nothing is known that is newer, and it was asked since the hub was told last.
        const bool tells = inbox_.size() == 1 && page.asked == noted_;
        const event_place newest{page.term, page.newest};
        inbox_bytes_ -= page.size();
        inbox_.pop_front();
        to_reader_.notify_one();
        if (!tells) continue;
        locked.unlock();
        static_cast<void>(hub.note_newest(newest)); // the follower sees a log that goes back
        locked.lock();
        ++noted_;
    }
}

template <journal Journal>
template <class Hub>
void relay<Journal>::feed(Hub& hub, guard& locked) {
    std::size_t records = (std::max)(options_.turn_records, std::size_t{1});
    std::size_t bytes = (std::max)(options_.turn_bytes, std::size_t{1});
    while (!histories_.empty()) {
        detail::relay_history& history = histories_.front();
        locked.unlock();
        const bool done = history.feed(hub, entries_, records, bytes);
        locked.lock();
        if (!done) return;
        asked_.settle(history.need.stream);
        history_bytes_ -= history.page.size();
        histories_.pop_front();
        to_fetcher_.notify_one();
    }
    locked.unlock();
    needs_.clear();
    hub.for_each_need([this](const history_need& need) { needs_.push_back(need); });
    locked.lock();
    bool more = false;
    for (const history_need& each : needs_) more = asked_.ask(each) || more;
    if (more) to_fetcher_.notify_one();
}

template <journal Journal>
template <class Hub>
bool relay<Journal>::turn(Hub& hub) {
    guard locked(lock_);
    tell_publishers(locked);
    tell(hub, locked);
    feed(hub, locked);
    woken_ = !inbox_.empty() || !results_.empty() || !histories_.empty();
    return woken_;
}

template <journal Journal>
void relay<Journal>::stop() {
    {
        const std::lock_guard locked(lock_);
        ending_ = true;
        to_writer_.notify_one();
        to_reader_.notify_one();
        to_fetcher_.notify_one();
    }
    if (writer_.joinable()) writer_.join();
    if (fetcher_.joinable()) fetcher_.join();
    if (reader_.joinable()) reader_.join();
    const std::lock_guard locked(lock_);
    std::vector<detail::relay_result> results;
    outbox_.end(results);
    hand_over(results);
}

} // namespace ssekit::inline SSEKIT_ABI

#endif
