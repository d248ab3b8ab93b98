// SPDX-License-Identifier: MIT
//
// The toolkit as a module: `import ssekit;` gives what ssekit.hpp, shared_hub.hpp, ticking_hub.hpp,
// doorbell.hpp, relay.hpp, openmetrics.hpp and ssekit/testing/ declare for their users. Macros come
// from version.hpp, and adapters are included, since they bring a library's own headers.
module;

#include <ssekit/doorbell.hpp>
#include <ssekit/memory.hpp>
#include <ssekit/openmetrics.hpp>
#include <ssekit/relay.hpp>
#include <ssekit/shared_hub.hpp>
#include <ssekit/ssekit.hpp>
#include <ssekit/testing/event_collector.hpp>
#include <ssekit/testing/recorder.hpp>
#include <ssekit/ticking_hub.hpp>

export module ssekit;

export namespace ssekit {

// errc.hpp, event.hpp, memory.hpp, time.hpp, version.hpp, waker.hpp
using ssekit::callback;
using ssekit::checked;
using ssekit::checked_text;
using ssekit::errc;
using ssekit::event_place;
using ssekit::event_type;
using ssekit::event_view;
using ssekit::longest_retry;
using ssekit::shortest_retry;
using ssekit::heap;
using ssekit::memory_resource;
using ssekit::message;
using ssekit::never;
using ssekit::time_point;
using ssekit::comment_form;
using ssekit::encode_options;
using ssekit::field_order;
using ssekit::utf8_policy;
using ssekit::utf8_tail;
using ssekit::validate;
using ssekit::validate_id;
using ssekit::validate_type;
using ssekit::version;
using ssekit::version_info;
using ssekit::waker;

// parser.hpp, event_source.hpp, event_stream.hpp, typed_sink.hpp
using ssekit::answer_decision;
using ssekit::answer_head;
using ssekit::answer_hook;
using ssekit::answer_verdict;
using ssekit::blocking_transport;
using ssekit::comment_hook;
using ssekit::content_decoder;
using ssekit::event_source;
using ssekit::event_source_options;
using ssekit::event_stream;
using ssekit::feed;
using ssekit::item_kind;
using ssekit::parser;
using ssekit::parser_limits;
using ssekit::parser_options;
using ssekit::proxy_refusal;
using ssekit::last_event;
using ssekit::ready_state;
using ssekit::repeat_policy;
using ssekit::request_hook;
using ssekit::request_reach;
using ssekit::source_action;
using ssekit::source_end;
using ssekit::source_header;
using ssekit::source_hook;
using ssekit::source_request;
using ssekit::status_policy;
using ssekit::stream_item;
using ssekit::typed_sink;

// encoder.hpp, frame.hpp
using ssekit::append_to;
using ssekit::byte_sink;
using ssekit::data_writer;
using ssekit::encode_comment_to;
using ssekit::encode_result;
using ssekit::encode_to;
using ssekit::encoded_comment_size;
using ssekit::encoded_size;
using ssekit::frame;
using ssekit::frame_builder;
using ssekit::event_key;
using ssekit::frame_label;
using ssekit::removal_of;
using ssekit::frame_result;
using ssekit::framing;
using ssekit::heartbeat_comment;
using ssekit::heartbeat_line;

// hub.hpp, subscription.hpp, shared_hub.hpp, ticking_hub.hpp, doorbell.hpp, epoch.hpp,
// event_place.hpp, event_sequence.hpp, event_target.hpp, openmetrics.hpp
using ssekit::append_metrics;
using ssekit::close_options;
using ssekit::doorbell;
using ssekit::event_filter;
using ssekit::event_ids;
using ssekit::event_place;
using ssekit::event_place_result;
using ssekit::event_sequence;
using ssekit::event_summary;
using ssekit::event_target;
using ssekit::full_tag;
using ssekit::gap_policy;
using ssekit::history_hook;
using ssekit::history_need;
using ssekit::hub;
using ssekit::hub_metrics;
using ssekit::hub_options;
using ssekit::is_abrupt;
using ssekit::labelled_metrics;
using ssekit::lag_bound;
using ssekit::lag_policy;
using ssekit::media_type;
using ssekit::metrics_format;
using ssekit::new_epoch;
using ssekit::opening_form;
using ssekit::openmetrics_end;
using ssekit::parse_event_id;
using ssekit::presence_hook;
using ssekit::presence_options;
using ssekit::publish_result;
using ssekit::reader_lag;
using ssekit::resumption;
using ssekit::sequenced_event;
using ssekit::shared_hub;
using ssekit::shared_subscribe_result;
using ssekit::shared_subscription;
using ssekit::start_point;
using ssekit::stream_end;
using ssekit::subscribe_options;
using ssekit::subscribe_result;
using ssekit::subscriber_filter;
using ssekit::subscriber_info;
using ssekit::subscription;
using ssekit::text_of;
using ssekit::target_kind;
using ssekit::ticking_hub;
using ssekit::topic_hook;
using ssekit::topic_info;
using ssekit::topic_list;
using ssekit::topic_room;

// writer.hpp, heartbeat.hpp, event_log.hpp
using ssekit::buffers_generator;
using ssekit::default_drain_budget;
using ssekit::drain;
using ssekit::drain_slices;
using ssekit::drain_status;
using ssekit::drained;
using ssekit::event_log;
using ssekit::heartbeat;
using ssekit::heartbeat_options;
using ssekit::io_status;
using ssekit::burst_bound;
using ssekit::log_use;
using ssekit::kept_text_view;
using ssekit::kept_topic_list;
using ssekit::refusal_counts;
using ssekit::retention;
using ssekit::value_bound;
using ssekit::write_result;
using ssekit::writer;

// journal.hpp, journal_entry.hpp, relay.hpp
using ssekit::append_end;
using ssekit::append_entry;
using ssekit::appended;
using ssekit::journal;
using ssekit::journal_bounds;
using ssekit::journal_page;
using ssekit::journal_record;
using ssekit::journal_status;
using ssekit::journal_visitor;
using ssekit::entry_fault;
using ssekit::entry_reader;
using ssekit::journal_entry;
using ssekit::most_entry_names;
using ssekit::relay;
using ssekit::relay_done;
using ssekit::relay_health;
using ssekit::relay_metrics;
using ssekit::relay_options;
using ssekit::relay_outcome;
using ssekit::relay_publish_options;

// header.hpp, http_request.hpp, http.hpp, soft_refusal.hpp, cors.hpp
using ssekit::accepts_event_stream;
using ssekit::append_response;
using ssekit::append_response_head;
using ssekit::append_soft_refusal;
using ssekit::bearer_token;
using ssekit::cors_policy;
using ssekit::matches_host;
using ssekit::matches_origin;
using ssekit::request_guard;
using ssekit::find_head;
using ssekit::find_header;
using ssekit::find_query;
using ssekit::for_each_cors_header;
using ssekit::framing_for;
using ssekit::head_result;
using ssekit::head_status;
using ssekit::header;
using ssekit::id_source;
using ssekit::is_refused_softly;
using ssekit::is_valid_header;
using ssekit::last_event_id;
using ssekit::percent_decode;
using ssekit::read_request;
using ssekit::reason_phrase;
using ssekit::refusal;
using ssekit::refusal_of;
using ssekit::request_limits;
using ssekit::request_view;
using ssekit::response_head;
using ssekit::soft_refusal;
using ssekit::identity_encoding;
using ssekit::stream_headers;
using ssekit::accept_rule;
using ssekit::answer_kind;
using ssekit::answer_request;
using ssekit::for_each_route_header;
using ssekit::stream_answer;
using ssekit::stream_route;
using ssekit::stream_status;
using ssekit::token_source;
using ssekit::token_status;

// mcp.hpp, mcp_request.hpp
using ssekit::append_mcp_event_id;
using ssekit::find_mcp_revision;
using ssekit::has_mcp_priming;
using ssekit::has_mcp_sessions;
using ssekit::is_local_request;
using ssekit::is_mcp_session_id;
using ssekit::judge_mcp_message;
using ssekit::judge_mcp_request;
using ssekit::mcp_error;
using ssekit::mcp_error_status;
using ssekit::mcp_event_id;
using ssekit::mcp_header_matches;
using ssekit::mcp_hub_options;
using ssekit::mcp_kind;
using ssekit::mcp_message;
using ssekit::mcp_policy;
using ssekit::mcp_priming_event;
using ssekit::mcp_request;
using ssekit::mcp_revision;
using ssekit::mcp_revision_names;
using ssekit::mcp_step;
using ssekit::mcp_verdict;
using ssekit::name_of;
using ssekit::negotiate_mcp_revision;
using ssekit::read_mcp_event_id;
using ssekit::read_mcp_request;

namespace testing {

using ssekit::testing::collected_event;
using ssekit::testing::event_collector;
using ssekit::testing::events_of;
using ssekit::testing::recorder;

} // namespace testing

} // namespace ssekit
