// SPDX-License-Identifier: MIT
#include "support/dice.hpp"

#include <ssekit/detail/text/line_splitter.hpp>
#include <ssekit/detail/text/scan.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

using namespace ssekit::detail;

namespace {

/// How a parser walks: line ends in order, the LF of a CRLF passed over with `skip`.
std::vector<std::size_t> walk(std::string_view text) {
    std::vector<std::size_t> found;
    const char* const begin = text.data();
    const char* const end = begin + text.size();
    line_ends ends(begin, end);
    for (const char* p = ends.next(); p != end; p = ends.next()) {
        found.push_back(static_cast<std::size_t>(p - begin));
        if (*p == '\r' && p + 1 != end && p[1] == '\n') ends.skip(p + 1);
    }
    if (ends.next() != end) found.push_back(text.size()); // the end is the end for good
    return found;
}

std::vector<std::size_t> walk_naively(std::string_view text) {
    std::vector<std::size_t> found;
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] == '\n' && i > 0 && text[i - 1] == '\r') continue;
        if (is_line_end(text[i])) found.push_back(i);
    }
    return found;
}

// The copy ends with its heap block, so that a sanitizer sees a read past it.
bool agrees(std::string_view text) {
    const auto copy = std::make_unique<char[]>(text.size());
    std::copy(text.begin(), text.end(), copy.get());
    return walk({copy.get(), text.size()}) == walk_naively(text);
}

std::string random_text(support::dice& random, std::size_t size, std::size_t one_end_in) {
    constexpr std::string_view others = "abc: \t\x0b\x0c\x85\x8a\x8d\x0e\x09\xff";
    std::string text(size, 'x');
    for (char& c : text) {
        c = random.pick(random.one_in(one_end_in) ? std::string_view("\r\n") : others);
    }
    return text;
}

} // namespace

TEST_CASE("a block knows of each byte what it is, wherever it stands") {
    std::array<char, block::size> text{};
    for (std::size_t at = 0; at < block::size; ++at) {
        for (int byte = 0; byte < 256; ++byte) {
            text.fill('a');
            text[at] = static_cast<char>(byte);
            const block seen(text.data());
            const bool is_end = byte == '\n' || byte == '\r';
            const std::uint64_t expected = is_end ? std::uint64_t{1} << at : std::uint64_t{0};
            if (seen.line_ends() != expected) FAIL_CHECK(byte << " at " << at);
            if (seen.is_plain() && (byte == 0 || byte >= 0x80)) FAIL_CHECK(byte << " at " << at);
            if (seen.is_dull() && (is_end || byte == 0 || byte >= 0x80))
                FAIL_CHECK(byte << " at " << at);
            // What is common has to be seen to be harmless, or the scan is slow.
            if (byte >= ' ' && byte < 0x80 && !(seen.is_plain() && seen.is_dull()))
                FAIL_CHECK(byte << " at " << at);
            if (is_end && !seen.is_plain()) FAIL_CHECK(byte << " at " << at);
        }
    }
}

TEST_CASE("the mask of a random block agrees with a loop over its bytes") {
    support::dice random(2);
    for (std::size_t i = 0; i < 20000; ++i) {
        const std::string text = random_text(random, block::size, 1 + i % 70);
        std::uint64_t expected = 0;
        bool plain = true;
        for (std::size_t at = 0; at < block::size; ++at) {
            if (is_line_end(text[at])) expected |= std::uint64_t{1} << at;
            if (text[at] == 0 || static_cast<unsigned char>(text[at]) >= 0x80) plain = false;
        }
        const block seen(text.data());
        if (seen.line_ends() != expected) FAIL_CHECK("block " << i);
        if (seen.is_plain() && !plain) FAIL_CHECK("block " << i);
        if (seen.is_dull() && (expected != 0 || !plain)) FAIL_CHECK("block " << i);
    }
}

TEST_CASE("the scan never calls plain what holds a NUL or a byte that is not ASCII") {
    support::dice random(6);
    std::size_t plain_lines = 0;
    for (int i = 0; i < 2000; ++i) {
        std::string text = random_text(random, random.below(1500), 1 + random.below(100));
        if (random.one_in(2)) {
            for (char& c : text) c = static_cast<char>(c & 0x7f);
        }
        if (random.one_in(2) && !text.empty()) text[random.below(text.size())] = '\0';
        const char* const end = text.data() + text.size();
        line_ends ends(text.data(), end);
        const char* p = text.data();
        for (bool more = true; more;) {
            const char* const line_end = ends.next();
            more = line_end != end;
            const std::string_view line(p, static_cast<std::size_t>(line_end - p));
            const bool plain = std::all_of(line.begin(), line.end(), [](char c) {
                return c != 0 && static_cast<unsigned char>(c) < 0x80;
            });
            if (ends.is_plain(p) && !plain) FAIL_CHECK("text " << i);
            if (ends.is_plain(p) && !line.empty()) ++plain_lines;
            p = line_end + 1;
        }
    }
    CHECK(plain_lines > 1000);
}

TEST_CASE("line ends are found in texts of every length at every alignment") {
    support::dice random(3);
    std::string memory = random_text(random, 400, 6);
    for (std::size_t from = 0; from < block::size; ++from) {
        for (std::size_t size = 0; size <= 200; ++size) {
            const auto text = std::string_view(memory).substr(from, size);
            if (walk(text) != walk_naively(text)) FAIL_CHECK("from " << from << ", size " << size);
        }
    }
}

TEST_CASE("nothing is read outside of the text") {
    support::dice random(4);
    for (std::size_t size = 0; size <= 300; ++size) {
        for (const std::size_t one_end_in : {1U, 3U, 20U, 1000U}) {
            const std::string text = random_text(random, size, one_end_in);
            if (!agrees(text)) FAIL_CHECK("size " << size << ", one end in " << one_end_in);
        }
    }
}

TEST_CASE("a CRLF is one line end wherever the blocks meet") {
    for (std::size_t size = 2; size <= 400; ++size) {
        for (std::size_t at = 0; at + 2 <= size; ++at) {
            std::string text(size, 'x');
            text.replace(at, 2, "\r\n");
            if (!agrees(text)) FAIL_CHECK("CRLF at " << at << " of " << size);
            if (at + 4 > size) continue;
            text.replace(at, 4, "\r\n\r\n");
            if (!agrees(text)) FAIL_CHECK("two CRLF at " << at << " of " << size);
        }
    }
}

TEST_CASE("lines of any length are found") {
    constexpr std::size_t lengths[] = {0,    1,    63,   64,   65,   127,  255,  256,
                                       257,  300,  511,  512,  513,  767,  768,  1023,
                                       1024, 1025, 1535, 1536, 1537, 3000, 5000, 10000};
    for (const std::size_t a : lengths) {
        for (const std::size_t b : lengths) {
            for (const std::string_view end : {"\n", "\r", "\r\n", "\n\r"}) {
                std::string text(a, 'x');
                text += end;
                text.append(b, 'y');
                if (!agrees(text)) FAIL_CHECK(a << " and " << b << " without an end");
                text += end;
                text += "z\r\r\n\n";
                if (!agrees(text)) FAIL_CHECK(a << " and " << b);
            }
        }
    }
}

TEST_CASE("a text of line ends alone is found") {
    for (std::size_t size = 1; size <= 300; ++size) {
        CHECK(agrees(std::string(size, '\r')));
        CHECK(agrees(std::string(size, '\n')));
        std::string both;
        while (both.size() < size) both += both.size() % 3 == 0 ? '\n' : '\r';
        CHECK(agrees(both));
    }
}

TEST_CASE("random texts are found") {
    support::dice random(5);
    for (int i = 0; i < 3000; ++i) {
        const std::string text = random_text(random, random.below(3000), 1 + random.below(900));
        if (!agrees(text)) FAIL_CHECK("text " << i);
    }
}

TEST_CASE("finding line ends works while compiling") {
    static_assert([] {
        const std::string_view text = "a\r\nb\rc\n\nd";
        line_ends ends(text.data(), text.data() + text.size());
        std::size_t count = 0;
        for (const char* p = ends.next(); p != text.data() + text.size(); p = ends.next()) {
            if (p[0] == '\r' && p[1] == '\n') ends.skip(p + 1);
            ++count;
        }
        return count;
    }() == 4);
}

TEST_CASE("text is split alike however it is cut") {
    const std::string_view text = "\na\r\nb\r\rc\n\r\nd\r";
    const auto split = [](std::initializer_list<std::string_view> pieces) {
        std::string out;
        bool after_cr = false;
        for (const std::string_view piece : pieces) {
            split_lines(
                piece, after_cr, [&out](std::string_view line) { out += line; },
                [&out] { out += '|'; });
        }
        return out;
    };
    CHECK(split({text}) == "|a|b||c||d|");
    for (std::size_t a = 0; a <= text.size(); ++a) {
        for (std::size_t b = a; b <= text.size(); ++b) {
            CHECK(split({text.substr(0, a), text.substr(a, b - a), "", text.substr(b)}) ==
                  "|a|b||c||d|");
        }
    }
}
