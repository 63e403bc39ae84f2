// SPDX-License-Identifier: MIT
#pragma once

#include <cerrno>
#include <sys/types.h>
#include <sys/wait.h>

namespace vmr {

/// Waits for the child `pid`, through any signal; its wait status, or 0 when it is not ours.
inline int wait_for_exit(pid_t pid) {
  int status = 0;
  while (::waitpid(pid, &status, 0) < 0 && errno == EINTR) {
  }
  return status;
}

}  // namespace vmr
