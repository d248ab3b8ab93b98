// SPDX-License-Identifier: MIT
//
// One program of two kinds of code: fast.cpp is compiled with -mavx2 -O1, plain.cpp without, main.cpp
// links both in either order. As programs do that choose while they run, the fast one is only called
// where the processor has AVX2; so where it has not, or is emulated as one that has not, the program
// dies if the linker has taken a function of fast.cpp for one of plain.cpp.
#include "kinds.hpp"

#include <cstdio>
#include <string>

int main() {
    std::string stream;
    for (int i = 0; i < 50; ++i) {
        stream += "data: ";
        for (int k = 0; k < 40; ++k) stream += "\xE6\x97\xA5\xE6\x9C\xAC";
        stream += "\n\n";
    }
#if defined(__x86_64__) || defined(__i386__)
    if (__builtin_cpu_supports("avx2") && count_fast(stream) != 12'000) return 1;
#endif
    if (count_plain(stream) != 12'000) return 2;
    std::puts("12000 bytes of both kinds");
    return 0;
}
