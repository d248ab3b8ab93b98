// SPDX-License-Identifier: MIT
//
// A parser of event streams written straight from HTML 9.2.5 and 9.2.6: it takes the whole stream
// at once, decodes it, cuts it into lines, and does with each line what the standard says. It is
// slow, has no limits, and is meant to be compared with the text of the standard line by line.
#ifndef SSEKIT_TESTS_SUPPORT_REFERENCE_PARSER_HPP
#define SSEKIT_TESTS_SUPPORT_REFERENCE_PARSER_HPP

#include "support/recorder.hpp"
#include "support/reference_utf8.hpp"

#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace support {

class reference_parser {
  public:
    [[nodiscard]] static recording run(std::string_view stream) {
        reference_parser parser;
        if (stream.starts_with("\xEF\xBB\xBF")) stream.remove_prefix(3);
        parser.read(reference_decode_utf8(stream).text);
        return std::move(parser.out_);
    }

  private:
    void read(std::string_view text) {
        while (true) {
            const std::size_t end = text.find_first_of("\r\n");
            if (end == text.npos) return; // a line without an end is thrown away
            line(text.substr(0, end));
            const bool pair = text.substr(end, 2) == "\r\n";
            text.remove_prefix(end + (pair ? 2 : 1));
        }
    }

    void line(std::string_view text) {
        if (text.empty()) return dispatch();
        const std::size_t colon = text.find(':');
        if (colon == 0) {
            out_.order += 'c';
            out_.comments.emplace_back(text.substr(1));
        } else if (colon != text.npos) {
            std::string_view value = text.substr(colon + 1);
            if (value.starts_with(' ')) value.remove_prefix(1);
            field(text.substr(0, colon), value);
        } else {
            field(text, "");
        }
    }

    void field(std::string_view name, std::string_view value) {
        if (name == "event") {
            type_buffer_ = value;
        } else if (name == "data") {
            data_buffer_ += value;
            data_buffer_ += '\n';
        } else if (name == "id") {
            if (value.find('\0') == value.npos) id_of_block_ = id_buffer_ = value;
        } else if (name == "retry") {
            set_retry(value);
        }
    }

    // An empty value changes nothing, and one that is too large for the type is the largest there
    // is: the standard leaves the first open and says nothing of the second.
    void set_retry(std::string_view digits) {
        if (digits.empty() || digits.find_first_not_of("0123456789") != digits.npos) return;
        constexpr std::int64_t largest = std::numeric_limits<std::int64_t>::max();
        std::int64_t time = 0;
        for (const char digit : digits) {
            if (time > (largest - (digit - '0')) / 10) {
                time = largest;
                break;
            }
            time = time * 10 + (digit - '0');
        }
        out_.retry = retry_of_block_ = time;
        out_.retries.push_back(time);
        out_.order += 'r';
    }

    void dispatch() {
        out_.last_event_id = id_buffer_;
        if (id_of_block_) {
            out_.ids.push_back(*id_of_block_);
            out_.order += 'i';
        }
        if (!data_buffer_.empty()) {
            data_buffer_.pop_back();
            out_.events.push_back({type_buffer_.empty() ? "message" : type_buffer_, data_buffer_,
                                   out_.last_event_id, id_of_block_, retry_of_block_});
            out_.order += 'e';
        }
        data_buffer_.clear();
        type_buffer_.clear();
        id_of_block_.reset();
        retry_of_block_.reset();
    }

    recording out_;
    std::string data_buffer_;
    std::string type_buffer_;
    std::string id_buffer_;
    std::optional<std::string> id_of_block_;     // not in the standard: what event_view tells
    std::optional<std::int64_t> retry_of_block_; // of the block alone
};

} // namespace support

#endif
