// SPDX-License-Identifier: MIT
#include "run/exec_client.hpp"

#include "base/error.hpp"
#include "plan/exec_script.hpp"
#include "run/json_session.hpp"
#include "run/mark_scanner.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <chrono>
#include <csignal>
#include <cstring>
#include <initializer_list>
#include <optional>
#include <poll.h>
#include <string>
#include <string_view>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <unistd.h>

namespace vmr {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

constexpr auto longest_silence = milliseconds(1000);

/// A pipe that can be written to takes at least this much without blocking (PIPE_BUF).
constexpr std::size_t portion = 4096;

constexpr int most_signals = 3;

std::string_view name_of(int signal) {
  return signal == SIGINT ? "INT" : signal == SIGTERM ? "TERM" : "HUP";
}

/// Readable when one of the signals for the command has come; those that we were started to ignore
/// stay ignored.
UniqueFd hold_signals() {
  sigset_t held;
  ::sigemptyset(&held);
  for (const int signal : {SIGINT, SIGTERM, SIGHUP}) {
    struct sigaction before {};
    ::sigaction(signal, nullptr, &before);
    if (before.sa_handler != SIG_IGN) ::sigaddset(&held, signal);
  }
  ::sigprocmask(SIG_BLOCK, &held, nullptr);
  return UniqueFd(::signalfd(-1, &held, SFD_CLOEXEC | SFD_NONBLOCK));
}

/// Whether the last call may work next time.
bool may_work_later() {
  return errno == EAGAIN || errno == EINTR;
}

/// A stream of the command, and which of ours it goes to.
struct Output {
  UniqueFd socket;
  int to = -1;
  MarkScanner scanner;
  std::string pending{};        ///< for `to`
  std::optional<int> status{};  ///< the command has ended with it, and all it wrote has come
  bool is_ended = false;        ///< nothing more can come

  [[nodiscard]] int readable() const { return pending.empty() && !is_ended ? socket.get() : -1; }
  [[nodiscard]] short writable() const { return pending.empty() ? 0 : POLLOUT; }
};

class CommandFollower {
 public:
  explicit CommandFollower(ControlReply reply)
      : connection_(std::move(reply.connection)),
        in_(std::move(reply.descriptors.at(0))),
        out_{std::move(reply.descriptors.at(1)), STDOUT_FILENO,
             MarkScanner(text_at(reply.result, "token"))},
        err_{std::move(reply.descriptors.at(2)), STDERR_FILENO,
             MarkScanner(text_at(reply.result, "token"))} {}

  int run() {
    while (true) {
      if (left_) return *left_;
      const bool is_written = out_.pending.empty() && err_.pending.empty();
      const auto status = out_.status ? out_.status : err_.status;
      if (is_written && out_.is_ended && err_.is_ended && status) return *status;
      if (is_written && is_ending() && time_left() <= milliseconds(0)) {
        if (!status) throw cut_off();
        return *status;
      }
      wait(is_written && is_ending() ? static_cast<int>(time_left().count()) : -1);
    }
  }

 private:
  /// Whether nobody but what the command left behind can write any more.
  [[nodiscard]] bool is_ending() const {
    const bool has_ended = out_.status && err_.status;
    return has_ended || is_closed_ || !connection_ || (!out_.socket && !err_.socket);
  }

  [[nodiscard]] milliseconds time_left() const {
    const auto end = last_heard_ + longest_silence;
    return std::chrono::ceil<milliseconds>(end - steady_clock::now());
  }

  [[nodiscard]] Error cut_off() const {
    return {"the command was cut off",
            !connection_ ? "the VM has ended"
            : is_closed_ ? "the guest rebooted, or its agent ended"
                         : "QEMU closed its streams",
            ""};
  }

  void wait(int timeout) {
    std::array<pollfd, 8> waiting = {
        {{signals_.get(), POLLIN, 0},
         {connection_.get(), POLLIN, 0},
         {in_ && input_.empty() ? STDIN_FILENO : -1, POLLIN, 0},
         {input_.empty() ? -1 : in_.get(), POLLOUT, 0},
         {out_.readable(), POLLIN, 0},
         {err_.readable(), POLLIN, 0},
         {out_.to, out_.writable(), 0},  // its reader may go at any time
         {err_.to, err_.writable(), 0}}};
    if (::poll(waiting.data(), waiting.size(), timeout) <= 0) return;
    if (waiting[0].revents != 0) pass_signal();
    if (waiting[1].revents != 0) hear_launcher();
    if (waiting[2].revents != 0) read_input();
    if (waiting[3].revents != 0) send_input();
    if (waiting[4].revents != 0) read_output(out_);
    if (waiting[5].revents != 0) read_output(err_);
    write_output(out_, waiting[6].revents);
    write_output(err_, waiting[7].revents);
  }

  void pass_signal() {
    signalfd_siginfo info{};
    if (::read(signals_.get(), &info, sizeof info) != sizeof info) return;
    const int signal = static_cast<int>(info.ssi_signo);
    const auto line = fmt::format("{}\n", name_of(signal));
    const bool is_sent =
        ::send(err_.socket.get(), line.data(), line.size(), MSG_NOSIGNAL | MSG_DONTWAIT) > 0;
    if (!is_sent || ++signals_seen_ == most_signals) left_ = 128 + signal;
  }

  /// All it has to say is that the guest has closed the streams.
  void hear_launcher() {
    std::array<char, portion> bytes{};
    const auto size = ::recv(connection_.get(), bytes.data(), bytes.size(), MSG_DONTWAIT);
    if (size < 0 && may_work_later()) return;
    if (size > 0) is_closed_ = true;
    if (size <= 0) connection_.reset();
    last_heard_ = steady_clock::now();
  }

  void read_input() {
    input_.resize(buffer_.size());
    const auto size = ::read(STDIN_FILENO, input_.data(), input_.size());
    input_.resize(static_cast<std::size_t>(std::max<ssize_t>(size, 0)));
    if (size > 0 || (size < 0 && may_work_later())) return;
    // Not closed: QEMU would not look at what it has not read yet.
    ::shutdown(in_.get(), SHUT_WR);
    ended_input_ = std::move(in_);
  }

  void send_input() {
    const auto size = ::send(in_.get(), input_.data(), input_.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
    if (size >= 0) {
      input_.erase(0, static_cast<std::size_t>(size));
    } else if (!may_work_later()) {
      drop_input();
    }
  }

  void drop_input() {
    in_.reset();
    input_.clear();
  }

  void read_output(Output& output) {
    const auto size = ::recv(output.socket.get(), buffer_.data(), buffer_.size(), MSG_DONTWAIT);
    if (size < 0 && may_work_later()) return;
    last_heard_ = steady_clock::now();
    if (size <= 0) {
      output.socket.reset();
      output.pending += output.scanner.finish();
      return;
    }
    auto found = output.scanner.feed({buffer_.data(), static_cast<std::size_t>(size)});
    output.pending += found.data;
    for (const auto& mark : found.marks) take_mark(output, mark);
  }

  void take_mark(Output& output, std::string_view mark) {
    if (mark == ended_mark) {
      output.is_ended = true;
    } else if (int status = 0; mark != started_mark) {
      std::from_chars(mark.data(), mark.data() + mark.size(), status);
      output.status = status & 0xff;
      drop_input();
    }
  }

  void write_output(Output& output, short events) {
    if ((events & (POLLERR | POLLHUP)) != 0) left_ = 128 + SIGPIPE;
    if ((events & POLLOUT) == 0 || left_) return;
    const auto size =
        ::write(output.to, output.pending.data(), std::min(output.pending.size(), portion));
    if (size >= 0) {
      output.pending.erase(0, static_cast<std::size_t>(size));
    } else if (errno == EPIPE) {
      left_ = 128 + SIGPIPE;
    } else if (!may_work_later()) {
      throw Error(fmt::format("standard {} cannot be written",
                              output.to == STDOUT_FILENO ? "output" : "error"),
                  std::strerror(errno), "");
    }
  }

  UniqueFd signals_ = hold_signals();
  UniqueFd connection_;   ///< to the launcher
  UniqueFd in_;           ///< until our input has ended
  UniqueFd ended_input_;  ///< then
  std::string input_;     ///< for `in_`
  Output out_;
  Output err_;
  std::array<char, 65536> buffer_{};
  steady_clock::time_point last_heard_ = steady_clock::now();
  bool is_closed_ = false;  ///< by the guest
  int signals_seen_ = 0;
  std::optional<int> left_;  ///< the status of one who did not wait for the end
};

}  // namespace

int follow_command(ControlReply reply) {
  if (reply.descriptors.size() != exec_streams.size()) {
    throw Error("the launcher's answer has no streams", "", "");
  }
  std::signal(SIGPIPE, SIG_IGN);
  return CommandFollower(std::move(reply)).run();
}

}  // namespace vmr
