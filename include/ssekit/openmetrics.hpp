// SPDX-License-Identifier: MIT
//
// What a hub counts, as text for Prometheus and other readers of the same format.
//
// One family of metrics may appear only once in an answer, so several hubs are printed in one call,
// told apart by their labels. An OpenMetrics answer ends with `openmetrics_end`, after whatever
// else the program reports.
//
// Spec: OpenMetrics 1.0; Prometheus text exposition format 0.0.4.
#ifndef SSEKIT_OPENMETRICS_HPP
#define SSEKIT_OPENMETRICS_HPP

#include <ssekit/detail/base/decimal.hpp>
#include <ssekit/errc.hpp>
#include <ssekit/hub_metrics.hpp>

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

namespace ssekit::inline SSEKIT_ABI {

enum class metrics_format : std::uint8_t {
    openmetrics, ///< application/openmetrics-text; version=1.0.0; charset=utf-8
    prometheus,  ///< text/plain; version=0.0.4; charset=utf-8
};

/// The media type of an answer in this format. Lifetime: static.
[[nodiscard]] constexpr std::string_view media_type(metrics_format format) noexcept {
    return format == metrics_format::openmetrics
               ? "application/openmetrics-text; version=1.0.0; charset=utf-8"
               : "text/plain; version=0.0.4; charset=utf-8";
}

/// The last line of an OpenMetrics answer.
inline constexpr std::string_view openmetrics_end = "# EOF\n";

/// One hub of several.
struct labelled_metrics {
    hub_metrics metrics;
    /// As they appear between the braces, `hub="orders"`; values are escaped by the caller.
    std::string_view labels = {};
};

namespace detail {

struct metric {
    std::string_view name;
    std::string_view help;
    std::uint64_t hub_metrics::*value;
    bool counter = true;
    std::string_view label = {}; // of one sample of a family; the following rows have the others
};

inline constexpr metric metrics_table[] = {
    {"ssekit_subscribers", "Open streams.", &hub_metrics::subscribers, false},
    {"ssekit_topics", "Topics and patterns.", &hub_metrics::topics, false},
    {"ssekit_tags", "Tags.", &hub_metrics::tags, false},
    {"ssekit_log_bytes", "Encoded events kept for replay and delivery.", &hub_metrics::log_bytes,
     false},
    {"ssekit_newest_values", "Events kept as the newest of their keys.", &hub_metrics::values,
     false},
    {"ssekit_present_tags", "Tags that have a stream, or are in their grace.",
     &hub_metrics::tags_present, false},
    {"ssekit_lag_events_max", "Most events that a subscriber has been behind.",
     &hub_metrics::max_lag, false},
    {"ssekit_subscriptions", "Attempts to subscribe.", &hub_metrics::accepted, true,
     "result=\"accepted\""},
    {"ssekit_subscriptions", "", &hub_metrics::refused, true, "result=\"refused\""},
    {"ssekit_published_events", "Events published.", &hub_metrics::published},
    {"ssekit_delivered_events", "Events handed to subscribers.", &hub_metrics::delivered},
    {"ssekit_sent_bytes", "Bytes taken by connections.", &hub_metrics::bytes},
    {"ssekit_heartbeats", "Heartbeats handed to subscribers.", &hub_metrics::heartbeats},
    {"ssekit_gaps", "Gap events handed to subscribers.", &hub_metrics::gaps},
    {"ssekit_sequence_newest_offset", "The newest offset of the hub's sequence.",
     &hub_metrics::newest_offset, false},
    {"ssekit_sequence_offsets", "Offsets of the sequence without an event here.",
     &hub_metrics::passed_offsets, true, "fate=\"passed\""},
    {"ssekit_sequence_offsets", "", &hub_metrics::lost_offsets, true, "fate=\"lost\""},
    {"ssekit_sequence_epochs", "Epochs begun in place.", &hub_metrics::epochs},
    {"ssekit_fetching_streams", "Streams that are fed from below the logs.", &hub_metrics::fetching,
     false},
    {"ssekit_fetches", "Streams that had to be fed from below the logs.", &hub_metrics::fetches},
    {"ssekit_fed_events", "Events handed to subscribers from below the logs.", &hub_metrics::fed},
    {"ssekit_undelivered_events", "Events that a subscriber did not get.", &hub_metrics::skipped,
     true, "reason=\"skipped\""},
    {"ssekit_undelivered_events", "", &hub_metrics::coalesced, true, "reason=\"coalesced\""},
    {"ssekit_undelivered_events", "", &hub_metrics::filtered, true, "reason=\"filtered\""},
    {"ssekit_undelivered_events", "", &hub_metrics::transient_lost, true,
     "reason=\"transient_lost\""},
    {"ssekit_newest_values_gone", "Newest events of keys that a bound has let go.",
     &hub_metrics::values_gone},
    {"ssekit_snapshots", "Streams that got the newest event of each key.", &hub_metrics::snapshots},
    {"ssekit_ended_streams", "Streams that the hub has ended.", &hub_metrics::lagged, true,
     "reason=\"lagged\""},
    {"ssekit_ended_streams", "", &hub_metrics::detached, true, "reason=\"detached\""},
    {"ssekit_ended_streams", "", &hub_metrics::stalled, true, "reason=\"stalled\""},
    {"ssekit_ended_streams", "", &hub_metrics::expired, true, "reason=\"expired\""},
    {"ssekit_ended_streams", "", &hub_metrics::evicted, true, "reason=\"evicted\""},
    {"ssekit_ended_streams", "", &hub_metrics::replaced, true, "reason=\"replaced\""},
    {"ssekit_ended_streams", "", &hub_metrics::topic_closed, true, "reason=\"topic_closed\""},
    {"ssekit_ended_streams", "", &hub_metrics::flushed, true, "reason=\"flushed\""},
    {"ssekit_ended_streams", "", &hub_metrics::cut, true, "reason=\"cut\""},
    {"ssekit_forgotten_topics", "Topics and tags that nobody read and that had to go.",
     &hub_metrics::topics_made_way, true, "reason=\"made_way\""},
    {"ssekit_forgotten_topics", "", &hub_metrics::topics_timed_out, true, "reason=\"timed_out\""},
    {"ssekit_presence_changes", "Tags that came, went, or came back unnoticed.",
     &hub_metrics::presence_came, true, "change=\"came\""},
    {"ssekit_presence_changes", "", &hub_metrics::presence_gone, true, "change=\"gone\""},
    {"ssekit_presence_changes", "", &hub_metrics::presence_returned, true, "change=\"returned\""},
    {"ssekit_presence_cut_short", "Tags whose grace was cut short, for want of room or memory.",
     &hub_metrics::presence_cut_short},
    {"ssekit_presence_lost_events", "Presence events that could not be published.",
     &hub_metrics::presence_lost},
};

/// Counts by reason; the reasons are the texts of `message`.
struct refusals {
    std::string_view name;
    std::string_view help;
    refusal_counts hub_metrics::*counts;
};

inline constexpr refusals refusals_table[] = {
    {"ssekit_refused_streams", "Subscriptions refused, by reason.", &hub_metrics::refused_streams},
    {"ssekit_refused_events", "Events refused, by reason.", &hub_metrics::refused_events},
};

} // namespace detail

/// Effects: appends the metrics of all hubs. `String` has `append(std::string_view)`.
template <class String>
void append_metrics(String& out, std::span<const labelled_metrics> hubs, metrics_format format) {
    const bool bare = format == metrics_format::openmetrics;
    const auto begin_family = [&](std::string_view name, std::string_view help, bool counter) {
        const std::string_view total = counter && !bare ? "_total" : "";
        out.append("# HELP ").append(name).append(total).append(" ").append(help).append("\n");
        out.append("# TYPE ").append(name).append(total).append(counter ? " counter\n"
                                                                        : " gauge\n");
        if (bare && name.ends_with("_bytes")) {
            out.append("# UNIT ").append(name).append(" bytes\n");
        }
    };
    const auto add_sample = [&](std::string_view name, bool counter, std::string_view labels,
                                std::string_view label, std::uint64_t value) {
        out.append(name).append(counter ? "_total" : "");
        if (!label.empty() || !labels.empty()) {
            const bool both = !label.empty() && !labels.empty();
            out.append("{").append(labels).append(both ? "," : "").append(label).append("}");
        }
        out.append(" ").append(detail::decimal(value).view()).append("\n");
    };
    std::string_view family;
    for (const detail::metric& row : detail::metrics_table) {
        if (row.name != family) begin_family(family = row.name, row.help, row.counter);
        for (const labelled_metrics& hub : hubs) {
            add_sample(family, row.counter, hub.labels, row.label, hub.metrics.*row.value);
        }
    }
    for (const detail::refusals& row : detail::refusals_table) {
        begin_family(row.name, row.help, true);
        for (const labelled_metrics& hub : hubs) {
            for (std::size_t code = 0; code < refusal_counts::reasons; ++code) {
                const auto reason = static_cast<errc>(code);
                const std::uint64_t count = (hub.metrics.*row.counts)[reason];
                if (count == 0) continue; // what has happened once is shown from then on
                String label;
                label.append("reason=\"").append(message(reason)).append("\"");
                add_sample(row.name, true, hub.labels, label, count);
            }
        }
    }
}

/// Effects: the same for one hub without labels, with the last line of OpenMetrics where it needs
/// one: a whole answer.
template <class String>
void append_metrics(String& out, const hub_metrics& metrics, metrics_format format) {
    const labelled_metrics one{metrics, {}};
    append_metrics(out, std::span(&one, 1), format);
    if (format == metrics_format::openmetrics) out.append(openmetrics_end);
}

} // namespace ssekit::inline SSEKIT_ABI

#endif
