// SPDX-License-Identifier: MIT
//
// Whatever the bytes, the limits and the policy are:
// - the parser neither crashes nor reads or keeps what it must not;
// - any split of the input, on the heap or in memory of the caller, through `feed` or through
// `next`, gives the same events, ids, retries, comments and errors, in the same order, each error
// at the same offset, and the same result of finish();
// - what `on_data_chunk` gives, put together, is what comes whole when no data limit applies; and
//   its own splits agree in everything;
// - a sink that stops at each event and each error and goes on with a copy of the rest misses
//   nothing;
// - no value is longer than its limit.
#include "check.hpp"

#include "support/recorder.hpp"
#include "support/splits.hpp"

#include <ssekit/parser.hpp>

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace {

using namespace support;

struct stopping_recorder : recorder {
    bool on_event(const ssekit::event_view& event) {
        recorder::on_event(event);
        return false;
    }
    bool on_error(ssekit::errc code, std::uint64_t offset) {
        recorder::on_error(code, offset);
        return false;
    }
};

recording run_with_stops(std::string_view input, const ssekit::parser_options& options) {
    ssekit::parser parser(options);
    recording seen;
    stopping_recorder sink{{parser, seen}};
    do {
        const lone_chunk rest(input);
        input.remove_prefix(ssekit::feed(parser, rest.view(), sink));
    } while (!input.empty());
    record_end(parser, seen);
    return seen;
}

void check_limits(const recording& seen, const ssekit::parser_limits& limits) {
    for (const seen_event& event : seen.events) {
        fuzz::check(event.data.size() <= limits.data, "no data is longer than its limit");
        fuzz::check(event.type == "message" || event.type.size() <= limits.type,
                    "no type is longer than its limit");
    }
    for (const std::string& id : seen.ids) {
        fuzz::check(id.size() <= limits.id, "no id is longer than its limit");
    }
    for (const std::string& comment : seen.comments) {
        fuzz::check(comment.size() <= limits.comment, "no comment is longer than its limit");
    }
    for (const seen_error& error : seen.errors) {
        fuzz::check(error.offset <= seen.offset, "an error lies in what has been read");
    }
}

void check_splits(std::string_view input, const chunks& cut,
                  const ssekit::parser_options& options) {
    const recording whole = run_feed({input}, options);
    check_limits(whole, options.limits);
    for (const chunks& pieces : {in_pieces_of(1, input), cut, with_empty_chunks(cut)}) {
        fuzz::check_same(run_feed(pieces, options), whole, "a split equals the whole");
        fuzz::check_same(run_feed(pieces, options, memory::of_the_caller), whole,
                         "memory of the caller equals the heap");
        fuzz::check_same(run_next(pieces, options), as_seen_by_next(whole), "next equals feed");
    }
    fuzz::check_same(run_next({input}, options), as_seen_by_next(whole), "next equals feed");
    fuzz::check_same(run_with_stops(input, options), whole, "a stop loses nothing");
}

void check_data_chunks(std::string_view input, const chunks& cut, ssekit::parser_options options) {
    const recording streamed = run_feed<data_chunk_recorder>({input}, options);
    for (const chunks& pieces : {in_pieces_of(1, input), cut, with_empty_chunks(cut)}) {
        fuzz::check_same(run_feed<data_chunk_recorder>(pieces, options), streamed,
                         "a split of streamed data equals the whole");
    }
    // A line that never ends is tested with the streaming parser alone.
    const std::string ended = std::string(input) + "\n\n";
    options.limits.data = 3 * ended.size();
    fuzz::check_same(run_feed<data_chunk_recorder>({ended}, options), run_feed({ended}, options),
                     "pieces of data make up the whole");
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    fuzz::choices choose(data, size);
    ssekit::parser_options options;
    options.utf8 = static_cast<ssekit::utf8_policy>(choose.below(3));
    options.strip_bom = !choose.flag();
    // Small ones, so that they are reached.
    options.limits = {.data = choose.below(64),
                      .id = choose.below(16),
                      .type = choose.below(16),
                      .comment = choose.below(16)};
    if (choose.flag()) options.limits = {.data = 4096, .id = 256, .type = 256, .comment = 256};
    const auto seed = static_cast<std::uint32_t>(choose.below(256));
    const std::string_view input = choose.rest();
    const chunks cut = randomly_cut(input, seed);

    check_splits(input, cut, options);
    check_data_chunks(input, cut, options);
    return 0;
}
