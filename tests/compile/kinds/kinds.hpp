// SPDX-License-Identifier: MIT
#ifndef SSEKIT_TESTS_COMPILE_KINDS_HPP
#define SSEKIT_TESTS_COMPILE_KINDS_HPP

#include <string_view>

/// The bytes of data of all events in a stream.
int count_fast(std::string_view stream);
int count_plain(std::string_view stream);

#endif
