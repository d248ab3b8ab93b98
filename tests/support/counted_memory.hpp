// SPDX-License-Identifier: MIT
//
// A memory_resource that counts what is taken and given back, and fails on demand. What is given
// back in another size, at another alignment or twice ends the test.
#ifndef SSEKIT_TESTS_SUPPORT_COUNTED_MEMORY_HPP
#define SSEKIT_TESTS_SUPPORT_COUNTED_MEMORY_HPP

#include <ssekit/memory.hpp>

#include <cstddef>
#include <cstdio>
#include <cstdlib>
#include <limits>
#include <new>
#include <unordered_map>

namespace support {

class counted_memory final : public ssekit::memory_resource {
  public:
    static constexpr std::size_t unlimited = std::numeric_limits<std::size_t>::max();

    void* allocate(std::size_t size, std::size_t alignment) noexcept override {
        if (grace == 0) {
            struck = true;
            return nullptr;
        }
        if (grace != unlimited) --grace;
        // The form that throws, which support::failing_allocations lets through.
        void* const block = ::operator new(size, std::align_val_t(alignment));
        blocks_.emplace(block, shape{size, alignment});
        ++allocations;
        live_bytes += size;
        return block;
    }
    void deallocate(void* block, std::size_t size, std::size_t alignment) noexcept override {
        const auto found = blocks_.find(block);
        if (found == blocks_.end() || found->second.size != size ||
            found->second.alignment != alignment) {
            std::fputs("memory is given back that was not taken so\n", stderr);
            std::abort();
        }
        blocks_.erase(found);
        live_bytes -= size;
        ::operator delete(block, std::align_val_t(alignment));
    }

    [[nodiscard]] std::size_t live() const { return blocks_.size(); }

    std::size_t allocations = 0; ///< that have succeeded
    std::size_t live_bytes = 0;
    std::size_t grace = unlimited; ///< how many more succeed
    bool struck = false;           ///< one has failed

  private:
    struct shape {
        std::size_t size;
        std::size_t alignment;
    };
    std::unordered_map<void*, shape> blocks_;
};

} // namespace support

#endif
