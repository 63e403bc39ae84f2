// SPDX-License-Identifier: MIT
// Child processes, and who waits for which of them.
#pragma once

#include "base/confinement.hpp"

#include <boost/asio/any_io_executor.hpp>

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <sys/types.h>
#include <utility>
#include <vector>

namespace vmr {

/// How a child ended.
struct ChildExit {
  bool signaled = false;
  int code = 0;                         ///< exit status, or the signal's number
  std::vector<std::string> last_lines;  ///< the last lines it wrote, at most 20 of 4096 bytes each

  bool operator==(const ChildExit&) const = default;
};

/// "exit status 1", "signal 9 (Killed)", "signal 6 (Aborted)".
std::string describe(const ChildExit& exit);

/// What to start. `descriptors` maps ours to the child's numbers; all others are closed on exec.
/// Standard input is /dev/null; output and error are read line by line.
struct ChildSpec {
  /// The folder at `from`, unless it is another one by now than the one that is open as `opened`,
  /// is found at `at`.
  struct Mount {
    int opened = -1;
    std::string from;
    std::string at;
  };
  std::string name;                              ///< for messages
  std::vector<std::string> argv;                 ///< argv[0]: absolute path
  std::vector<std::pair<int, int>> descriptors;  ///< {ours, the child's (3 or more)}
  Confinement confinement{};
  std::string working_folder = "/";  ///< where it works
  std::string temporary_folder{};    ///< its TMPDIR; empty: ours
  std::optional<Mount> mount{};      ///< in a mount namespace of its own
};

/// A running child in a session, a process group and a session keyring of its own. It dies with the
/// launcher, even when that is killed; precisely, with the thread that made it. Children and the
/// Reaper live on one thread.
class Child {
 public:
  using OnLine = std::function<void(const std::string& line)>;
  using OnExit = std::function<void(const ChildExit& exit)>;

  /// Starts the child; throws Error naming the program and why exec failed. `on_line` is called for
  /// each line it writes, `on_exit` once, after its output has ended (a grandchild that keeps the
  /// pipe open delays it by at most 200 ms) and what was left of its group is killed. Both may
  /// destroy the Child.
  Child(const boost::asio::any_io_executor& executor, const ChildSpec& spec, OnLine on_line,
        OnExit on_exit);
  ~Child();  ///< kills the process group if it still runs, and waits for the child
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;

  [[nodiscard]] pid_t pid() const;
  [[nodiscard]] bool has_ended() const;

  /// Sends `signal` to the whole process group; nothing once it has ended.
  void signal(int signal);

  /// Gives it up without waiting for its end, which then is not told: not even SIGKILL ends it.
  void abandon();

 private:
  struct State;
  std::shared_ptr<State> state_;
};

/// Reaps, as PID 1 of a container (or as a subreaper), every ended process that is not a live
/// Child, now and after each SIGCHLD, for as long as it exists. Never steals a Child's status.
class Reaper {
 public:
  explicit Reaper(const boost::asio::any_io_executor& executor);
  ~Reaper();
  Reaper(const Reaper&) = delete;
  Reaper& operator=(const Reaper&) = delete;

 private:
  struct State;
  std::shared_ptr<State> state_;
};

}  // namespace vmr
