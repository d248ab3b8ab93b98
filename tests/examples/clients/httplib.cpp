// SPDX-License-Identifier: MIT
//
// An event source over cpp-httplib, on a thread that blocks.
#include "watch.hpp"

#include <ssekit/adapters/httplib_client.hpp>

int main(int argc, char** argv) {
    return watch::run(argc, argv, [](const auto& wanted, auto& source, auto& print) {
        // [recipe]
        ssekit::httplib_source client(source, [&](httplib::Client& made) {
            if (!wanted.ca.empty()) made.set_ca_cert_path(wanted.ca);
        });
        const watch::on_signal stop([&client] { client.stop(); });
        client.run(print);
        // [recipe]
    });
}
