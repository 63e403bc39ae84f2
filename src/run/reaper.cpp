// SPDX-License-Identifier: MIT
#include "run/child.hpp"
#include "run/child_registry.hpp"

#include <boost/asio/post.hpp>
#include <boost/asio/signal_set.hpp>

#include <cerrno>
#include <csignal>
#include <sys/wait.h>

namespace vmr {
namespace {

/// The first ended process that nobody has waited for yet, left as it is; 0 when there is none.
pid_t find_ended() {
  siginfo_t info{};
  while (::waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT) != 0) {
    if (errno != EINTR) return 0;
  }
  return info.si_pid;
}

void reap_orphans() {
  for (pid_t pid = find_ended(); pid != 0; pid = find_ended()) {
    // More may be hidden behind a Child's process, and asking again would only name it again: the
    // next look is when the Child has waited for it.
    if (ChildRegistry::instance().contains(pid)) return;
    ::waitpid(pid, nullptr, WNOHANG);
  }
}

}  // namespace

struct Reaper::State : std::enable_shared_from_this<State> {
  explicit State(const boost::asio::any_io_executor& executor) : signals(executor, SIGCHLD) {}

  void await_signal() {
    signals.async_wait([self = shared_from_this()](const auto& error, int) {
      if (error || self->over) return;
      reap_orphans();
      self->await_signal();
    });
  }

  /// Soon, not now: the Child that calls this is still busy with its own end.
  void reap_soon() {
    boost::asio::post(signals.get_executor(), [self = shared_from_this()] {
      if (!self->over) reap_orphans();
    });
  }

  boost::asio::signal_set signals;
  bool over = false;
};

Reaper::Reaper(const boost::asio::any_io_executor& executor)
    : state_(std::make_shared<State>(executor)) {
  state_->await_signal();
  ChildRegistry::instance().set_on_reaped([state = state_] { state->reap_soon(); });
  // What ended before SIGCHLD was watched.
  reap_orphans();
}

Reaper::~Reaper() {
  ChildRegistry::instance().set_on_reaped({});
  state_->over = true;
  state_->signals.cancel();
}

}  // namespace vmr
