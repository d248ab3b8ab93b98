// SPDX-License-Identifier: MIT
#include "support/dice.hpp"
#include "support/reference_utf8.hpp"

#include <ssekit/detail/text/utf8.hpp>

#include <doctest/doctest.h>

#include <cstddef>
#include <initializer_list>
#include <string>
#include <string_view>

using namespace ssekit::detail;

namespace {

std::string replaced(std::string_view text) {
    std::string out;
    for_each_replaced(text, [&out](std::string_view piece) { out += piece; });
    return out;
}

// One assertion for millions of inputs: CHECK takes too long for each.
bool agrees(std::string_view text) {
    const support::reference_decoding expected = support::reference_decode_utf8(text);
    const char* const end = text.data() + text.size();
    const auto first = static_cast<std::size_t>(find_malformed(text.data(), end) - text.data());
    return replaced(text) == expected.text && replaced_size(text) == expected.text.size() &&
           is_utf8(text) == !expected.first_malformed &&
           first == expected.first_malformed.value_or(text.size());
}

void check(std::string_view text) {
    if (!agrees(text)) FAIL_CHECK("differs for " << doctest::String(text.data(), 4));
}

std::string bytes(std::initializer_list<unsigned> numbers) {
    std::string out;
    for (const unsigned number : numbers) out += static_cast<char>(number);
    return out;
}

} // namespace

TEST_CASE("all sequences of one and two bytes decode as the standard says") {
    check("");
    for (unsigned a = 0; a < 256; ++a) {
        check(bytes({a}));
        for (unsigned b = 0; b < 256; ++b) check(bytes({a, b}));
    }
}

TEST_CASE("all sequences of three bytes decode as the standard says") {
    std::size_t wrong = 0;
    char text[3] = {};
    for (unsigned i = 0; i < 1U << 24; ++i) {
        text[0] = static_cast<char>(i >> 16);
        text[1] = static_cast<char>(i >> 8 & 0xFF);
        text[2] = static_cast<char>(i & 0xFF);
        if (!agrees({text, 3})) ++wrong;
    }
    CHECK(wrong == 0);
}

TEST_CASE("sequences of four bytes decode as the standard says at every edge") {
    const std::initializer_list<unsigned> edges = {0x00, 0x0A, 0x7F, 0x80, 0x8F, 0x90, 0x9F, 0xA0,
                                                   0xBF, 0xC0, 0xC1, 0xC2, 0xDF, 0xE0, 0xE1, 0xED,
                                                   0xEE, 0xEF, 0xF0, 0xF1, 0xF3, 0xF4, 0xF5, 0xFF};
    for (const unsigned a : edges) {
        for (const unsigned b : edges) {
            for (const unsigned c : edges) {
                for (const unsigned d : edges) check(bytes({a, b, c, d}));
            }
        }
    }
}

// Long texts are validated in vectors, beginning after the first byte that is not ASCII.
TEST_CASE("sequences of four bytes decode as the standard says inside of long texts") {
    const std::initializer_list<unsigned> edges = {0x61, 0x7F, 0x80, 0x8F, 0x90, 0x9F, 0xA0, 0xBF,
                                                   0xC0, 0xC1, 0xC2, 0xDF, 0xE0, 0xE1, 0xEC, 0xED,
                                                   0xEE, 0xEF, 0xF0, 0xF1, 0xF3, 0xF4, 0xF5, 0xFF};
    std::size_t place = 0;
    for (const unsigned a : edges) {
        for (const unsigned b : edges) {
            for (const unsigned c : edges) {
                for (const unsigned d : edges) {
                    const std::size_t before = place++ % 40;
                    std::string text = bytes({0xE2, 0x82, 0xAC}) + std::string(before, 'a');
                    text += bytes({a, b, c, d});
                    text += std::string(place % 37, 'b') + bytes({0xC3, 0xA4});
                    check(text);
                }
            }
        }
    }
}

TEST_CASE("long texts that are not ASCII decode as the standard says wherever they are cut") {
    support::dice random(2);
    constexpr std::string_view letters[] = {"a",
                                            "\xC3\xA4",
                                            "\xE0\xA4\x85",
                                            "\xE4\xB8\x80",
                                            "\xED\x95\x9C",
                                            "\xEE\x80\x80",
                                            "\xF0\x9F\x91\x8D",
                                            "\xF4\x8F\xBF\xBF"};
    for (int i = 0; i < 300; ++i) {
        std::string text;
        const bool mixed = random.one_in(2);
        const std::string_view only = random.pick(letters);
        for (std::size_t n = random.below(90); n > 0; --n)
            text += mixed ? random.pick(letters) : only;
        for (std::size_t size = 0; size <= text.size(); ++size) {
            check(std::string_view(text).substr(0, size));
            check(std::string_view(text).substr(size));
        }
        for (std::size_t at = 0; at < text.size(); ++at) {
            std::string broken = text;
            broken[at] = static_cast<char>(random.below(256));
            check(broken);
        }
    }
}

TEST_CASE("long texts decode as the standard says wherever the ill-formed part lies") {
    for (std::size_t size = 1; size <= 80; ++size) {
        for (std::size_t at = 0; at < size; ++at) {
            for (const std::string_view part :
                 {"\xFF", "\xE2\x82", "\xF0\x9F\x91\x8D", "\xC3\xA4"}) {
                std::string text(size, 'a');
                text.replace(at, 1, part);
                check(text);
            }
        }
    }
}

TEST_CASE("random texts decode as the standard says") {
    support::dice random(1);
    constexpr std::string_view parts[] = {
        "a",        "\n",           "\x80",     "\xC2",
        "\xE2\x82", "\xE2\x82\xAC", "\xF0\x9F", "\xF0\x9F\x91\x8D",
        "\xED\xA0", "\xF4\x90",     "\xC0\xAF", "0123456789abcdef"};
    for (int i = 0; i < 20000; ++i) {
        std::string text;
        for (std::size_t n = random.below(12); n > 0; --n) text += random.pick(parts);
        check(text);
    }
}

TEST_CASE("a step says whether only the end of the input is at fault") {
    const auto step = [](std::string_view text) {
        return decode_step(text.data(), text.data() + text.size());
    };
    for (const std::string_view whole : {"\xC3\xA4", "\xE2\x82\xAC", "\xF0\x9F\x91\x8D"}) {
        CHECK(step(whole).valid);
        CHECK(step(whole).length == whole.size());
        for (std::size_t size = 1; size < whole.size(); ++size) {
            CHECK_FALSE(step(whole.substr(0, size)).valid);
            CHECK(step(whole.substr(0, size)).cut);
            CHECK(step(whole.substr(0, size)).length == size);
            const std::string broken = std::string(whole.substr(0, size)) + "a";
            CHECK_FALSE(step(broken).valid);
            CHECK_FALSE(step(broken).cut);
            CHECK(step(broken).length == size);
        }
    }
    CHECK_FALSE(step("\xFF").cut);
}

TEST_CASE("decoding never swallows an ASCII byte") {
    for (unsigned lead = 0x80; lead < 256; ++lead) {
        for (unsigned ascii = 0; ascii < 0x80; ++ascii) {
            const std::string text = replaced(bytes({lead, ascii}));
            CHECK(text.back() == static_cast<char>(ascii));
        }
    }
}

TEST_CASE("decoding works while compiling") {
    static_assert(is_utf8("\xE2\x82\xAC"));
    static_assert(!is_utf8("\xE2\x82"));
    static_assert(replaced_size("a\xFF") == 4);
    static_assert(is_utf8("a text of more than thirty-two bytes, all ASCII"));
}
