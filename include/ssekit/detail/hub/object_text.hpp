// SPDX-License-Identifier: MIT
#ifndef SSEKIT_DETAIL_HUB_OBJECT_TEXT_HPP
#define SSEKIT_DETAIL_HUB_OBJECT_TEXT_HPP

#include <ssekit/detail/base/decimal.hpp>
#include <ssekit/detail/frame/growing_block.hpp>
#include <ssekit/errc.hpp>
#include <ssekit/event.hpp>
#include <ssekit/frame.hpp>
#include <ssekit/memory.hpp>

#include <cstdint>
#include <string_view>

namespace ssekit::inline SSEKIT_ABI::detail {

/// An object of JSON: the data of what a hub says by itself. Without memory there is none in the
/// end. Spec: RFC 8259.
class object_text {
  public:
    explicit object_text(memory_resource* memory,
                         field_order order = field_order::id_first) noexcept
        : memory_(memory), order_(order), text_(memory) {}

    object_text& add(std::string_view name, std::string_view value) noexcept {
        add_name(name);
        put_string(value);
        return *this;
    }
    object_text& add(std::string_view name, std::uint64_t value) noexcept {
        add_name(name);
        put(decimal(value).view());
        return *this;
    }
    object_text& add_flag(std::string_view name, bool value) noexcept {
        add_name(name);
        put(value ? "true" : "false");
        return *this;
    }

    /// \returns an event with these data. To be called once.
    /// \param with the id and reconnection time that it carries
    [[nodiscard]] frame_result event(event_type type, event_view with = {}) noexcept {
        const std::string_view data = finish();
        if (data.empty()) return {frame(), errc::out_of_memory};
        with.type = type;
        with.data = data;
        return frame::make(with, order_, {}, memory_);
    }
    /// \returns the text; empty without memory. Lifetime: that of this object.
    [[nodiscard]] std::string_view finish() noexcept {
        if (is_empty_) put("{");
        put("}");
        return whole_ ? text_.wire() : std::string_view();
    }

  private:
    void put(std::string_view text) noexcept { whole_ = whole_ && text_.append(text); }
    void add_name(std::string_view name) noexcept {
        put(is_empty_ ? "{\"" : ",\"");
        put(name);
        put("\":");
        is_empty_ = false;
    }
    void put_string(std::string_view text) noexcept {
        put("\"");
        for (const char c : text) {
            const auto byte = static_cast<unsigned char>(c);
            if (c == '"' || c == '\\') {
                const char escaped[] = {'\\', c};
                put({escaped, 2});
            } else if (byte < 0x20) {
                constexpr std::string_view digits = "0123456789abcdef";
                const char escaped[] = {'\\', 'u', '0', '0', digits[byte >> 4], digits[byte & 15]};
                put({escaped, 6});
            } else {
                put({&c, 1});
            }
        }
        put("\"");
    }

    memory_resource* memory_;
    field_order order_;
    growing_block text_;
    bool is_empty_ = true;
    bool whole_ = true; // there has been memory for all of it
};

} // namespace ssekit::inline SSEKIT_ABI::detail

#endif
