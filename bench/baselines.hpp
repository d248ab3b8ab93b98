// SPDX-License-Identifier: MIT
//
// The parsers that one writes by hand. Each `run` hands every event of the chunks to `on_event`.
#ifndef SSEKIT_BENCH_BASELINES_HPP
#define SSEKIT_BENCH_BASELINES_HPP

#include <ssekit/event.hpp>

#include <cstddef>
#include <istream>
#include <streambuf>
#include <string>
#include <string_view>

namespace bench {

/// A text as the buffer of an istream, chunk after chunk and without a copy.
class chunk_buffer : public std::streambuf {
  public:
    chunk_buffer(std::string_view text, std::size_t chunk) : rest_(text), chunk_(chunk) {}

  private:
    int_type underflow() override {
        if (rest_.empty()) return traits_type::eof();
        const std::string_view piece = rest_.substr(0, chunk_);
        rest_.remove_prefix(piece.size());
        char* const begin = const_cast<char*>(piece.data()); // nobody writes there
        setg(begin, begin, begin + piece.size());
        return traits_type::to_int_type(*begin);
    }

    std::string_view rest_;
    std::size_t chunk_;
};

/// What comes to mind first. Right for LF and CRLF; a CR alone it does not see as the end of a
/// line.
class getline_parser {
  public:
    template <class Chunks, class OnEvent>
    void run(const Chunks& chunks, OnEvent&& on_event) {
        chunk_buffer buffer(chunks.text(), chunks.size());
        std::istream in(&buffer);
        std::string line;
        while (std::getline(in, line)) {
            if (line.ends_with('\r')) line.pop_back();
            if (line.empty()) {
                dispatch(on_event);
            } else if (line.starts_with("data:")) {
                data_ += value(line, 5);
                data_ += '\n';
            } else if (line.starts_with("event:")) {
                type_ = value(line, 6);
            } else if (line.starts_with("id:")) {
                id_ = value(line, 3);
                has_id_ = true;
            }
        }
    }

  private:
    static std::string_view value(std::string_view line, std::size_t name) {
        line.remove_prefix(name);
        if (line.starts_with(' ')) line.remove_prefix(1);
        return line;
    }

    template <class OnEvent>
    void dispatch(OnEvent&& on_event) {
        if (!data_.empty()) {
            ssekit::event_view event;
            if (has_id_) event.id = id_;
            event.type = type_.empty() ? std::string_view("message") : type_;
            event.data = std::string_view(data_).substr(0, data_.size() - 1);
            on_event(event);
        }
        data_.clear();
        type_.clear();
        has_id_ = false;
    }

    std::string data_;
    std::string type_;
    std::string id_;
    bool has_id_ = false;
};

/// A switch over each byte, right for every line end and every cut. Written as well as that goes:
/// the state is in a register, a name is compared once, a value is appended in one piece.
class state_machine {
  public:
    template <class Chunks, class OnEvent>
    void run(const Chunks& chunks, OnEvent&& on_event) {
        chunks.for_each([&](std::string_view chunk) { feed(chunk, on_event); });
    }

  private:
    enum class state { line_start, after_cr, name, space, value, rest };

    template <class OnEvent>
    void feed(std::string_view chunk, OnEvent& on_event) {
        state now = state_;
        const char* const end = chunk.data() + chunk.size();
        for (const char* p = chunk.data(); p != end; ++p) {
            const char c = *p;
            const bool line_end = c == '\n' || c == '\r';
            const state next_line = c == '\r' ? state::after_cr : state::line_start;
            switch (now) {
            case state::after_cr:
                now = state::line_start;
                if (c == '\n') break;
                [[fallthrough]];
            case state::line_start:
                if (line_end) {
                    dispatch(on_event);
                    now = next_line;
                } else if (c == ':') {
                    now = state::rest;
                } else {
                    name_[0] = c;
                    name_size_ = 1;
                    now = state::name;
                }
                break;
            case state::name:
                if (line_end) {
                    begin_value();
                    end_value();
                    now = next_line;
                } else if (c == ':') {
                    now = begin_value() ? state::space : state::rest;
                } else if (name_size_ < sizeof name_) {
                    name_[name_size_++] = c;
                }
                break;
            case state::space:
                now = state::value;
                if (c == ' ') break;
                [[fallthrough]];
            case state::value: {
                const char* const begin = p;
                while (p != end && *p != '\n' && *p != '\r') ++p;
                value_->append(begin, p);
                if (p == end) {
                    state_ = now;
                    return;
                }
                end_value();
                now = *p == '\r' ? state::after_cr : state::line_start;
                break;
            }
            case state::rest:
                if (line_end) now = next_line;
                break;
            }
        }
        state_ = now;
    }

    bool begin_value() {
        const std::string_view name(name_, name_size_);
        value_ = nullptr;
        if (name == "data") {
            value_ = &data_;
        } else if (name == "event") {
            value_ = &type_;
        } else if (name == "id") {
            value_ = &line_id_;
        } else if (name == "retry") {
            value_ = &retry_;
        }
        if (value_ != nullptr && value_ != &data_) value_->clear();
        return value_ != nullptr;
    }

    void end_value() {
        if (value_ == &data_) {
            data_ += '\n';
        } else if (value_ == &line_id_ && line_id_.find('\0') == std::string::npos) {
            id_.swap(line_id_);
            has_id_ = true;
        }
    }

    template <class OnEvent>
    void dispatch(OnEvent& on_event) {
        if (!data_.empty()) {
            ssekit::event_view event;
            if (has_id_) event.id = id_;
            event.type = type_.empty() ? std::string_view("message") : type_;
            event.data = std::string_view(data_).substr(0, data_.size() - 1);
            on_event(event);
        }
        data_.clear();
        type_.clear();
        has_id_ = false;
    }

    state state_ = state::line_start;
    char name_[sizeof "retry"] =
        {}; // one byte more than the longest, so that what is longer differs
    std::size_t name_size_ = 0;
    std::string* value_ = nullptr;
    std::string data_;
    std::string type_;
    std::string line_id_;
    std::string id_;
    std::string retry_;
    bool has_id_ = false;
};

} // namespace bench

#endif
