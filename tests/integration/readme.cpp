// SPDX-License-Identifier: MIT
//
// README code is cut from programs that the tests compile and run: each block names its source, and
// must stand there line by line.

#include <doctest/doctest.h>

#include <algorithm>
#include <cstddef>
#include <fstream>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

namespace {

const std::string root = SSEKIT_TEST_DATA "/../";

std::string read_file(const std::string& path) {
    std::ifstream file(root + path, std::ios::binary);
    REQUIRE_MESSAGE(file.good(), "cannot read " << path);
    std::ostringstream text;
    text << file.rdbuf();
    return text.str();
}

std::vector<std::string> lines_of(const std::string& text) {
    std::istringstream in(text);
    std::vector<std::string> lines;
    for (std::string line; std::getline(in, line);) lines.push_back(line);
    return lines;
}

std::string without_margin(const std::vector<std::string>& lines) {
    std::size_t margin = std::string::npos;
    for (const std::string& line : lines) margin = std::min(margin, line.find_first_not_of(' '));
    std::string text;
    for (const std::string& line : lines) {
        text += line.substr(std::min(margin, line.size())) + '\n';
    }
    return text;
}

// What stands between the two lines that hold "// [label]".
std::string marked_part(const std::string& path, const std::string& label) {
    std::vector<std::string> part;
    int marks = 0;
    for (const std::string& line : lines_of(read_file(path))) {
        if (line.find("// [" + label + "]") != std::string::npos) {
            ++marks;
        } else if (marks == 1) {
            part.push_back(line);
        }
    }
    REQUIRE_MESSAGE(marks == 2, path << " has no part marked " << label);
    return without_margin(part);
}

} // namespace

TEST_CASE("every block of code in the README is cut from a program that the tests run") {
    const std::vector<std::string> lines = lines_of(read_file("README.md"));
    std::size_t blocks = 0;
    for (std::size_t i = 0; i < lines.size(); ++i) {
        if (lines[i] != "```cpp" && lines[i] != "```js") continue;
        ++blocks;
        REQUIRE(i > 0);
        // <!-- tests/examples/NAME.cpp [label] -->
        std::istringstream source(lines[i - 1]);
        std::string open;
        std::string path;
        std::string label;
        source >> open >> path >> label;
        CAPTURE(lines[i - 1]);
        REQUIRE((open == "<!--" && label.size() > 2));
        std::vector<std::string> shown;
        while (lines[++i] != "```") shown.push_back(lines[i]);
        CHECK(without_margin(shown) == marked_part(path, label.substr(1, label.size() - 2)));
    }
    CHECK(blocks >= 5);
}
