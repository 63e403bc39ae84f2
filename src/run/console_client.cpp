// SPDX-License-Identifier: MIT
#include "run/console_client.hpp"

#include "base/error.hpp"
#include "base/log.hpp"
#include "run/stop_signals.hpp"
#include "run/terminal.hpp"
#include "run/terminal_queries.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <optional>
#include <poll.h>
#include <string>
#include <string_view>
#include <sys/socket.h>
#include <unistd.h>
#include <utility>

namespace vmr {
namespace {

using Reason = VisitEnd::Reason;

/// A pipe that can be written to takes at least this much without blocking (PIPE_BUF).
constexpr std::size_t portion = 4096;

/// Whether a call failed only for now.
bool is_for_now(int error) {
  return error == EAGAIN || error == EWOULDBLOCK || error == EINTR;
}

/// The bytes that go back and forth. The standard streams stay blocking, since other processes have
/// them too; poll(2), unlike epoll, also takes files.
class Visit {
 public:
  Visit(UniqueFd connection, std::size_t kept)
      : connection_(std::move(connection)),
        missing_past_(::isatty(STDOUT_FILENO) == 1 ? kept : 0),
        has_keyboard_(has_keyboard()),
        // A terminal that we may not read would stop us.
        reads_input_(has_keyboard_ || ::isatty(STDIN_FILENO) != 1),
        only_looks_on_(!has_keyboard_ && ::isatty(STDOUT_FILENO) == 1) {
    if (has_keyboard_) raw_.emplace(STDIN_FILENO);
  }

  VisitEnd run() {
    while (!end_) {
      wait_and_copy();
      if (!end_ && connection_ended_ && to_show_.empty()) leave(Reason::vm_ended);
    }
    const bool clean = end_->reason == Reason::left || end_->reason == Reason::vm_ended;
    if (has_keyboard_ && clean && last_shown_ != '\n') write_to_output("\n");
    return *end_;
  }

 private:
  void wait_and_copy() {
    const auto wanted = [](bool reading, bool writing) {
      return static_cast<short>((reading ? POLLIN : 0) | (writing ? POLLOUT : 0));
    };
    const auto with_launcher =
        wanted(to_show_.empty() && !connection_ended_, !to_send_.empty() && !connection_ended_);
    // A descriptor of which nothing is wanted would still be reported when its other side is
    // closed.
    std::array<pollfd, 4> ready = {
        {{signals_.fd(), POLLIN, 0},
         {STDOUT_FILENO, wanted(false, !to_show_.empty()), 0},
         {with_launcher != 0 ? connection_.get() : -1, with_launcher, 0},
         {reads_input_ && to_send_.empty() ? STDIN_FILENO : -1, POLLIN, 0}}};
    if (::poll(ready.data(), ready.size(), -1) < 0 && errno != EINTR) {
      throw Error("the console cannot be waited for", std::strerror(errno), "");
    }
    const auto [signal, output, launcher, input] = ready;
    if (signals_.first() != 0) return leave(Reason::signal);
    if ((output.revents & (POLLERR | POLLHUP)) != 0) return leave(Reason::output_closed);
    if (output.revents != 0) show_portion();
    if ((with_launcher & POLLIN) != 0 && launcher.revents != 0) receive();
    if ((with_launcher & POLLOUT) != 0 && launcher.revents != 0) send_rest();
    if (input.revents != 0) read_input();
  }

  void receive() {
    std::array<char, portion> bytes{};
    const auto count = ::recv(connection_.get(), bytes.data(), bytes.size(), MSG_DONTWAIT);
    if (count > 0) return take_output({bytes.data(), static_cast<std::size_t>(count)});
    if (count < 0 && is_for_now(errno)) return;
    // A launcher that ends before it has read all that was typed resets the connection.
    if (count < 0 && errno != ECONNRESET) {
      throw Error("the connection to the console broke", std::strerror(errno), "");
    }
    connection_ended_ = true;
    show_past();
  }

  void take_output(std::string_view bytes) {
    const auto old = std::min(bytes.size(), missing_past_);
    past_ += bytes.substr(0, old);
    missing_past_ -= old;
    if (missing_past_ == 0) show_past();
    // Whoever looks on at a terminal without typing has nobody who waits for its answers.
    const auto live = bytes.substr(old);
    to_show_ += only_looks_on_ ? queries_.take(live) : std::string(live);
  }

  /// Once the past is complete: a query may come in two pieces.
  void show_past() { to_show_ += without_queries(std::exchange(past_, {})); }

  void show_portion() {
    const auto count = write_to_output(std::string_view(to_show_).substr(0, portion));
    if (count == 0) return;
    last_shown_ = to_show_[count - 1];
    to_show_.erase(0, count);
  }

  std::size_t write_to_output(std::string_view text) {
    const auto count = ::write(STDOUT_FILENO, text.data(), text.size());
    if (count >= 0) return static_cast<std::size_t>(count);
    if (is_for_now(errno)) return 0;
    if (errno != EPIPE && errno != EIO) {
      throw Error("the console cannot be written to standard output", std::strerror(errno), "");
    }
    leave(Reason::output_closed);
    return 0;
  }

  void read_input() {
    std::array<char, portion> bytes{};
    const auto count = ::read(STDIN_FILENO, bytes.data(), bytes.size());
    if (count < 0 && is_for_now(errno)) return;
    if (count <= 0) {
      if (has_keyboard_) return leave(Reason::output_closed);
      reads_input_ = false;
      return;
    }
    to_send_.assign(bytes.data(), static_cast<std::size_t>(count));
    if (!has_keyboard_) return send_rest();
    const auto typed = escape_.take(to_send_);
    to_send_ = typed.for_guest;
    const auto hint = escape_.hint("leaves the console, and the VM goes on");
    if (!hint.empty()) log_info("{}", hint);
    send_rest();
    // The way out has to work when the guest does not read: it loses keys, as on a serial line.
    to_send_.clear();
    if (typed.leave) leave(Reason::left);
  }

  void send_rest() {
    const auto count =
        ::send(connection_.get(), to_send_.data(), to_send_.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
    if (count >= 0) {
      to_send_.erase(0, static_cast<std::size_t>(count));
    } else if (!is_for_now(errno)) {
      to_send_.clear();  // why the connection ended is found when it is read
      reads_input_ = has_keyboard_;
    }
  }

  void leave(Reason reason) { end_ = VisitEnd{reason, signals_.first()}; }

  StopSignals signals_;
  UniqueFd connection_;
  std::size_t missing_past_;  ///< how much of the past is to come, where that matters
  std::string past_;
  bool has_keyboard_;
  bool reads_input_;
  bool only_looks_on_;
  QueryFilter queries_;
  std::optional<RawTerminal> raw_;
  EscapeKeys escape_;
  std::string to_show_;
  std::string to_send_;
  char last_shown_ = '\n';
  bool connection_ended_ = false;
  std::optional<VisitEnd> end_;
};

}  // namespace

VisitEnd visit_console(UniqueFd connection, std::size_t kept) {
  // A reader of our output that goes away is an end like others.
  std::signal(SIGPIPE, SIG_IGN);
  return Visit(std::move(connection), kept).run();
}

}  // namespace vmr
