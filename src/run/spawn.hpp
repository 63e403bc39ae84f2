// SPDX-License-Identifier: MIT
#pragma once

#include "base/unique_fd.hpp"
#include "run/child.hpp"

#include <boost/asio/any_io_executor.hpp>

#include <sys/types.h>

namespace vmr {

/// A started process, leader of its own session and group. It is waited for last, after its group
/// is gone: until then its number cannot be given to another process or group.
class Process {
 public:
  /// Starts `spec` on `executor`'s context; throws Error naming the program and why exec failed.
  Process(const boost::asio::any_io_executor& executor, const ChildSpec& spec);
  ~Process();  ///< kills and reaps
  Process(const Process&) = delete;
  Process& operator=(const Process&) = delete;

  [[nodiscard]] pid_t pid() const { return pid_; }

  /// Whether it has ended and its pid may be another process's by now.
  [[nodiscard]] bool is_reaped() const { return reaped_; }

  /// The reading end of its standard output and error; to be taken once.
  UniqueFd take_output() { return std::move(output_); }

  /// A descriptor that is readable from the moment it has ended; to be taken once.
  UniqueFd take_pidfd() { return std::move(pidfd_); }

  /// Sends `signal` to the whole group; nothing once it is reaped.
  void signal(int signal) const;

  /// Gives the process up without waiting for it: not even SIGKILL ends it.
  void abandon();

  /// Kills what is left of the group and waits for the leader; returns its wait status, the same
  /// one if called again.
  int kill_and_reap();

 private:
  UniqueFd output_;
  UniqueFd pidfd_;
  pid_t pid_ = -1;
  bool reaped_ = false;
  int status_ = 0;
};

}  // namespace vmr
