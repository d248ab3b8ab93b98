// SPDX-License-Identifier: MIT
//
// The streams that are parsed here, made from a seed: the same bytes wherever this runs.
#ifndef SSEKIT_BENCH_DATA_HPP
#define SSEKIT_BENCH_DATA_HPP

#include <cstddef>
#include <iterator>
#include <random>
#include <string>
#include <string_view>

namespace bench {

inline std::string letters(std::mt19937& random, std::size_t size) {
    std::string text(size, ' ');
    for (char& c : text) c = static_cast<char>('a' + random() % 26);
    return text;
}

/// Blocks of one kind, one after the other. What is said of sizes is on average.
class data_set {
  public:
    /// Appends one block; `number` counts them from 1.
    using block = void (*)(std::string& out, std::mt19937& random, int number);

    constexpr data_set(std::string_view name, block append) : name_(name), append_(append) {}

    [[nodiscard]] constexpr std::string_view name() const { return name_; }

    /// \returns whole blocks, at least `size` bytes of them.
    [[nodiscard]] std::string make(std::size_t size) const {
        std::mt19937 random(7);
        std::string text;
        for (int number = 1; text.size() < size; ++number) append_(text, random, number);
        return text;
    }

  private:
    std::string_view name_;
    block append_;
};

/// The chunk of a chat completion, 250 bytes.
inline void llm_block(std::string& out, std::mt19937& random, int) {
    out.append("data: {\"id\":\"chatcmpl-").append(letters(random, 29));
    out += "\",\"object\":\"chat.completion.chunk\",\"created\":1700000000,\"model\":\"m-large\","
           "\"system_fingerprint\":\"fp_";
    out += letters(random, 10);
    out.append("\",\"choices\":[{\"index\":0,\"delta\":{\"content\":\" ")
        .append(letters(random, 5));
    out += "\"},\"logprobs\":null,\"finish_reason\":null}]}\n\n";
}

/// Three short fields, 40 bytes.
inline void small_block(std::string& out, std::mt19937& random, int number) {
    out.append("id: ").append(std::to_string(number));
    out.append("\nevent: tick\ndata: ").append(letters(random, 12)).append("\n\n");
}

inline void crlf_block(std::string& out, std::mt19937& random, int number) {
    out.append("id: ").append(std::to_string(number));
    out.append("\r\nevent: tick\r\ndata: ").append(letters(random, 12)).append("\r\n\r\n");
}

/// Eight lines of data, of 60 to 90 bytes.
inline void multi_block(std::string& out, std::mt19937& random, int) {
    for (int line = 0; line < 8; ++line) {
        const std::size_t size = 60 + random() % 31;
        out.append("data: ").append(letters(random, size)).append("\n");
    }
    out += "\n";
}

inline void big_block(std::string& out, std::mt19937& random, int) {
    out.append("data: ").append(letters(random, std::size_t{64} << 10)).append("\n\n");
}

/// 60 ideographs of three bytes each.
inline void cjk_block(std::string& out, std::mt19937& random, int) {
    out += "data: ";
    for (int i = 0; i < 60; ++i) {
        const auto code = 0x4e00 + random() % 0x5000;
        out += static_cast<char>(0xe0 | code >> 12);
        out += static_cast<char>(0x80 | (code >> 6 & 63));
        out += static_cast<char>(0x80 | (code & 63));
    }
    out += "\n\n";
}

inline void comment_block(std::string& out, std::mt19937&, int) {
    out += ": keep-alive\n\n";
}

/// Lines of 0 to 4 bytes with every line end, most of them good for nothing.
inline void hostile_block(std::string& out, std::mt19937& random, int) {
    constexpr std::string_view pieces[] = {"\n", "\r", "\r\n", "data\n", "d\r", ":\n", "x:y\r\n"};
    out += pieces[random() % std::size(pieces)];
}

inline constexpr data_set llm("llm", llm_block);
inline constexpr data_set small("small", small_block);
inline constexpr data_set crlf("crlf", crlf_block);
inline constexpr data_set multi("multi", multi_block);
inline constexpr data_set big("big", big_block);
inline constexpr data_set cjk("cjk", cjk_block);
inline constexpr data_set comments("comments", comment_block);
inline constexpr data_set hostile("hostile", hostile_block);

inline constexpr const data_set* data_sets[] = {&llm, &small, &crlf,     &multi,
                                                &big, &cjk,   &comments, &hostile};

/// Calls `each` with pieces of the text, as a network would bring them.
template <class Each>
void in_chunks(std::string_view text, std::size_t chunk, Each&& each) {
    while (!text.empty()) {
        const std::string_view piece = text.substr(0, chunk);
        each(piece);
        text.remove_prefix(piece.size());
    }
}

} // namespace bench

#endif
