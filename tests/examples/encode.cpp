// SPDX-License-Identifier: MIT
//
// Writing events: into a string, into a buffer of one's own, and straight from a formatter, for a
// socket or for a hub.

#undef NDEBUG // the asserts are the point
#include <ssekit/encoder.hpp>
#include <ssekit/epoch.hpp>
#include <ssekit/frame.hpp>
#include <ssekit/hub.hpp>

#include <array>
#include <cassert>
#include <chrono>
#include <iterator>
#include <string>
#include <string_view>

namespace {

// Stands for std::format_to, fmt::format_to or a JSON library: anything that writes to an iterator.
template <class Out>
Out write_json(Out out, std::string_view symbol, int price) {
    for (const std::string& part :
         {std::string("{\"symbol\":\""), std::string(symbol), std::string("\",\n \"price\":"),
          std::to_string(price), std::string("}")}) {
        for (const char c : part) *out++ = c;
    }
    return out;
}

} // namespace

int main() {
    // [buffer]
    std::array<char, 128> buffer;
    char* const end = buffer.data() + buffer.size();
    auto [last, code] = ssekit::encode_to(buffer.data(), end, {.id = "7", .data = "a\r\nb"});
    assert(code == ssekit::errc::ok);
    assert(std::string_view(buffer.data(), last) == "id: 7\ndata: a\ndata: b\n\n");
    // [buffer]

    ssekit::hub hub(ssekit::new_epoch(), std::chrono::steady_clock::now());
    // [format]
    ssekit::frame_builder block;
    ssekit::data_writer data(block, {.type = "tick"});
    write_json(data.out(), "ACME", 42); // the line break in the JSON becomes a second data line
    data.finish();
    ssekit::frame frame = block.build().frame; // encoded once, shared by all its copies
    assert(frame.wire() == "event: tick\ndata: {\"symbol\":\"ACME\",\ndata:  \"price\":42}\n\n");
    assert(frame.chunked().starts_with("38\r\nevent: tick\n")); // the same bytes, as an HTTP chunk
    assert(hub.publish("ticks", frame).ec == ssekit::errc::ok); // or `block` itself
    // [format]

    // [checked]
    constexpr ssekit::event_view ping = ssekit::checked({.type = "ping", .data = ""});
    constexpr ssekit::event_id first("1");   // a line break in either literal would not compile
    assert(!ssekit::event_id::make("1\n2")); // and from outside it is found when it is made
    // [checked]
    std::string text;
    assert(ssekit::append_to(text, ping) == ssekit::errc::ok);
    assert(ssekit::append_to(text, {.id = first, .data = "x"}) == ssekit::errc::ok);
    assert(text == "event: ping\ndata: \n\nid: 1\ndata: x\n\n");
}
