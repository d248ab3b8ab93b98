// SPDX-License-Identifier: MIT
#include <ssekit/detail/base/slab.hpp>

#include "support/allocations.hpp"
#include "support/dice.hpp"

#include <doctest/doctest.h>

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

namespace {

using ssekit::detail::slab;

/// Counts who lives.
struct guest {
    guest(int& living, std::size_t text) : count(&living), name(std::to_string(text)) { ++living; }
    guest(const guest&) = delete;
    guest& operator=(const guest&) = delete;
    ~guest() { --*count; }

    int* count;
    std::string name;
};

template <class T, std::uint32_t PageSize>
std::set<std::uint32_t> all(const slab<T, PageSize>& house) {
    std::set<std::uint32_t> out;
    house.for_each([&](std::uint32_t number) { CHECK(out.insert(number).second); });
    return out;
}

} // namespace

TEST_CASE("a slab that is new holds nothing") {
    const slab<int, 64> house;
    CHECK(all(house).empty());
    for (const std::uint32_t number : {0u, 1u, 2u, 63u, 64u, 65u, 1u << 28, 0xffffffffu}) {
        CHECK_FALSE(house.contains(number));
    }
}

TEST_CASE("objects have numbers of their own that are not 0 and never move") {
    const auto try_page_size = [](auto house) {
        std::map<std::uint32_t, std::size_t*> places;
        for (std::size_t i = 0; i < 3000; ++i) {
            const std::uint32_t number = house->make(i);
            REQUIRE(number != 0);
            REQUIRE(places.emplace(number, &(*house)[number]).second);
        }
        std::set<const std::size_t*> addresses;
        for (const auto& [number, place] : places) {
            REQUIRE(&(*house)[number] == place);
            REQUIRE(house->contains(number));
            addresses.insert(place);
        }
        CHECK(addresses.size() == 3000);
        CHECK(all(*house).size() == 3000);
        CHECK_FALSE(house->contains(0));
    };
    try_page_size(std::make_unique<slab<std::size_t, 8>>());
    try_page_size(std::make_unique<slab<std::size_t, 64>>());
    try_page_size(std::make_unique<slab<std::size_t, 1024>>());
}

TEST_CASE("places are used again before memory grows") {
    slab<int, 8> house;
    std::vector<std::uint32_t> numbers;
    for (int i = 0; i < 40; ++i) numbers.push_back(house.make(i));
    const std::set<std::uint32_t> before = all(house);
    const support::allocation_watch watch;
    for (int round = 0; round < 10; ++round) {
        for (std::size_t i = 0; i < numbers.size(); i += 2) house.destroy(numbers[i]);
        for (std::size_t i = 0; i < numbers.size(); i += 2) numbers[i] = house.make(round);
    }
    CHECK(watch.allocations() == 0);
    CHECK(all(house) == before);
    house.destroy(numbers[7]);
    CHECK_FALSE(house.contains(numbers[7]));
    CHECK(house.make(1) == numbers[7]); // the one that left last
}

TEST_CASE("a slab does as a map does whatever happens") {
    for (std::uint32_t seed = 0; seed < 20; ++seed) {
        CAPTURE(seed);
        support::dice dice(seed);
        int living = 0;
        {
            slab<guest, 64> house;
            std::map<std::uint32_t, std::string> model;
            for (std::size_t step = 0; step < 2000; ++step) {
                // Grows in the first half, shrinks in the second.
                if (model.empty() || dice.below(10) < (step < 1000 ? 7u : 3u)) {
                    const std::uint32_t made = house.make(living, step);
                    REQUIRE(made != 0);
                    REQUIRE(model.emplace(made, std::to_string(step)).second);
                } else {
                    auto at = model.lower_bound(static_cast<std::uint32_t>(dice.below(1000)));
                    if (at == model.end()) at = model.begin();
                    REQUIRE(house.contains(at->first));
                    house.destroy(at->first);
                    REQUIRE_FALSE(house.contains(at->first));
                    model.erase(at);
                }
            }
            CHECK(static_cast<std::size_t>(living) == model.size());
            const std::set<std::uint32_t> there = all(house);
            CHECK(there.size() == model.size());
            for (const auto& [number, name] : model) {
                CHECK(there.contains(number));
                CHECK(house[number].name == name);
            }
        }
        CHECK(living == 0); // the slab destroys what is left
    }
}

TEST_CASE("whoever is called for each object may destroy it") {
    int living = 0;
    slab<guest, 8> house;
    for (std::size_t i = 0; i < 100; ++i) static_cast<void>(house.make(living, i));
    std::size_t calls = 0;
    house.for_each([&](std::uint32_t number) {
        ++calls;
        if (number % 3 != 0) house.destroy(number);
    });
    CHECK(calls == 100);
    CHECK(living == 33);
    house.for_each([&](std::uint32_t number) {
        CHECK(number % 3 == 0);
        house.destroy(number);
    });
    CHECK(living == 0);
    CHECK(all(house).empty());
}

TEST_CASE("whoever is called for each object may make others") {
    slab<int, 8> house;
    std::set<std::uint32_t> before;
    for (int i = 0; i < 8; ++i) before.insert(house.make(i));
    std::set<std::uint32_t> called;
    house.for_each([&](std::uint32_t number) {
        CHECK(called.insert(number).second);
        if (all(house).size() < 200) REQUIRE(house.make(1) != 0);
    });
    for (const std::uint32_t number : before) CHECK(called.contains(number));
}

TEST_CASE("a slab that finds no memory stays as it was and goes on when there is some") {
    if (!support::counts_allocations) return;
    // Every grace from none until nothing fails: the page list, the page, its bits.
    for (std::size_t grace = 0;; ++grace) {
        CAPTURE(grace);
        REQUIRE(grace < 100);
        int living = 0;
        bool struck = false;
        {
            slab<guest, 8> house;
            std::vector<std::uint32_t> numbers;
            {
                const support::failing_allocations few(grace);
                // Short names: only the slab itself asks for memory.
                for (std::size_t i = 0; i < 60; ++i) {
                    const std::uint32_t made = house.make(living, i);
                    if (made != 0) numbers.push_back(made);
                }
                struck = few.struck();
            }
            CHECK(all(house).size() == numbers.size());
            CHECK(static_cast<std::size_t>(living) == numbers.size());
            if (struck) CHECK(numbers.size() < 60);
            while (numbers.size() < 100) {
                numbers.push_back(house.make(living, numbers.size()));
                REQUIRE(numbers.back() != 0);
            }
            CHECK(all(house).size() == 100);
        }
        CHECK(living == 0);
        if (!struck) break;
    }
}

TEST_CASE("objects of wide alignment stand where they must") {
    struct alignas(128) wide {
        char text = 'x';
    };
    slab<wide, 8> house;
    for (int i = 0; i < 50; ++i) {
        const std::uint32_t number = house.make();
        const void* place = &house[number];
        CHECK(reinterpret_cast<std::uintptr_t>(place) % 128 == 0);
    }
}
