// SPDX-License-Identifier: MIT
#pragma once

#include "base/log.hpp"
#include "plan/launch_plan.hpp"
#include "run/child.hpp"
#include "run/console.hpp"
#include "run/guest_agent.hpp"
#include "run/guest_exec.hpp"
#include "run/log_quota.hpp"
#include "run/qmp.hpp"
#include "run/scratch_folder.hpp"

#include <boost/asio/any_io_executor.hpp>

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace vmr {

/// What one start of the machine tells the session.
struct AttemptHandlers {
  QmpHandlers qmp;
  std::function<void(const std::string& line)> guest_report;
  std::function<void()> console_left;
  std::function<void()> console_ended;
  std::function<void(const ChildExit& exit)> qemu_ended;
  std::function<void(const std::string& name, const ChildExit& exit)> helper_ended;
};

/// One start of the machine: its helpers, QEMU and the sockets between them. All sockets are bound
/// before any process starts, so that nothing polls. Dies with its processes.
class Attempt {
 public:
  /// Binds all sockets and connects to QEMU's. Throws Error when it cannot. `viewers` outlives it.
  Attempt(boost::asio::any_io_executor executor, const LaunchPlan& plan, const QemuPlan& qemu,
          ConsoleMode mode, ConsoleViewers& viewers, AttemptHandlers handlers);

  /// Starts QEMU, and every helper of the plan. Throw Error naming the program that cannot be
  /// started; what was started before it runs on.
  void start_qemu();
  void start_helpers();

  /// Starts one more helper and returns a connection to it for QEMU, or throws Error.
  UniqueFd start_helper(const ProcessPlan& helper);

  Qmp& qmp() { return *qmp_; }
  GuestAgent& agent() { return *agent_; }
  [[nodiscard]] const GuestAgent& agent() const { return *agent_; }
  GuestExec& guest_exec() { return *guest_exec_; }

  /// From now on what QEMU writes is logged as it comes, and what it wrote before is logged now.
  /// Until then it only counts if QEMU dies, as part of that message. Its folder for temporary
  /// files is removed.
  void log_qemu_output();

  /// Its live children by name.
  [[nodiscard]] std::map<std::string, pid_t> pids() const;

  /// Whether the process `pid` is in the session of one of its children.
  [[nodiscard]] bool has_started(pid_t pid) const;

  void signal_qemu(int signal);
  void signal_helpers(int signal);
  void signal_helper(const std::string& name, int signal);

  /// Gives up waiting for what still runs.
  void abandon();

 private:
  void start_helper(const ProcessPlan& helper, const std::vector<UniqueFd>& sockets);
  /// Opens for `spec` what `process` is to find opened; returns it, until the process has it.
  std::vector<UniqueFd> hand_over(const ProcessPlan& process, ChildSpec& spec);
  void start(const ProcessPlan& process, const std::vector<UniqueFd>& sockets,
             Child::OnLine on_line, Child::OnExit on_exit);
  void take_qemu_line(const std::string& line);
  void log_output(LogQuota& quota, LogLevel level, const std::string& name,
                  const std::string& line);

  boost::asio::any_io_executor executor_;
  const LaunchPlan& plan_;
  const QemuPlan& qemu_;
  AttemptHandlers handlers_;
  std::vector<UniqueFd> qemu_sockets_;      ///< until QEMU has them
  std::vector<UniqueFd> qemu_connections_;  ///< to the helpers, until QEMU is started
  std::map<std::string, std::vector<UniqueFd>> helper_sockets_;  ///< by name; until they have them
  std::optional<ScratchFolder> scratch_;  ///< until QEMU has opened what it needs there
  std::optional<Qmp> qmp_;
  std::optional<GuestAgent> agent_;
  std::optional<GuestExec> guest_exec_;
  std::optional<LineReader> reports_;
  std::optional<Console> console_;
  std::map<std::string, std::unique_ptr<Child>> children_;  ///< by name
  std::map<std::string, LogQuota> quotas_;                  ///< by the child's name
  std::vector<std::string> early_output_;  ///< of QEMU, while it is not ready; bounded
  bool ready_ = false;
};

}  // namespace vmr
