// SPDX-License-Identifier: MIT
//
// Bodies in gzip or deflate for event sources whose HTTP library does not decode them, over zlib:
//
//     ssekit::zlib_decoder decoder;
//     ssekit::event_source source(url, {.decoder = &decoder});
//
// What has been decoded is there at once, up to the last point that the server has flushed; nothing
// is held back for more. A body grows by at most 1,032 times, and is read in pieces of 16 KiB, so
// that a bomb takes time in proportion to its bytes on the wire, and no memory.
// Spec: RFC 9110, 8.4.1; RFC 1950, 1951, 1952.
#ifndef SSEKIT_ADAPTERS_ZLIB_DECODER_HPP
#define SSEKIT_ADAPTERS_ZLIB_DECODER_HPP

#include <ssekit/content_decoder.hpp>
#include <ssekit/detail/http/text.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <limits>
#include <string_view>

#include <zlib.h>

namespace ssekit::inline SSEKIT_ABI {

/// It takes about 60 KiB, of which zlib allocates 44 with the first coded body.
class zlib_decoder final : public content_decoder {
  public:
    zlib_decoder() noexcept = default;
    zlib_decoder(const zlib_decoder&) = delete;
    zlib_decoder& operator=(const zlib_decoder&) = delete;
    ~zlib_decoder() {
        if (is_made_) inflateEnd(&stream_);
    }

    [[nodiscard]] std::string_view accepts() const noexcept override { return "gzip, deflate"; }

    [[nodiscard]] bool begin(std::string_view coding) noexcept override {
        head_size_ = 0;
        state_ = state::before;
        if (detail::equal_ignoring_case(coding, "gzip") ||
            detail::equal_ignoring_case(coding, "x-gzip")) {
            format_ = format::gzip;
        } else if (detail::equal_ignoring_case(coding, "deflate")) {
            format_ = format::deflate;
        } else {
            return false;
        }
        // A window of full size in any case: what a server has used is not known yet.
        if (!is_made_) is_made_ = inflateInit2(&stream_, gzip_bits) == Z_OK;
        return is_made_;
    }

    [[nodiscard]] std::string_view decode(std::string_view& input) noexcept override;
    [[nodiscard]] bool failed() const noexcept override { return state_ == state::failed; }
    [[nodiscard]] bool is_complete() const noexcept override {
        return head_size_ == 0 && (state_ == state::before || state_ == state::ended);
    }

  private:
    static constexpr int gzip_bits = MAX_WBITS + 16;
    static constexpr int raw_bits = -MAX_WBITS;

    enum class format { gzip, deflate };
    enum class state { before, inside, ended, failed };

    [[nodiscard]] bool begin_member() noexcept;
    [[nodiscard]] std::size_t inflate_into_out(std::string_view& input) noexcept;

    z_stream stream_{};
    std::array<char, std::size_t{16} << 10> out_;
    std::array<char, 2> head_{}; // of a member: says which format it is
    std::size_t head_size_ = 0;
    format format_ = format::gzip;
    state state_ = state::before;
    bool is_made_ = false;
};

// ---- how

inline std::string_view zlib_decoder::decode(std::string_view& input) noexcept {
    for (;;) {
        if (state_ == state::failed) {
            input = {};
            return {};
        }
        if (state_ == state::inside) {
            const bool is_first = head_size_ > 0;
            const std::size_t size = inflate_into_out(input);
            if (size > 0) return {out_.data(), size};
            if (state_ == state::inside && !is_first && input.empty()) return {};
            continue;
        }
        if (input.empty()) return {};
        if (state_ == state::ended && format_ == format::deflate) { // nothing may follow
            state_ = state::failed;
            continue;
        }
        head_[head_size_++] = input.front();
        input.remove_prefix(1);
        if (head_size_ == head_.size()) state_ = begin_member() ? state::inside : state::failed;
    }
}

/// Several members of gzip may follow one another. What is called deflate has a head of zlib's, or
/// none: many servers have understood the name so.
inline bool zlib_decoder::begin_member() noexcept {
    const auto first = static_cast<unsigned char>(head_[0]);
    const auto second = static_cast<unsigned char>(head_[1]);
    int bits = gzip_bits;
    if (format_ == format::deflate) {
        const bool has_head = first % 16 == Z_DEFLATED && (first * 256 + second) % 31 == 0;
        bits = has_head ? MAX_WBITS : raw_bits;
    }
    return inflateReset2(&stream_, bits) == Z_OK;
}

/// \returns how many bytes it has made.
inline std::size_t zlib_decoder::inflate_into_out(std::string_view& input) noexcept {
    constexpr std::size_t most = std::numeric_limits<uInt>::max();
    std::string_view head(head_.data(), head_size_);
    std::string_view& from = head.empty() ? input : head;
    auto* const out = reinterpret_cast<Bytef*>(out_.data());
    stream_.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(from.data())); // zlib only reads
    stream_.avail_in = static_cast<uInt>((std::min)(from.size(), most));
    stream_.next_out = out;
    stream_.avail_out = static_cast<uInt>(out_.size());
    const uInt before = stream_.avail_in;
    const int result = inflate(&stream_, Z_SYNC_FLUSH);
    from.remove_prefix(before - stream_.avail_in);
    head_size_ = 0;
    if (result == Z_STREAM_END) {
        state_ = state::ended;
    } else if (result != Z_OK && result != Z_BUF_ERROR) { // the latter: there is nothing to do yet
        state_ = state::failed;
    }
    return static_cast<std::size_t>(stream_.next_out - out);
}

} // namespace ssekit::inline SSEKIT_ABI

#endif
