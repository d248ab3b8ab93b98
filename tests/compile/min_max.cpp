// SPDX-License-Identifier: MIT
//
// Everything compiles with the macros that windows.h defines unless it is told NOMINMAX.
#include <algorithm>
#include <array>
#include <atomic>
#include <bit>
#include <charconv>
#include <chrono>
#include <compare>
#include <concepts>
#include <condition_variable>
#include <coroutine>
#include <functional>
#include <iterator>
#include <limits>
#include <map>
#include <memory>
#include <mutex>
#include <new>
#include <numeric>
#include <optional>
#include <ratio>
#include <span>
#include <string>
#include <string_view>
#include <system_error>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

#define min(a, b) (((a) < (b)) ? (a) : (b))
#define max(a, b) (((a) > (b)) ? (a) : (b))

#ifdef SSEKIT_CODEC_ONLY
#include <ssekit/encoder.hpp>
#include <ssekit/frame.hpp>
#include <ssekit/parser.hpp>
#else
#include <ssekit/ssekit.hpp>
#endif

#include <ssekit/error_code.hpp>
#include <ssekit/testing/event_collector.hpp>
#include <ssekit/testing/recorder.hpp>

// Templates are looked at when they are used.
int main() {
    ssekit::testing::event_collector collector;
    collector.feed("data: x\n\n");
    ssekit::frame_builder block;
    ssekit::data_writer data(block);
    data.finish();
    return block.build().ec == ssekit::errc::ok && collector.events.size() == 1 ? 0 : 1;
}
