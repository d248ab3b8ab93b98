// SPDX-License-Identifier: MIT
//
// Every way to cut an input into chunks that a test asks for.
#ifndef SSEKIT_TESTS_SUPPORT_SPLITS_HPP
#define SSEKIT_TESTS_SUPPORT_SPLITS_HPP

#include "support/dice.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace support {

using chunks = std::vector<std::string_view>;

[[nodiscard]] inline chunks in_pieces_of(std::size_t size, std::string_view input) {
    chunks pieces;
    for (; input.size() > size; input.remove_prefix(size)) pieces.push_back(input.substr(0, size));
    pieces.push_back(input);
    return pieces;
}

[[nodiscard]] inline chunks with_empty_chunks(const chunks& pieces) {
    chunks out{""};
    for (const std::string_view piece : pieces) {
        out.push_back(piece);
        out.push_back(piece.substr(piece.size()));
    }
    return out;
}

[[nodiscard]] inline chunks randomly_cut(std::string_view input, std::uint32_t seed) {
    dice random(seed);
    const std::size_t longest = 1 + random.below(40);
    chunks pieces;
    while (!input.empty()) {
        const std::size_t size = std::min(random.below(longest + 1), input.size());
        pieces.push_back(input.substr(0, size));
        input.remove_prefix(size);
    }
    return pieces;
}

/// Calls `check(const chunks&, const std::string& how)` for the input whole, byte by byte, cut in
/// two at every position, with empty chunks in between, and cut at random.
template <class Check>
void for_each_split(std::string_view input, Check&& check) {
    check(chunks{input}, std::string("whole"));
    check(in_pieces_of(1, input), std::string("byte by byte"));
    check(with_empty_chunks(chunks{input}), std::string("whole between empty chunks"));
    check(with_empty_chunks(in_pieces_of(1, input)), std::string("bytes between empty chunks"));
    for (std::size_t at = 1; at < input.size(); ++at) {
        const chunks two{input.substr(0, at), input.substr(at)};
        check(two, "cut at " + std::to_string(at));
        check(with_empty_chunks(two), "cut at " + std::to_string(at) + " with empty chunks");
    }
    for (std::uint32_t seed = 1; seed <= 10; ++seed) {
        check(randomly_cut(input, seed), "cut at random, seed " + std::to_string(seed));
    }
}

} // namespace support

#endif
