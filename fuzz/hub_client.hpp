// SPDX-License-Identifier: MIT
//
// A client, as it is at the far end of the wire: it takes chunks apart, then lines, and knows nothing
// of the hub but the bytes. What it owes to nobody: its last event ID is the last one that a whole
// block brought. And the law of reconnecting: somebody who comes back with that id, wherever he was
// cut off, has got each event of his topics once and in order, or is told that some are missing
// before the next that he gets, or before he is idle.
#ifndef SSEKIT_FUZZ_HUB_CLIENT_HPP
#define SSEKIT_FUZZ_HUB_CLIENT_HPP

#include "check.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace fuzz {

/// Takes a chunked body apart.
class dechunker {
  public:
    /// \returns what the bytes bring of the body.
    std::string take(std::string_view bytes) {
        std::string body;
        for (; !bytes.empty();) {
            check(!ended_, "nothing follows the last chunk");
            if (left_ > 2) {
                const std::size_t here = std::min(left_ - 2, bytes.size());
                body += bytes.substr(0, here);
                bytes.remove_prefix(here);
                left_ -= here;
            } else if (left_ > 0) {
                check(bytes[0] == (left_ == 2 ? '\r' : '\n'), "a chunk ends with a line break");
                bytes.remove_prefix(1);
                if (--left_ == 0) ended_ = last_;
            } else {
                head_ += bytes[0];
                bytes.remove_prefix(1);
                if (!head_.ends_with("\r\n")) continue;
                char* end = nullptr;
                left_ = std::strtoull(head_.c_str(), &end, 16) + 2;
                check(end != head_.c_str() && *end == '\r', "a chunk begins with its size");
                last_ = left_ == 2;
                head_.clear();
            }
        }
        return body;
    }
    [[nodiscard]] bool ended() const { return ended_; }

  private:
    std::string head_;
    std::size_t left_ = 0;
    bool last_ = false, ended_ = false;
};

struct seen_block {
    bool has_id = false, has_data = false;
    std::string id = {}, type = {}, data = {};
    std::string retry = {};
};

class wire_reader {
  public:
    /// Calls `block(const seen_block&)` for each whole block.
    template <class Block>
    void take(std::string_view body, Block&& block) {
        for (const char c : body) {
            if (c != '\n') {
                line_ += c;
            } else if (!line_.empty()) {
                line(std::exchange(line_, {}));
            } else {
                block(std::exchange(now_, {}));
            }
            torn_ = !(c == '\n' && line_.empty() && is_empty());
        }
    }
    [[nodiscard]] bool is_torn() const { return torn_; }

  private:
    [[nodiscard]] bool is_empty() const {
        return !now_.has_id && !now_.has_data && now_.type.empty() && now_.retry.empty() &&
               !comment_;
    }
    void line(const std::string& text) {
        const auto value = [&](std::string_view name) { return text.substr(name.size()); };
        if (text[0] == ':') return;
        if (text.starts_with("id: ")) {
            now_.has_id = true;
            now_.id = value("id: ");
        } else if (text.starts_with("event: ")) {
            now_.type = value("event: ");
        } else if (text.starts_with("retry: ")) {
            now_.retry = value("retry: ");
        } else if (text.starts_with("data:")) {
            now_.data += value(text.starts_with("data: ") ? "data: " : "data:") + "\n";
            now_.has_data = true;
        } else {
            check(false, "there are no other fields");
        }
    }

    std::string line_;
    seen_block now_;
    bool torn_ = false, comment_ = false;
};

/// Somebody who comes back again and again. What he is due: offsets of events of his topics.
struct visitor {
    std::string last_id = {};
    bool faithful = false; // he has always come back with his id, for the same topics
    unsigned reads = 0;
    std::uint64_t since = 0; // his visits began after this offset
    std::vector<std::uint64_t> due = {};
    std::size_t untold = 0; // events that he will not get and has not been told of
    bool excused = false; // a gap has come since he was idle: it stands where the first is missing

    /// Nothing up to this offset will come any more.
    void pass(std::uint64_t offset) {
        const auto from = std::remove_if(due.begin(), due.end(),
                                         [&](std::uint64_t each) { return each <= offset; });
        if (!excused) untold += static_cast<std::size_t>(due.end() - from);
        due.erase(from, due.end());
    }
    void got(std::uint64_t offset) {
        const auto found = std::find(due.begin(), due.end(), offset);
        check(!faithful || found != due.end() || offset <= since, "no event comes twice");
        if (found != due.end()) due.erase(found);
        pass(offset);
    }
    void told() {
        untold = 0;
        excused = true;
    }
    void nothing_untold() const { check(!faithful || untold == 0, "what is missing is told"); }
    void nothing_more() {
        nothing_untold();
        check(!faithful || excused || due.empty(), "the union is complete, or told");
        due.clear();
        excused = false;
    }
    void begin(bool again, unsigned what, std::uint64_t newest) {
        excused = false;
        if (again) return;
        faithful = true;
        reads = what;
        since = newest;
        due.clear();
        untold = 0;
    }
};

} // namespace fuzz

#endif
