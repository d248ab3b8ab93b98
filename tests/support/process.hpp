// SPDX-License-Identifier: MIT
//
// Running the example programs from a test: a child process whose three standard streams are pipes.
// It is killed and reaped when its object dies, so a failed assertion leaves nothing behind; where the
// kernel can, it also dies with a test that was itself killed.
#ifndef SSEKIT_TESTS_SUPPORT_PROCESS_HPP
#define SSEKIT_TESTS_SUPPORT_PROCESS_HPP

#include <array>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <stdexcept>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include <fcntl.h>
#include <poll.h>
#include <sys/wait.h>
#include <unistd.h>
#ifdef __linux__
#include <sys/prctl.h>
#endif

namespace support {

/// How long a test waits for what should happen at once: an overloaded machine must not fail it.
inline constexpr std::chrono::milliseconds patience = std::chrono::seconds(30);

/// The file of a built example.
inline std::string example(std::string_view name) {
    const char* directory = std::getenv("SSEKIT_EXAMPLES_DIR");
#ifdef SSEKIT_EXAMPLES_DIR
    if (directory == nullptr) directory = SSEKIT_EXAMPLES_DIR;
#endif
    if (directory == nullptr) throw std::runtime_error("SSEKIT_EXAMPLES_DIR is not set");
    return std::string(directory) + "/" + std::string(name);
}

/// A file descriptor that closes itself.
class descriptor {
  public:
    descriptor() = default;
    explicit descriptor(int fd) : fd_(fd) {}
    descriptor(descriptor&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
    descriptor& operator=(descriptor&& other) noexcept {
        std::swap(fd_, other.fd_);
        return *this;
    }
    ~descriptor() { reset(); }

    [[nodiscard]] int get() const { return fd_; }
    [[nodiscard]] bool is_open() const { return fd_ >= 0; }
    void reset() {
        if (fd_ >= 0) ::close(std::exchange(fd_, -1));
    }

  private:
    int fd_ = -1;
};

namespace detail {

inline void die_with_parent() {
#ifdef __linux__
    prctl(PR_SET_PDEATHSIG, SIGKILL);
#endif
}

} // namespace detail

class process {
  public:
    /// Preconditions: `arguments` begins with the path of the program.
    explicit process(const std::vector<std::string>& arguments) {
        std::vector<char*> argv;
        for (const std::string& argument : arguments) {
            argv.push_back(const_cast<char*>(argument.c_str()));
        }
        argv.push_back(nullptr);
        std::signal(SIGPIPE, SIG_IGN); // the child may stop reading before we stop writing
        auto [in_read, in_write] = make_pipe();
        auto [out_read, out_write] = make_pipe();
        auto [err_read, err_write] = make_pipe();
        pid_ = fork();
        if (pid_ < 0) throw std::runtime_error("fork failed");
        if (pid_ == 0) {
            detail::die_with_parent();
            std::signal(SIGPIPE, SIG_DFL);
            dup2(in_read.get(), STDIN_FILENO);
            dup2(out_write.get(), STDOUT_FILENO);
            dup2(err_write.get(), STDERR_FILENO);
            execv(argv[0], argv.data());
            _exit(127);
        }
        in_ = std::move(in_write);
        out_ = {std::move(out_read), {}};
        err_ = {std::move(err_read), {}};
        fcntl(in_.get(), F_SETFL, O_NONBLOCK);
    }
    process(const process&) = delete;
    process& operator=(const process&) = delete;
    ~process() {
        if (pid_ <= 0) return;
        kill(pid_, SIGKILL);
        waitpid(pid_, nullptr, 0);
    }

    [[nodiscard]] pid_t pid() const { return pid_; }

    /// Everything that the child has printed so far.
    [[nodiscard]] const std::string& out() const { return out_.text; }
    [[nodiscard]] const std::string& err() const { return err_.text; }

    void write(std::string_view input) { pending_ += input; }
    void close_input() {
        input_ends_ = true;
        end_input(); // where nothing is left to be written
    }
    /// Waits until the child has been given all of it.
    bool until_given() {
        return until([&] { return input_ends_ ? !in_.is_open() : pending_.empty(); });
    }
    void close_output() { out_.fd.reset(); }
    void signal(int number) {
        if (pid_ > 0) kill(pid_, number); // or everybody would get it
    }

    /// Moves bytes through the pipes until `done()` holds.
    /// \returns whether it does.
    template <class Condition>
    bool until(Condition&& done, std::chrono::milliseconds within = patience) {
        const auto deadline = std::chrono::steady_clock::now() + within;
        while (!done()) {
            const auto left = std::chrono::ceil<std::chrono::milliseconds>(
                deadline - std::chrono::steady_clock::now());
            if (left.count() <= 0 || !pump(static_cast<int>(left.count()))) return done();
        }
        return true;
    }

    /// Waits until the child has ended.
    /// \returns its exit status, 128 and the number of the signal that killed it, or -1 if it goes on.
    int wait(std::chrono::milliseconds within = patience) {
        const auto deadline = std::chrono::steady_clock::now() + within;
        until([] { return false; }, within); // ends early when all pipes are closed
        for (;;) {
            int status = 0;
            if (waitpid(pid_, &status, WNOHANG) == pid_) {
                pid_ = -1;
                return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
            }
            if (std::chrono::steady_clock::now() >= deadline) return -1;
            std::this_thread::sleep_for(std::chrono::milliseconds(1));
        }
    }

  private:
    struct output {
        descriptor fd;
        std::string text;
    };

    static std::pair<descriptor, descriptor> make_pipe() {
        int ends[2];
        if (pipe(ends) != 0) throw std::runtime_error("pipe failed");
        for (const int fd : ends) fcntl(fd, F_SETFD, FD_CLOEXEC);
        return {descriptor(ends[0]), descriptor(ends[1])};
    }

    // \returns false when there is nothing left to wait for.
    bool pump(int timeout) {
        end_input();
        if (!out_.fd.is_open() && !err_.fd.is_open()) return false;
        std::array<pollfd, 3> fds = {{{out_.fd.get(), POLLIN, 0},
                                      {err_.fd.get(), POLLIN, 0},
                                      {pending_.empty() ? -1 : in_.get(), POLLOUT, 0}}};
        if (poll(fds.data(), fds.size(), timeout) <= 0) return errno == EINTR;
        if (fds[0].revents != 0) read_some(out_);
        if (fds[1].revents != 0) read_some(err_);
        if (fds[2].revents != 0) write_some();
        end_input();
        return true;
    }

    void end_input() {
        if (pending_.empty() && input_ends_) in_.reset();
    }

    static void read_some(output& from) {
        std::array<char, 65536> memory;
        const ssize_t size = read(from.fd.get(), memory.data(), memory.size());
        if (size > 0) {
            from.text.append(memory.data(), static_cast<std::size_t>(size));
        } else if (size == 0 || errno != EINTR) {
            from.fd.reset();
        }
    }

    void write_some() {
        const ssize_t size = ::write(in_.get(), pending_.data(), pending_.size());
        if (size > 0) {
            pending_.erase(0, static_cast<std::size_t>(size));
        } else if (errno != EINTR && errno != EAGAIN) {
            pending_.clear();
            in_.reset();
        }
    }

    pid_t pid_ = -1;
    descriptor in_;
    output out_;
    output err_;
    std::string pending_;
    bool input_ends_ = false;
};

struct run_result {
    int status;
    std::string out;
    std::string err;
};

/// Runs a program with `input` on its standard input until it ends.
inline run_result run(const std::vector<std::string>& arguments, std::string_view input = {}) {
    process child(arguments);
    child.write(input);
    child.close_input();
    const int status = child.wait();
    return {status, child.out(), child.err()};
}

} // namespace support

#endif
