// SPDX-License-Identifier: MIT
//
// The whole toolkit except the adapters, shared_hub.hpp, ticking_hub.hpp, doorbell.hpp and
// relay.hpp (which need threads) and openmetrics.hpp, which are included one by one.
//
//   reading a stream      parser.hpp    bytes in, events out
//   and coming back       event_source.hpp, event_stream.hpp, typed_sink.hpp
//                                       what an EventSource does; a loop over it; values from JSON
//   writing events        encoder.hpp   an event into your buffer or string
//   serving many clients  hub.hpp       topics, replay, heartbeats
//   the socket under it   writer.hpp    what it has to do, and `drain`
//   the HTTP around it    http_request.hpp, http.hpp, soft_refusal.hpp, cors.hpp,
//                         request_guard.hpp
//                                       Last-Event-ID, tokens; heads, refusals; other origins
//   events that outlive   journal.hpp, journal_entry.hpp
//   the process                         what a log outside of it has to do; an event in it
//   tools for models      mcp.hpp, mcp_request.hpp
//                                       the Model Context Protocol: answers, streams, ids
#ifndef SSEKIT_SSEKIT_HPP
#define SSEKIT_SSEKIT_HPP

#include <ssekit/content_decoder.hpp>
#include <ssekit/cors.hpp>
#include <ssekit/encoder.hpp>
#include <ssekit/epoch.hpp>
#include <ssekit/errc.hpp>
#include <ssekit/event.hpp>
#include <ssekit/event_key.hpp>
#include <ssekit/event_log.hpp>
#include <ssekit/event_place.hpp>
#include <ssekit/event_source.hpp>
#include <ssekit/event_source_options.hpp>
#include <ssekit/event_stream.hpp>
#include <ssekit/event_target.hpp>
#include <ssekit/frame.hpp>
#include <ssekit/frame_label.hpp>
#include <ssekit/header.hpp>
#include <ssekit/heartbeat.hpp>
#include <ssekit/http.hpp>
#include <ssekit/http_request.hpp>
#include <ssekit/hub.hpp>
#include <ssekit/journal.hpp>
#include <ssekit/journal_entry.hpp>
#include <ssekit/mcp.hpp>
#include <ssekit/mcp_request.hpp>
#include <ssekit/parser.hpp>
#include <ssekit/request_guard.hpp>
#include <ssekit/soft_refusal.hpp>
#include <ssekit/source_answer.hpp>
#include <ssekit/stream_answer.hpp>
#include <ssekit/stream_item.hpp>
#include <ssekit/stream_route.hpp>
#include <ssekit/time.hpp>
#include <ssekit/typed_sink.hpp>
#include <ssekit/utf8_tail.hpp>
#include <ssekit/version.hpp>
#include <ssekit/waker.hpp>
#include <ssekit/writer.hpp>

#endif
