// SPDX-License-Identifier: MIT
//
// The naive model of a hub that hub.cpp compares with: every event for ever, the logs as lists
// (hub_log.hpp), and for each stream what it has to give out next (hub_stream.hpp). It is told what
// is done to the hub, and sees what streams prepare, frame by frame.
#ifndef SSEKIT_FUZZ_HUB_MODEL_HPP
#define SSEKIT_FUZZ_HUB_MODEL_HPP

#include "hub_connection.hpp"
#include "hub_registry.hpp"

#include <ssekit/hub.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace fuzz {

class model : protected registry {
  protected:
    // ---- ids

    /// The newest event through this offset of those that the stream's own logs hold, or the last
    /// that has gone from one; 0 if there is none.
    [[nodiscard]] std::uint64_t own_newest(const stream_model& m, std::uint64_t through) const {
        std::uint64_t best = 0;
        for (const stream_model::reader& r : m.readers) {
            const std::size_t gone = r.log->gone;
            for (std::size_t p = gone == 0 ? 0 : gone - 1; p < r.log->all.size(); ++p) {
                if (r.log->all[p]->offset <= through) best = std::max(best, r.log->all[p]->offset);
            }
        }
        return best;
    }
    /// The id for a stream that has what came through this offset: where publishers give ids, of its
    /// newest own event, as long as that id is remembered; "" if there is none.
    [[nodiscard]] std::string id_for(const stream_model& m, std::uint64_t through) const {
        if (!has_ids()) return "";
        if (options_.ids != ssekit::event_ids::by_publisher) return id_text(through);
        const std::uint64_t best = own_newest(m, through);
        for (std::size_t i = first_id(); i < given_ids_.size(); ++i) {
            if (given_ids_[i].second == best) return given_ids_[i].first;
        }
        return "";
    }

    // Whether an event that the stream would have got after `seen` is lost, and whether the hub may
    // think so.
    void lost_after(std::uint64_t seen, const stream_model& m, bool& must, bool& may) const {
        const logs reads = m.reads();
        for (const event_ptr& e : events_) {
            if (e->offset <= seen || (e->in & reads) == 0) continue;
            bool here = false, missing = false;
            for (const stream_model::reader& r : m.readers) {
                if (!has(e->in, r.log->bit)) continue;
                (r.log->holds(e->offset) ? here : missing) = true;
            }
            may = may || missing;
            must = must || (missing && !here);
        }
        for (const stream_model::reader& r : m.readers) may = may || r.log->maybe_lost > seen;
        // A closed topic misses nothing of what a sequence numbers later.
        const bool open = std::any_of(m.readers.begin(), m.readers.end(),
                                      [](const auto& r) { return !r.log->closed; });
        for (const auto& hole : sequence_holes_) {
            may = may || hole.through > seen;
            must = must || (open && hole.has_to_come && hole.through > seen);
        }
        may = may || must || struck_ever_ || memory_.struck;
    }

    // ---- what streams give out

    static std::string gap_text(std::string_view reason, std::uint64_t missed = 0) {
        std::string out = "{\"reason\":\"" + std::string(reason) + "\"";
        if (missed != 0) out += ",\"missed\":" + std::to_string(missed);
        return out + "}";
    }

    // What the id stands for that has this name in a gap.
    [[nodiscard]] std::optional<std::uint64_t> offset_in(std::string_view text,
                                                         std::string_view name) const {
        const std::size_t at = text.find(name);
        if (at == text.npos) return std::nullopt;
        const std::string_view id = text.substr(at + name.size());
        return offset_of(std::string(id.substr(0, id.find('"'))));
    }

    [[nodiscard]] std::string caught_up(const std::string& id) const {
        const std::string data = id.empty() ? "{}" : "{\"cursor\":\"" + id + "\"}";
        ssekit::event_view event{.type = options_.caught_up_type.view(), .data = data};
        if (!id.empty()) event.id = id;
        return encoded(event);
    }
    [[nodiscard]] static std::optional<std::string> caught_up_id(std::string_view text) {
        if (!text.starts_with("id: ") || text.find("\nevent: now\n") == text.npos) return {};
        return std::string(text.substr(4, text.find('\n') - 4));
    }

    // The range of a gap, and with it its number, if `from` says so, is left out; it is one of events
    // that there have been.
    std::string without(std::string_view from, std::string_view text) {
        std::string out(text);
        if (text.find("\ndata: {\"re") == text.npos) return out;
        const auto first = offset_in(text, ",\"from\":\"");
        const auto last = offset_in(text, ",\"through\":\"");
        if (options_.ids == ssekit::event_ids::by_hub && last) {
            check(*last <= last_ && first.value_or(0) < *last, "a gap's range is one");
        }
        std::size_t at = out.npos;
        for (const std::string_view name :
             {from, std::string_view(",\"from\""), std::string_view(",\"through\"")}) {
            at = std::min(at, out.find(name));
        }
        if (at != out.npos) out.replace(at, out.npos, "}\n\n");
        return out;
    }

    stream_model::step look(connection& c) {
        c.model.forgetful = struck_ever_ || memory_.struck;
        return c.model.look(now_, closed_);
    }

    // With the id first, and with a blank line after a comment.
    [[nodiscard]] std::string in_usual_form(std::string_view text) const {
        const bool is_line = options_.comments == ssekit::comment_form::line;
        if (text == (is_line ? ":\n" : ":\n\n")) return ":\n\n";
        std::string out(text);
        const std::size_t end = out.find('\n') + 1;
        const bool swapped = out.starts_with("event: ") && out.compare(end, 4, "id: ") == 0;
        check(!swapped || options_.order == ssekit::field_order::type_first, "the id comes first");
        if (swapped) {
            std::rotate(out.begin(), out.begin() + static_cast<std::ptrdiff_t>(end),
                        out.begin() + static_cast<std::ptrdiff_t>(out.find('\n', end) + 1));
        }
        return out;
    }

    void give_out(connection& c, std::string_view piece) {
        check(!c.terminated, "nothing follows the last chunk");
        if (c.stream.end() != stream_end::open && !ssekit::is_abrupt(c.stream.end()) &&
            !options_.end_type.view().empty()) {
            constexpr std::array words{"detached", "", "expired", "evicted", "topic_closed",
                                       "closed",   "", "",        "replaced"};
            const auto word = static_cast<std::size_t>(c.stream.end()) -
                              static_cast<std::size_t>(stream_end::detached);
            const std::string data = "{\"reason\":\"" + std::string(words[word]) + "\"}";
            const ssekit::frame said = ssekit::frame::make({.type = "end", .data = data}).frame;
            const bool chunked = c.with.framing == ssekit::framing::chunked;
            if (piece == std::string(said.in(c.with.framing)) + (chunked ? "0\r\n\r\n" : "")) {
                c.terminated = true;
                return;
            }
        }
        std::string_view text = piece;
        if (c.with.framing == ssekit::framing::chunked) {
            if (piece == "0\r\n\r\n") {
                const stream_end end = c.stream.end();
                check(end != stream_end::open && !ssekit::is_abrupt(end), "a proper end is one");
                c.terminated = true;
                return;
            }
            text.remove_prefix(text.find("\r\n") + 2);
            text.remove_suffix(2);
        }
        const std::string usual = in_usual_form(text);
        text = usual;
        check(!c.bye && !c.detached, "nothing follows the last words");
        if (std::exchange(c.opening_due, false)) {
            return opening(c, without(",\"missed\"", text));
        }
        if (c.gives_way) {
            check_same(text, std::string_view(c.words), "a stream that gives way says that alone");
            return c.words.clear();
        }
        std::string shortened;
        const std::uint64_t reaches = offset_in(text, ",\"through\":\"").value_or(0);
        if (text.find("\ndata: {\"reason\":") != text.npos) {
            shortened = without(",\"from\"", text);
            text = shortened;
        }
        if (text.starts_with("id: ") &&
            text.find("\nevent: gap\ndata: {\"reason\":\"missed\"") != text.npos) {
            return gap_of_sequence(c, text);
        }
        const bool is_gap = text.starts_with("event: gap\n");
        const bool uncounted =
            is_gap && text == encoded({.type = "gap", .data = gap_text("lagged")});
        stream_model before = c.model;
        using kind = stream_model::kind;
        const stream_model::step s = look(c);
        if (s.what == kind::value) {
            check_same(text, std::string_view(s.event->wire),
                       "the newest of each key come in order");
            c.model.given = c.told_offset = s.event->offset;
            c.told_id = has_ids() ? id_text(s.event->offset) : "";
            return;
        }
        auto& sent = c.model.sent;
        const bool sent_first = !sent.empty() && sent.front().after < s.offset;
        // A gap for what was passed in silence; where the one that is due can do without its number,
        // it is that.
        if (!c.model.maybe.empty() && uncounted &&
            (sent_first || s.what != kind::gap || !s.unsure)) {
            return c.model.told_of_maybe(reaches, last_);
        }
        const bool detached = text == "retry: 5000\n\n" && c.with.on_lag == lag_policy::detach;
        if (!c.model.maybe.empty() && detached) {
            c.detached = true;
            return;
        }
        if (sent_first) {
            check_same(text, std::string_view(sent.front().wire),
                       "what is sent comes in its place");
            std::swap(c.model, before); // nothing else has been passed
            for (std::size_t i = 0; i != before.readers.size(); ++i) {
                c.model.readers[i].heard = before.readers[i].heard;
            }
            if (const auto id = caught_up_id(text)) c.told_id = *id;
            if (text.find("\nevent: gap\n") != text.npos) c.told_id = id_text(sent.front().after);
            sent.pop_front();
            return;
        }
        using kind = stream_model::kind;
        if (s.what == kind::event) {
            check_same(text, std::string_view(s.event->wire), "what is due comes, in order");
            for (const auto& hole : c.model.holes) {
                check(!hole.has_to_come || hole.through > s.offset, "a hole of a sequence is told");
            }
            c.model.leave(s, now_, last_, closed_);
            if (!s.event->is_kept) return;
            c.told_id = has_ids() ? id_text(s.offset) : "";
            c.told_offset = s.offset;
            return;
        }
        if (s.what == kind::gap || (is_gap && s.either)) {
            const std::string data = gap_text("lagged", uncounted ? 0 : s.missing);
            check_same(text, std::string_view(encoded({.type = "gap", .data = data})),
                       "a gap stands where events are missing, and counts them");
            const bool newest = c.model.on_lag == lag_policy::newest_of_each_key;
            check(newest ? uncounted : !uncounted || s.unsure || struck_ever_,
                  "a gap says how much, where that is known");
            c.model.cross(s);
            if (newest) c.model.go_on_with_newest(last_);
            return;
        }
        if (s.what == kind::end) {
            check(c.with.on_lag == lag_policy::detach,
                  "a stream that has lagged gives out no more");
            check_same(text, std::string_view("retry: 5000\n\n"),
                       "a client whose stream is detached is told to wait");
            c.detached = true;
            return;
        }
        if (closed_ && (s.what == kind::nothing || c.fetching)) return last_words(c, text);
        if (c.fetching) return heartbeat_while_fed(c, text);
        heartbeat(c, text, s.what == kind::nothing);
    }

    void opening(connection& c, std::string_view text) {
        constexpr std::array words{"fresh", "resumed", "malformed", "unknown", "expired", "future"};
        const std::string word = words[static_cast<std::size_t>(c.worth)];
        std::string& id = c.opening_id;
        if (!sequence_holes_.empty()) { // which of them its logs know nobody sees
            id = std::string(text.substr(4, text.find('\n') - 4));
            check(offset_of(id) <= std::max(last_, c.model.seen), "the opening's id is known");
        }
        std::string data;
        ssekit::event_view view{.retry = options_.retry};
        if (!id.empty()) view.id = id;
        if (options_.opening == ssekit::opening_form::verdict) {
            data = "{\"resumption\":\"" + word + "\"";
            if (!id.empty()) data += ",\"cursor\":\"" + id + "\"";
            data += "}";
            view.type = "opening", view.data = data;
        } else if (c.worth > resumption::resumed) {
            data = gap_text(word);
            view.type = "gap", view.data = data;
        } else if (options_.opening == ssekit::opening_form::empty_data && !id.empty()) {
            view.data = data;
        }
        const bool is_comment = !view.data && !view.id && !view.retry; // a byte has to come
        if (is_comment && options_.comments == ssekit::comment_form::line) c.opens = false;
        const std::string right = is_comment ? ":\n\n" : encoded(view);
        check_same(text, std::string_view(right), "a stream begins with its opening");
        c.told_id = id;
    }

    void gap_of_sequence(connection& c, std::string_view text) {
        auto& holes = c.model.holes;
        const auto found = std::find_if(holes.begin(), holes.end(), [&](const auto& hole) {
            const std::string id = id_text(hole.through);
            return text == encoded({.id = id, .type = "gap", .data = gap_text("missed")});
        });
        check(found != holes.end(), "a hole of a sequence is told once");
        c.told_id = id_text(found->through);
        stream_model after = c.model;
        const std::uint64_t through = found->through;
        check(after.look(now_, closed_).offset > through, "what is older comes first");
        std::erase_if(holes, [&](const auto& hole) { return hole.through <= through; });
    }

    void last_words(connection& c, std::string_view text) {
        if (text.starts_with("retry: ")) {
            check(!std::exchange(c.retried, true), "the reconnection time is told once");
            check(close_retry_ && text >= "retry: 1" && text < "retry: 4", "as it was asked");
        } else {
            check_same(text, std::string_view("event: bye\ndata: \n\n"), "the farewell is said");
            check(farewell_, "no farewell without need");
            c.bye = true;
        }
    }

    // The id is that up to which it was fed, or none.
    void heartbeat_while_fed(connection& c, std::string_view text) {
        const bool event = !options_.heartbeat_type.view().empty();
        const std::string id = id_text(c.fed);
        if (text == beat_) return;
        check_same(text, std::string_view("id: " + id + "\n" + (event ? beat_ : ":\n\n")),
                   "a heartbeat tells how far a stream was fed");
        c.told_id = id;
    }

    void heartbeat(connection& c, std::string_view text, bool has_read) {
        const auto interval = c.with.heartbeat.value_or(options_.heartbeat.interval);
        check(interval > 0ms, "no heartbeats unless asked for");
        check(now_ - c.progress >= interval * 9 / 10 - accuracy(), "a heartbeat fills silence");
        const bool event = !options_.heartbeat_type.view().empty();
        const std::string id = id_for(c.model, last_);
        const bool by_publisher = options_.ids == ssekit::event_ids::by_publisher;
        const std::uint64_t own = own_newest(c.model, last_);
        if (text.starts_with("id: ")) {
            check(has_read && options_.heartbeat_id && !id.empty(), "no id passes what is due");
            check_same(text, std::string_view("id: " + id + "\n" + (event ? beat_ : ":\n\n")),
                       "a heartbeat brings the newest id");
            for (const auto& hole : c.model.holes) check(!hole.has_to_come, "nor a hole");
            check(!by_publisher || own > c.told_offset, "no id goes back");
            c.told_id = id;
            c.told_offset = own;
        } else {
            check_same(text, std::string_view(beat_), "what is given out is due");
            check(!has_read || !options_.heartbeat_id || last_ == 0 || c.model.seen > last_ ||
                      !sequence_holes_.empty() || id.empty() || c.told_id == id ||
                      (by_publisher && own <= std::max(c.told_offset, c.begins_after)) ||
                      memory_.struck,
                  "the client's id goes on with the hub");
        }
    }
};

} // namespace fuzz

#endif
