// SPDX-License-Identifier: MIT
#include "run/child.hpp"

#include "run/line_splitter.hpp"
#include "run/spawn.hpp"

#include <boost/asio/buffer.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/steady_timer.hpp>
#include <fmt/format.h>

#include <array>
#include <chrono>
#include <csignal>
#include <cstring>
#include <deque>
#include <string_view>
#include <sys/wait.h>

namespace vmr {
namespace {

constexpr std::size_t kept_lines = 20;
constexpr auto grace_for_output = std::chrono::milliseconds(200);

}  // namespace

std::string describe(const ChildExit& exit) {
  if (!exit.signaled) return fmt::format("exit status {}", exit.code);
  const char* const name = ::sigdescr_np(exit.code);
  return name != nullptr ? fmt::format("signal {} ({})", exit.code, name)
                         : fmt::format("signal {}", exit.code);
}

/// Held by every pending operation, so that a Child may be destroyed inside its own callbacks.
struct Child::State : std::enable_shared_from_this<State> {
  State(const boost::asio::any_io_executor& executor, const ChildSpec& spec, OnLine on_line,
        OnExit on_exit)
      : process(executor, spec),
        output(executor, process.take_output().release()),
        pidfd(executor, process.take_pidfd().release()),
        grace(executor),
        on_line(std::move(on_line)),
        on_exit(std::move(on_exit)) {}

  void read_output() {
    output.async_read_some(boost::asio::buffer(bytes),
                           [self = shared_from_this()](const auto& error, std::size_t size) {
                             for (auto& line : self->lines.feed({self->bytes.data(), size}))
                               self->emit(line);
                             if (error) {
                               self->end_output();
                             } else if (!self->over) {
                               self->read_output();
                             }
                           });
  }

  void await_exit() {
    pidfd.async_wait(pidfd.wait_read, [self = shared_from_this()](const auto&) {
      if (self->over) return;
      self->has_exited = true;
      self->finish_if_complete();
      if (!self->over) self->await_end_of_output();
    });
  }

  void await_end_of_output() {
    grace.expires_after(grace_for_output);
    grace.async_wait([self = shared_from_this()](const auto&) { self->end_output(); });
  }

  void end_output() {
    output_ended = true;
    finish_if_complete();
  }

  void emit(std::string& line) {
    if (over) return;
    last_lines.push_back(std::move(line));
    if (last_lines.size() > kept_lines) last_lines.pop_front();
    // A copy: the callback may make this object close.
    const std::string given = last_lines.back();
    if (on_line) on_line(given);
  }

  void finish_if_complete() {
    if (over || !has_exited || !output_ended) return;
    if (auto rest = lines.finish()) emit(*rest);
    if (over) return;
    const int status = close();
    const bool signaled = WIFSIGNALED(status);
    if (on_exit) {
      on_exit({.signaled = signaled,
               .code = signaled ? WTERMSIG(status) : WEXITSTATUS(status),
               .last_lines = {last_lines.begin(), last_lines.end()}});
    }
  }

  /// Ends the process and everything pending; no callback is called from now on.
  int close() {
    over = true;
    boost::system::error_code ignored;
    output.close(ignored);
    pidfd.close(ignored);
    grace.cancel();
    return process.kill_and_reap();
  }

  Process process;
  boost::asio::posix::stream_descriptor output;
  boost::asio::posix::stream_descriptor pidfd;
  boost::asio::steady_timer grace;
  OnLine on_line;
  OnExit on_exit;
  std::array<char, 65536> bytes{};  // as much as a pipe holds
  LineSplitter lines;
  std::deque<std::string> last_lines;
  bool has_exited = false;
  bool output_ended = false;
  bool over = false;
};

Child::Child(const boost::asio::any_io_executor& executor, const ChildSpec& spec, OnLine on_line,
             OnExit on_exit)
    : state_(std::make_shared<State>(executor, spec, std::move(on_line), std::move(on_exit))) {
  state_->read_output();
  state_->await_exit();
}

Child::~Child() {
  if (!state_->over) state_->close();
}

pid_t Child::pid() const {
  return state_->process.pid();
}

bool Child::has_ended() const {
  return state_->process.is_reaped();
}

void Child::abandon() {
  if (state_->over) return;
  state_->process.abandon();
  state_->close();
}

void Child::signal(int signal) {
  state_->process.signal(signal);
}

}  // namespace vmr
