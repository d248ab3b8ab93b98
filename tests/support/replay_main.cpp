// SPDX-License-Identifier: MIT
// Feeds every file of the folders on the command line to a fuzz target: the committed corpus is a
// regression test for every compiler, not only for the one that has libFuzzer.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <memory>
#include <string>
#include <system_error>
#include <vector>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

namespace {

std::vector<std::filesystem::path> files_in(const char* folder) {
    std::vector<std::filesystem::path> files;
    std::error_code error;
    for (const auto& entry : std::filesystem::directory_iterator(folder, error)) {
        if (entry.is_regular_file()) files.push_back(entry.path());
    }
    std::sort(files.begin(), files.end());
    return files;
}

bool replay(const std::filesystem::path& file) {
    // Said beforehand: if the target aborts, the last line names the input.
    std::printf("%s\n", file.c_str());
    std::fflush(stdout);

    std::ifstream stream(file, std::ios::binary);
    const std::string input{std::istreambuf_iterator<char>(stream), {}};
    if (!stream) return false;

    // A copy of exactly this size lets AddressSanitizer see a read past the end. libFuzzer never
    // passes a null pointer, so an empty input is an array of no bytes.
    const auto bytes = std::make_unique<std::uint8_t[]>(input.size());
    std::copy(input.begin(), input.end(), bytes.get());
    LLVMFuzzerTestOneInput(bytes.get(), input.size());
    return true;
}

} // namespace

int main(int argc, char** argv) {
    if (argc < 2) {
        std::fprintf(stderr, "usage: %s FOLDER...\n", argv[0]);
        return 2;
    }
    for (int i = 1; i < argc; ++i) {
        const auto files = files_in(argv[i]);
        if (files.empty()) {
            std::fprintf(stderr, "%s: missing or empty\n", argv[i]);
            return 1;
        }
        for (const auto& file : files) {
            if (!replay(file)) {
                std::fprintf(stderr, "%s: cannot be read\n", file.c_str());
                return 1;
            }
        }
    }
    return 0;
}
