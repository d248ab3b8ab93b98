// SPDX-License-Identifier: MIT
//
// The parser, when no limit is met, sees in any stream what the plain reading of the standard sees:
// the same events with the same type, data and last event ID, the same ids, reconnection times and
// comments, in the same order.
#include "check.hpp"

#include "support/recorder.hpp"
#include "support/reference_parser.hpp"
#include "support/reference_utf8.hpp"
#include "support/splits.hpp"

#include <ssekit/parser.hpp>

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace {

using namespace support;

/// Without what the reference does not have; comments are passed on undecoded.
recording comparable(recording seen) {
    for (std::string& comment : seen.comments) comment = reference_decode_utf8(comment).text;
    seen.offset = 0;
    seen.end = ssekit::errc::ok;
    return seen;
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    fuzz::choices choose(data, size);
    const auto seed = static_cast<std::uint32_t>(choose.below(256));
    const std::string_view input = choose.rest();
    const std::size_t unlimited = 3 * input.size();
    const ssekit::parser_options options{
        .limits = {.data = unlimited, .id = unlimited, .type = unlimited, .comment = unlimited}};

    const recording expected = reference_parser::run(input);
    for (const chunks& pieces :
         {chunks{input}, in_pieces_of(1, input), randomly_cut(input, seed)}) {
        fuzz::check_same(comparable(run_feed(pieces, options)), expected,
                         "feed reads the standard");
        fuzz::check_same(comparable(run_next(pieces, options)), as_seen_by_next(expected),
                         "next reads the standard");
        fuzz::check_same(comparable(run_feed<data_chunk_recorder>(pieces, options)), expected,
                         "on_data_chunk reads the standard");
    }
    return 0;
}
