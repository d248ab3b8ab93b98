// SPDX-License-Identifier: MIT
//
// A small strict JSON reader for test data and for checking JSON output. No exceptions: `parse`
// hands back an error text; `at`, `string` and the like end the test program with a readable
// message when the document is not what the test took it for.
#ifndef SSEKIT_TESTS_SUPPORT_JSON_HPP
#define SSEKIT_TESTS_SUPPORT_JSON_HPP

#include <charconv>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

namespace support::json {

enum class kind : std::uint8_t { null, boolean, number, string, array, object };

[[noreturn]] inline void give_up(const std::string& why) {
    std::fprintf(stderr, "test data: %s\n", why.c_str());
    std::abort();
}

struct member;

struct value {
    kind type = kind::null;
    bool truth = false;
    std::string text; // of a string; of a number as it is written
    std::vector<value> items;
    std::vector<member> members;

    [[nodiscard]] bool is_null() const { return type == kind::null; }

    [[nodiscard]] const value* find(std::string_view key) const;
    [[nodiscard]] const value& at(std::string_view key) const {
        const value* const found = find(key);
        if (found == nullptr) give_up("no member \"" + std::string(key) + "\"");
        return *found;
    }
    [[nodiscard]] const std::string& string() const {
        if (type != kind::string) give_up("not a string: " + text);
        return text;
    }
    /// A number, or a string of digits where a number would lose some.
    [[nodiscard]] std::int64_t integer() const {
        std::int64_t number = 0;
        const char* const end = text.data() + text.size();
        const auto [stop, ec] = std::from_chars(text.data(), end, number);
        if (ec != std::errc{} || stop != end) give_up("not an integer: " + text);
        return number;
    }
};

struct member {
    std::string name;
    value content;
};

inline const value* value::find(std::string_view key) const {
    for (const member& candidate : members) {
        if (candidate.name == key) return &candidate.content;
    }
    return nullptr;
}

struct parse_result {
    std::optional<value> document;
    std::string error; // with the byte offset
};

namespace detail {

class reader {
  public:
    explicit reader(std::string_view text) : text_(text) {}

    parse_result run() {
        value document;
        space();
        if (!read(document, 0)) return {std::nullopt, error_};
        space();
        if (at_ != text_.size()) {
            fail("something behind the value");
            return {std::nullopt, error_};
        }
        return {std::move(document), {}};
    }

  private:
    static constexpr int deepest = 64;

    bool fail(std::string_view why) {
        if (error_.empty()) {
            error_ = std::string(why) + " at byte " + std::to_string(at_);
        }
        return false;
    }
    void space() {
        while (at_ < text_.size() && std::string_view(" \t\r\n").find(text_[at_]) != text_.npos) {
            ++at_;
        }
    }
    bool take(std::string_view token) {
        if (text_.substr(at_, token.size()) != token) return false;
        at_ += token.size();
        return true;
    }

    bool read(value& out, int depth) {
        if (depth > deepest) return fail("nested too deeply");
        if (at_ == text_.size()) return fail("a value is missing");
        switch (text_[at_]) {
        case '{': return read_object(out, depth);
        case '[': return read_array(out, depth);
        case '"': out.type = kind::string; return read_string(out.text);
        default: break;
        }
        if (take("null")) return true;
        if (take("true")) {
            out.type = kind::boolean;
            return out.truth = true;
        }
        if (take("false")) {
            out.type = kind::boolean;
            return true;
        }
        return read_number(out);
    }

    bool read_number(value& out) {
        const std::size_t begin = at_;
        const auto digits = [&] {
            const std::size_t first = at_;
            while (at_ < text_.size() && text_[at_] >= '0' && text_[at_] <= '9') ++at_;
            return at_ - first;
        };
        take("-");
        const std::size_t first = at_;
        const std::size_t whole = digits();
        if (whole == 0 || (whole > 1 && text_[first] == '0')) return fail("not a value");
        if (take(".") && digits() == 0) return fail("a fraction without digits");
        if (take("e") || take("E")) {
            if (!take("+")) take("-");
            if (digits() == 0) return fail("an exponent without digits");
        }
        out.type = kind::number;
        out.text = text_.substr(begin, at_ - begin);
        return true;
    }

    bool read_array(value& out, int depth) {
        out.type = kind::array;
        ++at_;
        space();
        if (take("]")) return true;
        for (;;) {
            space();
            if (!read(out.items.emplace_back(), depth + 1)) return false;
            space();
            if (take("]")) return true;
            if (!take(",")) return fail("',' or ']' is missing");
        }
    }

    bool read_object(value& out, int depth) {
        out.type = kind::object;
        ++at_;
        space();
        if (take("}")) return true;
        for (;;) {
            space();
            std::string name;
            if (at_ == text_.size() || text_[at_] != '"') return fail("a name is missing");
            if (!read_string(name)) return false;
            if (out.find(name) != nullptr) return fail("a name stands twice");
            space();
            if (!take(":")) return fail("':' is missing");
            space();
            value content;
            if (!read(content, depth + 1)) return false;
            out.members.push_back({std::move(name), std::move(content)});
            space();
            if (take("}")) return true;
            if (!take(",")) return fail("',' or '}' is missing");
        }
    }

    bool read_string(std::string& out) {
        for (++at_; at_ < text_.size(); ++at_) {
            const char c = text_[at_];
            if (c == '"') {
                ++at_;
                return true;
            }
            if (static_cast<unsigned char>(c) < 0x20) return fail("a control character");
            if (c != '\\') {
                out += c;
            } else if (!read_escape(out)) {
                return false;
            }
        }
        return fail("a string without an end");
    }

    bool read_escape(std::string& out) {
        if (++at_ == text_.size()) return fail("a string without an end");
        constexpr std::string_view letters = "\"\\/bfnrt";
        constexpr std::string_view meant = "\"\\/\b\f\n\r\t";
        if (const auto i = letters.find(text_[at_]); i != letters.npos) {
            out += meant[i];
            return true;
        }
        if (text_[at_] != 'u') return fail("an unknown escape");
        std::uint32_t code = 0;
        if (!read_hex(code)) return false;
        if (code >= 0xDC00 && code <= 0xDFFF) return fail("half a surrogate pair");
        if (code >= 0xD800 && code <= 0xDBFF) {
            std::uint32_t low = 0;
            if (text_.substr(at_ + 1, 2) != "\\u") return fail("half a surrogate pair");
            at_ += 2;
            if (!read_hex(low)) return false;
            if (low < 0xDC00 || low > 0xDFFF) return fail("half a surrogate pair");
            code = 0x10000 + ((code - 0xD800) << 10) + (low - 0xDC00);
        }
        append_utf8(out, code);
        return true;
    }

    bool read_hex(std::uint32_t& code) {
        const std::string_view hex = text_.substr(at_ + 1, 4);
        const char* const end = hex.data() + hex.size();
        const auto [stop, ec] = std::from_chars(hex.data(), end, code, 16);
        if (hex.size() != 4 || ec != std::errc{} || stop != end) return fail("\\u wants 4 digits");
        at_ += 4;
        return true;
    }

    static void append_utf8(std::string& out, std::uint32_t code) {
        const auto put = [&out](std::uint32_t byte) { out += static_cast<char>(byte); };
        if (code < 0x80) {
            put(code);
        } else if (code < 0x800) {
            put(0xC0 | code >> 6);
            put(0x80 | (code & 0x3F));
        } else if (code < 0x10000) {
            put(0xE0 | code >> 12);
            put(0x80 | (code >> 6 & 0x3F));
            put(0x80 | (code & 0x3F));
        } else {
            put(0xF0 | code >> 18);
            put(0x80 | (code >> 12 & 0x3F));
            put(0x80 | (code >> 6 & 0x3F));
            put(0x80 | (code & 0x3F));
        }
    }

    std::string_view text_;
    std::size_t at_ = 0;
    std::string error_;
};

} // namespace detail

[[nodiscard]] inline parse_result parse(std::string_view text) {
    return detail::reader(text).run();
}

[[nodiscard]] inline value load(const std::string& path) {
    std::ifstream file(path, std::ios::binary);
    if (!file) give_up("cannot open " + path);
    const std::string text{std::istreambuf_iterator<char>(file), {}};
    parse_result result = parse(text);
    if (!result.document) give_up(path + ": " + result.error);
    return std::move(*result.document);
}

/// \returns nullopt for anything but canonical base64 with padding.
[[nodiscard]] inline std::optional<std::string> decode_base64(std::string_view text) {
    constexpr std::string_view alphabet =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    if (text.size() % 4 != 0) return std::nullopt;
    const std::size_t padding = text.ends_with("==") ? 2 : text.ends_with('=') ? 1 : 0;
    text.remove_suffix(padding);
    std::string out;
    std::uint32_t bits = 0;
    int count = 0;
    for (const char c : text) {
        const auto digit = alphabet.find(c);
        if (digit == alphabet.npos) return std::nullopt;
        bits = bits << 6 | static_cast<std::uint32_t>(digit);
        count += 6;
        if (count < 8) continue;
        count -= 8;
        out += static_cast<char>(bits >> count & 0xFF);
    }
    if ((bits & ((1U << count) - 1)) != 0) return std::nullopt;
    return out;
}

/// The bytes that a test-data value stands for: a string is its UTF-8, `{"b64": ...}` is any bytes.
[[nodiscard]] inline std::string bytes_of(const value& data) {
    if (data.type == kind::string) return data.text;
    std::optional<std::string> bytes = decode_base64(data.at("b64").string());
    if (!bytes) give_up("not base64: " + data.at("b64").string());
    return std::move(*bytes);
}

} // namespace support::json

#endif
