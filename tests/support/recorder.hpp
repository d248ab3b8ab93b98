// SPDX-License-Identifier: MIT
//
// Everything that a parser tells its sink, in a form that two runs can be compared by; and the ways
// to drive a parser through chunks. Each chunk lives in a heap block of its own that is gone when
// the call returns, so that a sanitizer sees every view that is kept for too long.
#ifndef SSEKIT_TESTS_SUPPORT_RECORDER_HPP
#define SSEKIT_TESTS_SUPPORT_RECORDER_HPP

#include "support/splits.hpp"

#include <ssekit/parser.hpp>

#include <chrono>
#include <cstdint>
#include <cstring>
#include <memory>
#include <optional>
#include <ostream>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace support {

struct seen_event {
    std::string type;
    std::string data;
    std::string last_event_id;
    std::optional<std::string> id = {}; // of the block itself
    std::optional<std::int64_t> retry = {};
    bool operator==(const seen_event&) const = default;
};

struct seen_error {
    ssekit::errc code;
    std::uint64_t offset;
    bool operator==(const seen_error&) const = default;
};

struct recording {
    std::vector<seen_event> events = {};
    std::vector<std::string> ids = {};
    std::vector<std::int64_t> retries = {};
    std::vector<std::string> comments = {};
    std::vector<seen_error> errors = {};
    std::string order = {}; // of the calls: e, i, r, c; x or C for an error

    std::string last_event_id = {};
    std::optional<std::int64_t> retry = {};
    std::uint64_t offset = 0;
    ssekit::errc end = ssekit::errc::ok; // what finish() said

    bool operator==(const recording&) const = default;
};

// ---- sinks

struct recorder {
    const ssekit::parser& parser;
    recording& out;

    void on_event(const ssekit::event_view& event) {
        out.order += 'e';
        out.events.push_back({std::string(event.type),
                              std::string(event.data.value()),
                              std::string(parser.last_event_id()),
                              {},
                              {}});
        if (event.id) out.events.back().id = std::string(*event.id);
        if (event.retry) out.events.back().retry = event.retry->count();
    }
    void on_error(ssekit::errc code, std::uint64_t offset) {
        out.order += code == ssekit::errc::comment_too_long ? 'C' : 'x';
        out.errors.push_back({code, offset});
    }
    void on_id(std::string_view id) {
        out.order += 'i';
        out.ids.emplace_back(id);
    }
    void on_retry(std::chrono::milliseconds time) {
        out.order += 'r';
        out.retries.push_back(time.count());
    }
    void on_comment(std::string_view text) {
        out.order += 'c';
        out.comments.emplace_back(text);
    }
};

/// Puts the data together again from its pieces.
struct data_chunk_recorder : recorder {
    std::string data = {};

    data_chunk_recorder(const ssekit::parser& source, recording& seen) : recorder{source, seen} {}

    void on_data_chunk(std::string_view piece) { data += piece; }
    void on_event(const ssekit::event_view& event) {
        recorder::on_event(event);
        out.events.back().data += std::exchange(data, {});
    }
    void on_error(ssekit::errc code, std::uint64_t offset) {
        recorder::on_error(code, offset);
        if (code != ssekit::errc::comment_too_long) data.clear();
    }
};

// ---- drivers

/// A copy of a chunk that ends where its bytes end, and that is spoilt when it goes: a view that is
/// kept for too long is then seen without a sanitizer too.
class lone_chunk {
  public:
    explicit lone_chunk(std::string_view bytes)
        : bytes_(std::make_unique<char[]>(bytes.size())), size_(bytes.size()) {
        if (size_ != 0) std::memcpy(bytes_.get(), bytes.data(), size_);
    }
    ~lone_chunk() {
        volatile char* const bytes = bytes_.get(); // or the compiler drops what nobody may read
        for (std::size_t i = 0; i < size_; ++i) bytes[i] = '\x01';
    }
    lone_chunk(const lone_chunk&) = delete;
    lone_chunk& operator=(const lone_chunk&) = delete;

    [[nodiscard]] std::string_view view() const { return {bytes_.get(), size_}; }

  private:
    std::unique_ptr<char[]> bytes_;
    std::size_t size_;
};

enum class memory : std::uint8_t { heap, of_the_caller };

/// A parser together with the memory it may run on.
class parser_box {
  public:
    parser_box(const ssekit::parser_options& options, memory where)
        : memory_(where == memory::heap ? 0 : ssekit::parser::memory_needed(options.limits)),
          parser_(where == memory::heap ? ssekit::parser(options)
                                        : ssekit::parser(options, memory_)) {}
    ssekit::parser& operator*() { return parser_; }

  private:
    std::vector<char> memory_;
    ssekit::parser parser_;
};

inline void record_end(ssekit::parser& parser, recording& out) {
    out.last_event_id = parser.last_event_id();
    if (parser.retry()) out.retry = parser.retry()->count();
    out.offset = parser.offset();
    out.end = parser.finish();
}

template <class Recorder = recorder>
[[nodiscard]] recording run_feed(const chunks& pieces, const ssekit::parser_options& options = {},
                                 memory where = memory::heap) {
    parser_box parser(options, where);
    recording out;
    Recorder sink{*parser, out};
    for (const std::string_view piece : pieces) {
        ssekit::feed(*parser, lone_chunk(piece).view(), sink);
    }
    record_end(*parser, out);
    return out;
}

/// What `next` can see: events and errors.
[[nodiscard]] inline recording run_next(const chunks& pieces,
                                        const ssekit::parser_options& options = {},
                                        memory where = memory::heap) {
    parser_box parser(options, where);
    recording out;
    recorder sink{*parser, out};
    for (const std::string_view piece : pieces) {
        const lone_chunk chunk(piece);
        for (std::string_view input = chunk.view();;) {
            if (const ssekit::event_view* const event = (*parser).next(input)) {
                sink.on_event(*event);
            } else if ((*parser).error() != ssekit::errc::ok) {
                sink.on_error((*parser).error(), (*parser).error_offset());
            } else {
                break;
            }
        }
    }
    record_end(*parser, out);
    return out;
}

/// What is left of a recording for somebody who pulls.
[[nodiscard]] inline recording as_seen_by_next(recording seen) {
    seen.ids.clear();
    seen.retries.clear();
    seen.comments.clear();
    std::erase_if(seen.errors, [](const seen_error& error) {
        return error.code == ssekit::errc::comment_too_long;
    });
    std::erase_if(seen.order, [](char call) { return call != 'e' && call != 'x'; });
    return seen;
}

// ---- printing

inline std::string in_quotes(std::string_view text) {
    constexpr std::string_view hex = "0123456789abcdef";
    std::string out = "\"";
    for (const char c : text.substr(0, 200)) {
        const auto byte = static_cast<unsigned char>(c);
        if (c == '\n') {
            out += "\\n";
        } else if (c == '\r') {
            out += "\\r";
        } else if (byte < 0x20 || byte >= 0x7F || c == '"' || c == '\\') {
            out += {'\\', 'x', hex[byte >> 4], hex[byte & 15]};
        } else {
            out += c;
        }
    }
    return out + (text.size() > 200 ? "..." : "\"");
}

inline std::ostream& operator<<(std::ostream& out, const seen_event& event) {
    out << '(' << in_quotes(event.type) << ", " << in_quotes(event.data)
        << ", last=" << in_quotes(event.last_event_id);
    if (event.id) out << ", id=" << in_quotes(*event.id);
    if (event.retry) out << ", retry=" << *event.retry;
    return out << ')';
}

inline std::ostream& operator<<(std::ostream& out, const seen_error& error) {
    return out << ssekit::message(error.code) << " at " << error.offset;
}

inline std::ostream& operator<<(std::ostream& out, const recording& seen) {
    for (const seen_event& event : seen.events) out << event << ' ';
    for (const std::string& id : seen.ids) out << "id:" << in_quotes(id) << ' ';
    for (const std::int64_t retry : seen.retries) out << "retry:" << retry << ' ';
    for (const std::string& comment : seen.comments) out << "comment:" << in_quotes(comment) << ' ';
    for (const seen_error& error : seen.errors) out << "error:" << error << ' ';
    out << "order:" << seen.order << " last=" << in_quotes(seen.last_event_id);
    if (seen.retry) out << " retry=" << *seen.retry;
    return out << " taken=" << seen.offset << " end=" << ssekit::message(seen.end);
}

} // namespace support

#endif
