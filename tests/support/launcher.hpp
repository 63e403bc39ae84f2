// SPDX-License-Identifier: MIT
// Runs the real vm-runner as a user would, for tests that watch what it says and leaves.
#pragma once

#include "base/unique_fd.hpp"
#include "support/temporary_folder.hpp"

#include <functional>
#include <map>
#include <string>
#include <sys/types.h>
#include <vector>

namespace vmr::test {

/// How a vm-runner ended.
struct Finished {
  int status = -1;  ///< exit status, or 1000 plus the number of the signal that ended it
  std::string output;
  std::string log;  ///< standard error
};

/// What is unusual about the start of a vm-runner.
struct StartDetails {
  /// A program and its first arguments, which executes what follows them.
  std::vector<std::string> wrapper;
  /// Called in the new process, once the standard streams are in place.
  std::function<void()> before_exec;
};

/// A vm-runner in an environment of its own: only PATH and HOME of ours, XDG_RUNTIME_DIR and
/// XDG_CONFIG_HOME in a temporary folder, SSH_PORT=0, and what the test sets. Standard input is
/// /dev/null, no signal is ignored. Killed at the end if it still runs.
class Launcher {
 public:
  using Variables = std::map<std::string, std::string>;

  /// Starts `vm-runner ARGUMENTS…`; `variables` override the environment, empty ones unset.
  explicit Launcher(const Variables& variables, const std::vector<std::string>& arguments = {},
                    const StartDetails& details = {});
  ~Launcher();
  Launcher(const Launcher&) = delete;
  Launcher& operator=(const Launcher&) = delete;

  /// Reads on until its output or log contains `text`; false when it ends or 120 s pass first.
  bool wait_for_output(const std::string& text);
  bool wait_for_log(const std::string& text);

  void signal(int signal) const;
  [[nodiscard]] pid_t pid() const { return pid_; }

  /// Its live children, by the last component of argv[0], with their whole argv.
  [[nodiscard]] std::multimap<std::string, std::vector<std::string>> children() const;
  [[nodiscard]] std::vector<pid_t> child_pids() const;

  /// The live child whose argv[0] ends in `name`; -1 when there is none.
  [[nodiscard]] pid_t child_pid(const std::string& name) const;

  /// Its children, their children and so on.
  [[nodiscard]] std::vector<pid_t> descendant_pids() const;

  /// Reads to the end and waits for it; kills it after 120 s of silence.
  Finished finish();

  /// What is left below its runtime folder ("vm-runner/<name>/…"), each path relative to it.
  [[nodiscard]] std::vector<std::string> left_files() const;

  /// XDG_RUNTIME_DIR and XDG_CONFIG_HOME of this launcher; another one can be started in the same.
  [[nodiscard]] const std::string& runtime_folder() const { return folder_.path(); }

 private:
  bool wait_for(const std::string& text, const std::string& where);
  bool read_some();  ///< false when both streams are at their end, or after 120 s of silence

  TemporaryFolder folder_;
  pid_t pid_ = -1;
  int status_ = -1;
  UniqueFd output_fd_;
  UniqueFd log_fd_;
  std::string output_;
  std::string log_;
};

/// Runs vm-runner to its end.
Finished run_launcher(const Launcher::Variables& variables,
                      const std::vector<std::string>& arguments = {});

}  // namespace vmr::test
