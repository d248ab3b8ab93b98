// SPDX-License-Identifier: MIT
//
// The decoder over zlib, against zlib's own compressor.
#ifdef SSEKIT_TEST_ZLIB
#include "support/dice.hpp"

#include <ssekit/adapters/zlib_decoder.hpp>
#include <ssekit/event_source.hpp>

#include <doctest/doctest.h>

#include <chrono>
#include <cstddef>
#include <initializer_list>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <zlib.h>

namespace {

using namespace std::chrono_literals;
using ssekit::event_view;
using ssekit::zlib_decoder;

constexpr int gzip = MAX_WBITS + 16;
constexpr int with_head = MAX_WBITS;
constexpr int raw = -MAX_WBITS;

/// Compresses text after text, each so that it can be decoded at once.
class compressor {
  public:
    explicit compressor(int bits, int level = 6) {
        REQUIRE(deflateInit2(&stream_, level, Z_DEFLATED, bits, 8, Z_DEFAULT_STRATEGY) == Z_OK);
    }
    ~compressor() { deflateEnd(&stream_); }
    compressor(const compressor&) = delete;
    compressor& operator=(const compressor&) = delete;

    std::string add(std::string_view text) { return run(text, Z_SYNC_FLUSH); }
    std::string end() { return run("", Z_FINISH); }

  private:
    std::string run(std::string_view text, int flush) {
        std::string out(deflateBound(&stream_, static_cast<uLong>(text.size())) + 64, 0);
        stream_.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(text.data()));
        stream_.avail_in = static_cast<uInt>(text.size());
        stream_.next_out = reinterpret_cast<Bytef*>(out.data());
        stream_.avail_out = static_cast<uInt>(out.size());
        deflate(&stream_, flush);
        REQUIRE(stream_.avail_out > 0);
        out.resize(out.size() - stream_.avail_out);
        return out;
    }
    z_stream stream_{};
};

std::string compressed(int bits, std::string_view text) {
    compressor made(bits);
    const std::string body = made.add(text);
    return body + made.end();
}

/// All that comes of the bytes in pieces of that size; each piece lies in a block of its own.
std::string decoded(zlib_decoder& decoder, std::string_view bytes, std::size_t size) {
    std::string out;
    for (std::size_t at = 0; at < bytes.size(); at += size) {
        const std::string_view part = bytes.substr(at, size);
        const std::unique_ptr<char[]> block(new char[part.size()]);
        part.copy(block.get(), part.size());
        std::string_view input(block.get(), part.size());
        for (;;) {
            const std::size_t before = input.size();
            const std::string_view some = decoder.decode(input);
            REQUIRE(some.size() <= 16 << 10);
            out += some;
            if (some.empty() && input.empty()) break;
            REQUIRE((!some.empty() || input.size() < before));
        }
    }
    return out;
}

std::string_view name_of(int bits) {
    return bits == gzip ? "gzip" : "deflate";
}

} // namespace

TEST_CASE("zlib: all three kinds of bodies, in pieces of any size") {
    std::string text;
    for (int i = 0; i < 3000; ++i) text += "data: " + std::to_string(i * i) + "\n\n";
    zlib_decoder decoder;
    for (const int bits : {gzip, with_head, raw}) {
        const std::string body = compressed(bits, text);
        for (const std::size_t size : {std::size_t{1}, std::size_t{2}, std::size_t{3},
                                       std::size_t{7}, std::size_t{1000}, body.size()}) {
            CAPTURE(bits);
            CAPTURE(size);
            REQUIRE(decoder.begin(name_of(bits)));
            CHECK(decoder.is_complete());
            CHECK(decoded(decoder, std::string_view(body).substr(0, 1), 1) == "");
            CHECK_FALSE(decoder.is_complete());
            CHECK(decoded(decoder, std::string_view(body).substr(1), size) == text);
            CHECK_FALSE(decoder.failed());
            CHECK(decoder.is_complete());
        }
    }
}

TEST_CASE("zlib: what the server has flushed is there at once") {
    for (const int bits : {gzip, with_head, raw}) {
        zlib_decoder decoder;
        REQUIRE(decoder.begin(name_of(bits)));
        compressor server(bits);
        for (int i = 0; i < 100; ++i) {
            const std::string event = "data: " + std::to_string(i) + "\n\n";
            CHECK(decoded(decoder, server.add(event), 5) == event);
            CHECK_FALSE(decoder.is_complete());
        }
        CHECK(decoded(decoder, server.end(), 1) == "");
        CHECK(decoder.is_complete());
    }
}

TEST_CASE("zlib: members of gzip follow one another, after anything else nothing may") {
    zlib_decoder decoder;
    REQUIRE(decoder.begin("X-GZIP"));
    const std::string two = compressed(gzip, "a") + compressed(gzip, "") + compressed(gzip, "b");
    CHECK(decoded(decoder, two, 1) == "ab");
    CHECK(decoder.is_complete());
    CHECK(decoded(decoder, "xyz", 3) == "");
    CHECK(decoder.failed());
    CHECK_FALSE(decoder.is_complete());
    REQUIRE(decoder.begin("deflate"));
    CHECK(decoded(decoder, compressed(with_head, "a") + "b", 1) == "a");
    CHECK(decoder.failed());
    CHECK(decoded(decoder, compressed(with_head, "a"), 1) == ""); // until the next body
    CHECK_FALSE(decoder.begin("br"));
    CHECK_FALSE(decoder.begin("gzip, gzip"));
    REQUIRE(decoder.begin("deflate"));
    CHECK(decoded(decoder, compressed(raw, "c"), 100) == "c");
}

TEST_CASE("zlib: bytes of any kind are an end or a failure, never more than there is room for") {
    support::dice dice(1);
    zlib_decoder decoder;
    const std::string good = compressed(gzip, std::string(5000, 'a') + "data: b\n\n");
    for (int i = 0; i < 3000; ++i) {
        std::string bytes = good;
        const std::size_t faults = 1 + dice.below(4);
        for (std::size_t k = 0; k < faults; ++k) {
            bytes[dice.below(bytes.size())] = static_cast<char>(dice.below(256));
        }
        bytes.resize(1 + dice.below(bytes.size()));
        REQUIRE(decoder.begin(i % 2 == 0 ? "gzip" : "deflate"));
        const std::string out = decoded(decoder, bytes, 1 + dice.below(50));
        CHECK(out.size() <= bytes.size() * 1032);
    }
}

TEST_CASE("zlib: a source reads a coded stream, and knows when it was cut") {
    zlib_decoder decoder;
    ssekit::event_source source("http://a/", {.method = "POST", .decoder = &decoder});
    const ssekit::time_point now(1h);
    REQUIRE(source.poll(now) == ssekit::source_action::connect);
    const auto find = [](std::string_view name) -> std::optional<std::string_view> {
        if (name == "Content-Type") return "text/event-stream";
        if (name == "Content-Encoding") return "gzip";
        return std::nullopt;
    };
    REQUIRE(source.receive_head(200, find, now));
    std::vector<std::string> seen;
    const auto note = [&](const event_view& event) { seen.emplace_back(*event.data); };
    compressor server(gzip);
    source.receive(server.add("data: a\n\ndata: b\n\ndata"), note, now);
    CHECK(seen == std::vector<std::string>{"a", "b"});
    source.receive_end(now);
    CHECK(source.end() == ssekit::source_end::not_repeated);
    CHECK(source.failure() == "the content coding has no end");
}
#endif
