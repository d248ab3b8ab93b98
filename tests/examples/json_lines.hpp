// SPDX-License-Identifier: MIT
//
// Events as JSON, one object a line, for the programs that print streams.
#ifndef SSEKIT_EXAMPLES_JSON_LINES_HPP
#define SSEKIT_EXAMPLES_JSON_LINES_HPP

#include <ssekit/event.hpp>

#include <cerrno>
#include <chrono>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include <poll.h>
#include <unistd.h>

/// Thrown to end the program from wherever it is.
struct io_error {
    const char* doing;
    int code;
};

// A terminal or a pipe may have been made non-blocking by another process that has it open.
inline bool try_again(int fd, short events) {
    if (errno == EINTR) return true;
    if (errno != EAGAIN) return false;
    pollfd wait{fd, events, 0};
    return poll(&wait, 1, -1) >= 0 || errno == EINTR;
}

/// Collects lines of JSON.
class json_lines {
  public:
    void event(const ssekit::event_view& event, std::string_view last_event_id) {
        add(R"({"type":)").add_string(event.name());
        add(R"(,"data":)").add_string(event.data.value_or(""));
        add(R"(,"lastEventId":)").add_string(last_event_id).add("}\n");
        if (text_.size() >= 65536) flush();
    }

    void end(std::string_view last_event_id, std::optional<std::chrono::milliseconds> retry) {
        // What every reader of JSON can hold in a number.
        constexpr long long largest = (1LL << 53) - 1;
        add(R"({"last_event_id":)").add_string(last_event_id).add(R"(,"retry":)");
        if (!retry) {
            add("null");
        } else if (retry->count() <= largest) {
            add(std::to_string(retry->count()));
        } else {
            add_string(std::to_string(retry->count()));
        }
        add("}\n");
    }

    void flush() {
        for (std::string_view rest = text_; !rest.empty();) {
            const ssize_t size = write(STDOUT_FILENO, rest.data(), rest.size());
            if (size >= 0) {
                rest.remove_prefix(static_cast<std::size_t>(size));
            } else if (!try_again(STDOUT_FILENO, POLLOUT)) {
                throw io_error{"writing to standard output", errno};
            }
        }
        text_.clear();
    }

  private:
    json_lines& add(std::string_view bytes) {
        text_ += bytes;
        return *this;
    }

    // The parser has seen to it that the text is UTF-8.
    json_lines& add_string(std::string_view text) {
        text_ += '"';
        std::size_t plain = 0; // where the run of characters begins that stand for themselves
        for (std::size_t i = 0; i < text.size(); ++i) {
            const auto c = static_cast<unsigned char>(text[i]);
            if (c >= 0x20 && c != '"' && c != '\\') continue;
            add(text.substr(plain, i - plain)).add_escape(c);
            plain = i + 1;
        }
        add(text.substr(plain)).text_ += '"';
        return *this;
    }

    void add_escape(unsigned char c) {
        constexpr std::string_view digits = "0123456789abcdef";
        switch (c) {
        case '\n': add("\\n"); return;
        case '\t': add("\\t"); return;
        case '"': add("\\\""); return;
        case '\\': add("\\\\"); return;
        default: add("\\u00"); (text_ += digits[c >> 4]) += digits[c & 15];
        }
    }

    std::string text_;
};

#endif
