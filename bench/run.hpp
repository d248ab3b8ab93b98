// SPDX-License-Identifier: MIT
#ifndef SSEKIT_BENCH_RUN_HPP
#define SSEKIT_BENCH_RUN_HPP

#include <benchmark/benchmark.h>

namespace bench {

/// What `main` does once everything is registered. What has compiled it goes into the report.
inline int run(int argc, char** argv) {
#if defined(__clang__)
    benchmark::AddCustomContext("compiler", __VERSION__);
#elif defined(__GNUC__)
    benchmark::AddCustomContext("compiler", "g++ " __VERSION__);
#endif
#if defined(__AVX2__)
    benchmark::AddCustomContext("vectors", "AVX2");
#elif defined(__SSE2__)
    benchmark::AddCustomContext("vectors", "SSE2");
#endif
    benchmark::Initialize(&argc, argv);
    if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 1;
    benchmark::RunSpecifiedBenchmarks();
    benchmark::Shutdown();
    return 0;
}

} // namespace bench

#endif
