// SPDX-License-Identifier: MIT
// What most tests include, compiled once for all of them: see SSEKIT_PRECOMPILE. Nothing of ssekit is
// among it, so that each header still has to include what it needs, and warnings are seen.
#ifndef SSEKIT_TESTS_SUPPORT_PRECOMPILED_HPP
#define SSEKIT_TESTS_SUPPORT_PRECOMPILED_HPP

#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <charconv>
#include <chrono>
#include <functional>
#include <limits>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <thread>
#include <type_traits>
#include <utility>
#include <vector>

#endif
