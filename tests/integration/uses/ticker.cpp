// SPDX-License-Identifier: MIT
#include "use.hpp"

#include <charconv>
#include <chrono>
#include <map>
#include <string>

TEST_CASE("use ticker: prices come together five times a second, of each symbol the newest") {
    const uses::program ticker("ticker");
    const auto begin = std::chrono::steady_clock::now();
    support::stream_client client(ticker.port, "/prices");
    REQUIRE(client.until_count(25));
    // At least five turns, for each brings five prices at most.
    CHECK(std::chrono::steady_clock::now() - begin > std::chrono::milliseconds(4 * 180));
    std::map<std::string, int> prices;
    int passed_over = 0;
    for (const auto& event : client.events) {
        const std::string symbol = event.data.substr(0, 3);
        int price = 0;
        std::from_chars(event.data.data() + 4, event.data.data() + event.data.size(), price);
        if (prices.contains(symbol)) {
            CHECK(price > prices[symbol]);
            passed_over += price - prices[symbol] - 1;
        }
        prices[symbol] = price;
    }
    CHECK(prices.size() == 5);
    CHECK(passed_over > 100); // of some 200 between two turns of each of five symbols
}
