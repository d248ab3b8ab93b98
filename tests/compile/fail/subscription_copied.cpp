// expect: use of deleted function|call to (implicitly-)?deleted
// SPDX-License-Identifier: MIT
#include <ssekit/subscription.hpp>

#include <utility>

ssekit::subscription use(ssekit::subscription& stream) {
#ifdef CORRECTED
    return std::move(stream);
#else
    ssekit::subscription second = stream; // whose stream would it be?
    return second;
#endif
}
