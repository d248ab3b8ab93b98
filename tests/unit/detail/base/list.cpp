// SPDX-License-Identifier: MIT
#include <ssekit/detail/base/list.hpp>
#include <ssekit/detail/base/random.hpp>

#include <doctest/doctest.h>

#include <array>
#include <memory>
#include <set>
#include <string>
#include <vector>

namespace {

struct item : ssekit::detail::list_node<item> {
    explicit item(char text) : name(text) {}
    char name;
};
using chain = ssekit::detail::list<item>;

std::string names(chain& items) {
    std::string out;
    for (item* i = items.empty() ? nullptr : &items.front(); i != nullptr; i = items.after(*i)) {
        out += i->name;
    }
    return out;
}

} // namespace

TEST_CASE("a list keeps its items in the order in which they came") {
    item a('a'), b('b'), c('c');
    chain items;
    CHECK(items.empty());
    items.push_back(a);
    items.push_back(b);
    items.push_back(c);
    CHECK(names(items) == "abc");
    items.push_back(a); // moves it
    CHECK(names(items) == "bca");
    c.unlink();
    c.unlink();
    CHECK_FALSE(c.linked());
    CHECK(names(items) == "ba");
}

TEST_CASE("an item leaves its list when it dies") {
    chain items;
    item a('a');
    items.push_back(a);
    {
        item b('b');
        items.push_back(b);
        CHECK(names(items) == "ab");
    }
    CHECK(names(items) == "a");
}

TEST_CASE("splicing moves all items to the end of the other list") {
    for (int mine = 0; mine < 3; ++mine) {
        for (int theirs = 0; theirs < 3; ++theirs) {
            std::vector<std::unique_ptr<item>> all;
            chain a, b;
            std::string expected;
            for (int i = 0; i < mine + theirs; ++i) {
                all.push_back(std::make_unique<item>(static_cast<char>('a' + i)));
                (i < mine ? a : b).push_back(*all.back());
                expected += all.back()->name;
            }
            a.splice_back(b);
            CHECK(names(a) == expected);
            CHECK(b.empty());
            if (theirs != 0) {
                b.push_back(*all.back()); // both lists go on working
                expected.pop_back();
                CHECK(names(a) == expected);
                CHECK(names(b).size() == 1);
            }
        }
    }
}

TEST_CASE("a random sequence stays within its bounds and reaches them") {
    ssekit::detail::random_sequence random(1);
    std::set<std::uint64_t> seen;
    for (int i = 0; i < 1000; ++i) seen.insert(random.up_to(9));
    CHECK(seen.size() == 10);
    CHECK(*seen.rbegin() == 9);
    for (int i = 0; i < 10; ++i) CHECK(random.up_to(0) == 0);
}
