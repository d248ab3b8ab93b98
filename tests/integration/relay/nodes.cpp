// SPDX-License-Identifier: MIT
//
// Nodes that share a journal in SQLite are killed while they publish and serve, and a client goes from one to
// the next with its Last-Event-ID. It gets each event once and in the order of the log, without a gap.
#include <ssekit/adapters/posix.hpp>
#include <ssekit/adapters/sqlite.hpp>
#include <ssekit/doorbell.hpp>
#include <ssekit/hub.hpp>
#include <ssekit/relay.hpp>
#include <ssekit/testing/event_collector.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <csignal>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <map>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

using namespace std::chrono_literals;
using ssekit::sqlite_journal;

namespace {

/// What one node does until it is killed.
struct node_job {
    std::string file;
    std::string name;               // of its events: "name 1", "name 2" ...; "" publishes nothing
    std::string last_event_id = {}; // of the client that comes to it; "": none does
};

[[noreturn]] void run_node(const node_job& job, int stream, int acks) {
    std::signal(SIGPIPE, SIG_IGN);
    fcntl(stream, F_SETFL, O_NONBLOCK);
    ssekit::doorbell bell;
    const ssekit::hub_options options{
        .keep = {.events = 5000},
        .ids = ssekit::event_ids::by_sequence,
        .on_need = {[](void* self, const ssekit::history_need&) noexcept {
                        static_cast<ssekit::doorbell*>(self)->ring();
                    },
                    &bell}};
    ssekit::hub server(1, std::chrono::steady_clock::now(), options);
    // So small a ring that a client that was away is mostly fed from the journal.
    const ssekit::relay_options small{.producer = job.name + "!", .ring = 5, .page = 50};
    const ssekit::sqlite_journal_options loose{.sync = ssekit::sqlite_sync::normal};
    ssekit::relay<sqlite_journal> link(small, bell.waker(), job.file, loose);
    while (!link.is_ready()) {
        link.turn(server);
        bell.wait_until(std::chrono::steady_clock::now() + 5ms);
    }
    const ssekit::subscribe_options from{
        .topics = "a", .last_event_id = job.last_event_id, .on_gap = ssekit::gap_policy::fetch};
    ssekit::subscription client;
    if (!job.last_event_id.empty()) {
        ssekit::subscribe_result made = server.subscribe(from);
        if (made.ec != ssekit::errc::ok) _exit(3);
        client = std::move(made.subscription);
    }
    ssekit::posix_writer socket{stream};
    std::uint64_t number = 0;
    struct telling {
        int acks;
        std::uint64_t acknowledged = 0;
    } told{acks};
    const ssekit::relay_done done(
        [](void* self, const ssekit::relay_outcome& outcome) noexcept {
            auto& to = *static_cast<telling*>(self);
            ++to.acknowledged; // in their order
            if (outcome.ec != ssekit::errc::ok) _exit(4);
            if (::write(to.acks, &to.acknowledged, sizeof to.acknowledged) < 0) _exit(5);
        },
        &told);
    for (;;) {
        while (!job.name.empty() && number < told.acknowledged + 20) {
            const std::string data = job.name + " " + std::to_string(++number);
            const ssekit::errc code = link.publish("a", {.data = data}, {}, {.done = done});
            if (code != ssekit::errc::ok) _exit(6);
        }
        link.turn(server);
        server.tick(std::chrono::steady_clock::now());
        if (client) {
            const ssekit::drain_status status = ssekit::drain(client, socket);
            if (status == ssekit::drain_status::done || status == ssekit::drain_status::cut)
                _exit(7);
        }
        bell.wait_until(std::chrono::steady_clock::now() + 2ms);
    }
}

class doomed_node {
  public:
    explicit doomed_node(node_job job) : job_(std::move(job)) {
        std::array<int, 2> stream{};
        std::array<int, 2> acks{};
        if (socketpair(AF_UNIX, SOCK_STREAM, 0, stream.data()) != 0 || pipe(acks.data()) != 0) {
            throw std::runtime_error("no socket");
        }
        pid_ = fork();
        if (pid_ == 0) {
            close(stream[0]);
            close(acks[0]);
            run_node(job_, stream[1], acks[1]);
        }
        close(stream[1]);
        close(acks[1]);
        stream_ = stream[0];
        acks_ = acks[0];
    }
    doomed_node(const doomed_node&) = delete;
    doomed_node& operator=(const doomed_node&) = delete;
    ~doomed_node() {
        stop();
        close(stream_);
        close(acks_);
    }

    [[nodiscard]] const std::string& name() const { return job_.name; }
    [[nodiscard]] std::uint64_t acknowledged() const { return acknowledged_; }
    [[nodiscard]] const ssekit::testing::event_collector& client() const { return client_; }

    /// Reads what it sends until it is so, for a minute at most. \returns whether it is.
    template <class Condition>
    bool until(Condition&& so) {
        const auto deadline = std::chrono::steady_clock::now() + 1min;
        while (!so()) {
            if (std::chrono::steady_clock::now() > deadline || !take(100)) return so();
        }
        return true;
    }
    /// Kills it, and reads what it has sent.
    void stop() {
        if (pid_ <= 0) return;
        kill(pid_, SIGKILL);
        waitpid(pid_, &status_, 0);
        pid_ = -1;
        while (take(0)) {
        }
    }
    /// Whether it lived until it was killed.
    [[nodiscard]] bool was_killed() const {
        return WIFSIGNALED(status_) && WTERMSIG(status_) == SIGKILL;
    }

  private:
    bool take(int wait) {
        std::array<pollfd, 2> from{
            {{stream_open_ ? stream_ : -1, POLLIN, 0}, {acks_open_ ? acks_ : -1, POLLIN, 0}}};
        if (!stream_open_ && !acks_open_) return false;
        if (poll(from.data(), from.size(), wait) <= 0) return wait != 0;
        if (from[0].revents != 0) {
            std::array<char, 65536> bytes;
            const ssize_t size = ::read(stream_, bytes.data(), bytes.size());
            stream_open_ = size > 0;
            if (size > 0) client_.feed({bytes.data(), static_cast<std::size_t>(size)});
        }
        if (from[1].revents != 0) {
            std::uint64_t number = 0;
            acks_open_ = ::read(acks_, &number, sizeof number) == sizeof number;
            if (acks_open_) acknowledged_ = number;
        }
        return true;
    }

    node_job job_;
    pid_t pid_ = -1;
    int status_ = 0;
    int stream_ = -1;
    int acks_ = -1;
    bool stream_open_ = true;
    bool acks_open_ = true;
    std::uint64_t acknowledged_ = 0;
    ssekit::testing::event_collector client_;
};

} // namespace

// SSEKIT_KILLS as in sqlite.cpp.
TEST_CASE("relay: nodes are killed, a client goes from one to the next, and gets each event once") {
    std::string folder = (std::filesystem::temp_directory_path() / "ssekit-XXXXXX").string();
    REQUIRE(mkdtemp(folder.data()) != nullptr);
    const std::string file = folder + "/journal.db";
    const char* const asked = std::getenv("SSEKIT_KILLS");
    const int rounds = asked == nullptr ? 3 : std::max(1, std::atoi(asked) / 2);
    // No connection of SQLite's may be open when a process forks.
    const ssekit::sqlite_journal_options loose{.sync = ssekit::sqlite_sync::normal};
    const std::uint64_t term = sqlite_journal(file, loose).open().term;
    REQUIRE(term != 0);
    std::string id(ssekit::text_of({term, 0}).view()); // the client has had nothing
    std::vector<ssekit::testing::collected_event> seen;
    std::map<std::string, std::uint64_t> acknowledged;
    const auto take_over = [&](const doomed_node& from) {
        const auto& events = from.client().events;
        seen.insert(seen.end(), events.begin(), events.end());
        if (!events.empty()) id = events.back().last_event_id;
    };
    for (int round = 0; round < rounds; ++round) {
        const std::string number = std::to_string(round);
        doomed_node away({file, "away " + number}); // nobody reads what it serves for long
        doomed_node here({file, "here " + number, id});
        CHECK(here.until(
            [&] { return here.acknowledged() >= 100 && here.client().events.size() >= 50; }));
        CHECK(away.until([&] { return away.acknowledged() >= 100; }));
        here.stop();
        away.stop();
        CHECK(here.was_killed());
        CHECK(away.was_killed());
        acknowledged[here.name()] = here.acknowledged();
        acknowledged[away.name()] = away.acknowledged();
        take_over(here);
    }

    std::vector<std::string> log;
    {
        sqlite_journal journal(file, loose);
        const ssekit::journal_bounds bounds = journal.open();
        REQUIRE(bounds.status == ssekit::journal_status::ok);
        CHECK(bounds.term == term);
        ssekit::entry_reader reader;
        const auto add = [&](std::string_view entry) {
            CHECK(reader.read(entry) == ssekit::entry_fault::none);
            log.emplace_back(reader.entry().event.data.value_or(""));
        };
        for (std::uint64_t at = 0; at < bounds.newest;) {
            const ssekit::journal_page page = journal.read(
                at, 1000, [&add](std::uint64_t, std::string_view entry) noexcept { add(entry); });
            REQUIRE(page.status == ssekit::journal_status::ok);
            at = page.through;
        }
        REQUIRE(log.size() == bounds.newest);
    }
    {
        doomed_node last({file, "", id}); // and the client gets the rest
        const std::string end(ssekit::text_of({term, log.size()}).view());
        CHECK(last.until([&] { return last.client().last_event_id() == end; }));
        last.stop();
        take_over(last);
    }
    std::filesystem::remove_all(folder);

    // The client's events are those of the log: all, in order, none twice, and no gap among them.
    CHECK(seen.size() == log.size());
    for (std::size_t i = 0; i < std::min(seen.size(), log.size()); ++i) {
        REQUIRE(seen[i].type == "message");
        REQUIRE(seen[i].data == log[i]);
        REQUIRE(seen[i].last_event_id == ssekit::text_of({term, i + 1}).view());
    }
    // Those of each publisher are in their order, and what was acknowledged is there.
    std::map<std::string, std::uint64_t> numbers;
    for (const std::string& data : log) {
        const std::size_t space = data.rfind(' ');
        CHECK(data.substr(space + 1) == std::to_string(++numbers[data.substr(0, space)]));
    }
    for (const auto& [name, number] : acknowledged) CHECK(numbers[name] >= number);
    MESSAGE(log.size() << " events, " << 2 * rounds << " kills");
}
