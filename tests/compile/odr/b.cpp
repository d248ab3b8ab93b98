// SPDX-License-Identifier: MIT
#include <ssekit/ssekit.hpp>

const void* address_in_b();
const void* address_in_b() {
    return &ssekit::version;
}
