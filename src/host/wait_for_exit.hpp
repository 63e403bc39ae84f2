// SPDX-License-Identifier: MIT
#pragma once

#include <cerrno>
#include <csignal>
#include <sys/types.h>
#include <sys/wait.h>

namespace vmr {

/// To be called before a child is made. Some parents hand down an ignored SIGCHLD; then the kernel
/// throws every exit status away.
inline void stop_ignoring_sigchld() {
  struct sigaction action {};
  ::sigaction(SIGCHLD, nullptr, &action);
  if (action.sa_handler == SIG_IGN) ::signal(SIGCHLD, SIG_DFL);
}

/// Waits for the child `pid`, through any signal; its wait status, or 0 when it is not ours.
inline int wait_for_exit(pid_t pid) {
  int status = 0;
  while (::waitpid(pid, &status, 0) < 0 && errno == EINTR) {
  }
  return status;
}

}  // namespace vmr
