// SPDX-License-Identifier: MIT
#include <ssekit/ssekit.hpp>

const void* address_in_b();

// An inline object has one address in the whole program; a header that forgets `inline` has two.
int main() {
    return address_in_b() == &ssekit::version ? 0 : 1;
}
