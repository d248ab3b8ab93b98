// SPDX-License-Identifier: MIT
#include <ssekit/stream_item.hpp>

#include <doctest/doctest.h>

using ssekit::errc;
using ssekit::event_view;
using ssekit::item_kind;
using ssekit::stream_item;

TEST_CASE("stream item: one that says nothing is the end, and only an event has an event") {
    const stream_item end;
    CHECK(end.kind == item_kind::end);
    CHECK(end.event == nullptr);
    CHECK(end.error == errc::ok);
    const event_view event{.data = "a"};
    const stream_item one{.kind = item_kind::event, .event = &event};
    CHECK(one.event->data == "a");
    CHECK(one.error == errc::ok);
    const stream_item dropped{.kind = item_kind::dropped, .error = errc::data_too_long};
    CHECK(dropped.event == nullptr);
}
