// SPDX-License-Identifier: MIT
//
// An event as bytes in a journal: what it is, and for whom. Whoever reads the log may find bytes
// there that somebody else has written, or a newer version of this; decoding trusts no length, and
// says what is wrong.
//
// | bytes         | what                                                                    |
// |---------------|-------------------------------------------------------------------------|
// | 1             | version, 1                                                              |
// | 1             | for whom: 1 topics, 2 a tag, 3 all, 4 those of a topic that is closed   |
// | 1             | flags: 1 there is data, 2 a reconnection time, 4 the key is removed     |
// | 2             | how many names                                                          |
// | 2 + n of each | names: topics, a tag, or the topic to close                             |
// | 2 + n         | key                                                                     |
// | 4 + n         | type                                                                    |
// | 4             | with flag 2: reconnection time, in ms                                   |
// | 8             | for a topic that is closed: how long to keep it, in ms                  |
// | the rest      | with flag 1: data                                                       |
//
// Numbers have their lowest byte first. Later versions may add flags and targets under the same
// version where readers that do not know them can skip the entry.
#ifndef SSEKIT_JOURNAL_ENTRY_HPP
#define SSEKIT_JOURNAL_ENTRY_HPP

#include <ssekit/errc.hpp>
#include <ssekit/event.hpp>
#include <ssekit/event_key.hpp>
#include <ssekit/event_target.hpp>
#include <ssekit/topic_list.hpp>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <string_view>

namespace ssekit::inline SSEKIT_ABI {

/// An event and for whom it is. Lifetime: views.
struct journal_entry {
    event_target target = topic_list();
    /// Without an id, which the log gives. A topic may be closed without data.
    event_view event = {};
    event_key key = {};
};

/// Why an entry cannot be used. It is skipped, and the next one may be right.
enum class entry_fault : std::uint8_t {
    none,
    empty,     ///< no bytes: nothing that the journal could show, or too large
    newer,     ///< of a version, a target or with flags that this one does not know
    malformed, ///< it is not what the table above says
};

/// A short English text for logs. Lifetime: static.
[[nodiscard]] constexpr std::string_view message(entry_fault fault) noexcept {
    switch (fault) {
    case entry_fault::none: return "ok";
    case entry_fault::empty: return "no record, or too large";
    case entry_fault::newer: return "of a newer version";
    case entry_fault::malformed: return "malformed";
    }
    return "unknown";
}

/// Topics of one entry. More are errc::too_many_topics.
inline constexpr std::size_t most_entry_names = 256;

/// Effects: appends the entry. `String` has `append(std::string_view)`, and may throw what that
/// does. \returns errc::ok, or why the hub would not take the event, or the entry cannot be
/// written; then nothing is appended: id_is_assigned, key_is_missing, nothing_to_send,
/// invalid_retry, invalid_type, invalid_topic, too_many_topics, label_too_long, data_too_long.
template <class String>
errc append_entry(String& out, const journal_entry& entry);

/// Reads entries. It is large enough to be kept and used again.
class entry_reader {
  public:
    /// \returns entry_fault::none, and then `entry` is it.
    [[nodiscard]] entry_fault read(std::string_view bytes) noexcept;

    /// Lifetime: views of the bytes, and of this object; until the next `read`.
    [[nodiscard]] const journal_entry& entry() const noexcept { return entry_; }

  private:
    std::array<std::string_view, most_entry_names> names_{};
    journal_entry entry_ = {};
};

// ---- how

namespace detail {

inline constexpr char entry_version = 1;
inline constexpr unsigned entry_has_data = 1;
inline constexpr unsigned entry_has_retry = 2;
inline constexpr unsigned entry_removes = 4;

template <std::size_t Size>
[[nodiscard]] constexpr std::array<char, Size> little_endian(std::uint64_t number) noexcept {
    std::array<char, Size> bytes{};
    for (char& each : bytes) {
        each = static_cast<char>(static_cast<unsigned char>(number & 0xff));
        number >>= 8;
    }
    return bytes;
}

/// Takes bytes from the front, as long as there are enough; after that, nothing.
class entry_bytes {
  public:
    explicit constexpr entry_bytes(std::string_view bytes) noexcept : rest_(bytes) {}

    [[nodiscard]] constexpr std::string_view take(std::uint64_t size) noexcept {
        if (size > rest_.size()) {
            short_ = true;
            rest_ = {};
            return {};
        }
        const std::string_view taken = rest_.substr(0, static_cast<std::size_t>(size));
        rest_.remove_prefix(taken.size());
        return taken;
    }
    template <std::size_t Size>
    [[nodiscard]] constexpr std::uint64_t number() noexcept {
        const std::string_view taken = take(Size);
        std::uint64_t read = 0;
        for (std::size_t i = taken.size(); i-- != 0;) {
            read = read << 8 | static_cast<unsigned char>(taken[i]);
        }
        return read;
    }
    template <std::size_t Size>
    [[nodiscard]] constexpr std::string_view text() noexcept {
        return take(number<Size>());
    }
    [[nodiscard]] constexpr std::string_view rest() const noexcept { return rest_; }
    [[nodiscard]] constexpr bool is_short() const noexcept { return short_; }

  private:
    std::string_view rest_;
    bool short_ = false;
};

/// How many names there may be for such a target.
[[nodiscard]] constexpr bool fits_target(target_kind kind, std::size_t names) noexcept {
    if (kind == target_kind::topics) return names >= 1 && names <= most_entry_names;
    return names == (kind == target_kind::all ? 0u : 1u);
}

[[nodiscard]] constexpr errc validate(const journal_entry& entry) noexcept {
    constexpr std::size_t longest_label = 0xffff;
    const event_view& event = entry.event;
    const topic_list& names = entry.target.names();
    const bool closes = entry.target.kind() == target_kind::close;
    if (event.id) return errc::id_is_assigned;
    if (entry.key.removes() && entry.key.view().empty()) return errc::key_is_missing;
    if (!closes || event.data || event.retry) { // it may close without a word
        if (const errc code = admit_to_hub(event); code != errc::ok) return code;
    }
    if (const errc code = ssekit::validate(event); code != errc::ok) return code;
    if (names.size() > most_entry_names) return errc::too_many_topics;
    if (!fits_target(entry.target.kind(), names.size())) return errc::invalid_topic;
    for (std::size_t i = 0; i < names.size(); ++i) {
        if (names[i].empty()) return errc::invalid_topic;
        if (names[i].size() > longest_label) return errc::label_too_long;
    }
    if (entry.key.view().size() > longest_label) return errc::label_too_long;
    constexpr std::size_t longest = 0x7fff'ffff;
    if (event.type.size() > longest) return errc::type_too_long;
    if (event.data && event.data->size() > longest) return errc::data_too_long;
    return errc::ok;
}

} // namespace detail

template <class String>
errc append_entry(String& out, const journal_entry& entry) {
    if (const errc code = detail::validate(entry); code != errc::ok) return code;
    const auto put = [&out](std::string_view bytes) { out.append(bytes); };
    const auto number = [&]<std::size_t Size>(std::uint64_t value, std::array<char, Size>) {
        const std::array<char, Size> bytes = detail::little_endian<Size>(value);
        put({bytes.data(), bytes.size()});
    };
    constexpr std::array<char, 1> one{};
    constexpr std::array<char, 2> two{};
    constexpr std::array<char, 4> four{};
    const event_view& event = entry.event;
    const topic_list& names = entry.target.names();
    put({&detail::entry_version, 1});
    number(static_cast<std::uint64_t>(entry.target.kind()) + 1, one);
    number((event.data ? detail::entry_has_data : 0) | (event.retry ? detail::entry_has_retry : 0) |
               (entry.key.removes() ? detail::entry_removes : 0),
           one);
    number(names.size(), two);
    for (std::size_t i = 0; i < names.size(); ++i) {
        number(names[i].size(), two);
        put(names[i]);
    }
    number(entry.key.view().size(), two);
    put(entry.key.view());
    number(event.type.size(), four);
    put(event.type);
    if (event.retry) number(static_cast<std::uint64_t>(event.retry->count()), four);
    if (entry.target.kind() == target_kind::close) {
        const auto keep = (std::max)(entry.target.keep_for(), std::chrono::milliseconds(0));
        number(static_cast<std::uint64_t>(keep.count()), std::array<char, 8>{});
    }
    if (event.data) put(*event.data);
    return errc::ok;
}

inline entry_fault entry_reader::read(std::string_view bytes) noexcept {
    entry_ = {};
    if (bytes.empty()) return entry_fault::empty;
    if (bytes[0] != detail::entry_version) return entry_fault::newer;
    detail::entry_bytes in(bytes.substr(1));
    const std::uint64_t target = in.number<1>();
    const std::uint64_t flags = in.number<1>();
    const std::uint64_t count = in.number<2>();
    if (in.is_short()) return entry_fault::malformed;
    if (target < 1 || target > 4 || flags > 7) return entry_fault::newer;
    const auto kind = static_cast<target_kind>(target - 1);
    if (!detail::fits_target(kind, static_cast<std::size_t>(count))) return entry_fault::malformed;
    for (std::size_t i = 0; i < count; ++i) names_[i] = in.text<2>();
    const std::string_view key = in.text<2>();
    event_view& event = entry_.event;
    event.type = in.text<4>();
    if ((flags & detail::entry_has_retry) != 0) {
        event.retry = std::chrono::milliseconds(in.number<4>());
    }
    constexpr std::uint64_t longest = (std::numeric_limits<std::int64_t>::max)();
    std::chrono::milliseconds keep_for{};
    if (kind == target_kind::close) {
        keep_for = std::chrono::milliseconds((std::min)(in.number<8>(), longest));
    }
    const bool has_data = (flags & detail::entry_has_data) != 0;
    if (has_data) event.data = in.rest();
    if (in.is_short() || (!has_data && !in.rest().empty())) return entry_fault::malformed;
    const bool removes = (flags & detail::entry_removes) != 0;
    entry_.key = removes ? removal_of(key) : event_key(key);
    switch (kind) {
    case target_kind::topics:
        entry_.target = std::span<const std::string_view>(names_.data(), std::size_t(count));
        break;
    case target_kind::tag: entry_.target = event_target::to_tag(names_[0]); break;
    case target_kind::all: entry_.target = event_target::to_all(); break;
    case target_kind::close: entry_.target = event_target::closing(names_[0], keep_for); break;
    }
    return detail::validate(entry_) == errc::ok ? entry_fault::none : entry_fault::malformed;
}

} // namespace ssekit::inline SSEKIT_ABI

#endif
