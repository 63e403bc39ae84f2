// SPDX-License-Identifier: MIT
// Pipes and forks for tests that watch processes come and go.
#pragma once

#include "base/unique_fd.hpp"

#include <functional>
#include <string>
#include <sys/types.h>

namespace vmr::test {

/// A pipe; both ends are close-on-exec.
struct Pipe {
  Pipe();

  UniqueFd reading;
  UniqueFd writing;
};

/// Whether the last writing end of the pipe is closed, at the latest in ten seconds.
bool reaches_end(const UniqueFd& reading);

/// All that is written into the pipe until its end.
std::string read_all(const UniqueFd& reading);

/// What `action` writes to standard error; at most what a pipe holds.
std::string standard_error_of(const std::function<void()>& action);

/// How many descriptors this process has open.
int count_descriptors();

/// Runs `body` in a forked process; returns its pid. The process ends with the value of `body`, or
/// with 99 after an exception, which it names on standard error.
pid_t fork_and_run(const std::function<int()>& body);

/// Waits for `pid`; its exit status, or 1000 plus the number of the signal that ended it.
int wait_for(pid_t pid);

}  // namespace vmr::test
