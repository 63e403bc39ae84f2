// SPDX-License-Identifier: MIT
#pragma once

#include "plan/launch_plan.hpp"
#include "run/child.hpp"
#include "run/console.hpp"
#include "run/qmp.hpp"

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
/// before any process starts, so that all start at once and nothing polls. Dies with its processes.
class Attempt {
 public:
  /// Throws Error when a socket cannot be bound or a program cannot be started.
  Attempt(boost::asio::any_io_executor executor, const LaunchPlan& plan, const QemuPlan& qemu,
          ConsoleMode mode, AttemptHandlers handlers);

  void execute(const std::string& qmp_command) { qmp_->execute(qmp_command); }

  /// From now on what QEMU writes is logged as it comes, and what it wrote before is logged now.
  /// Until then it only counts if QEMU dies, as part of that message.
  void log_qemu_output();

  /// Its children by name; those that have ended are left out.
  [[nodiscard]] std::map<std::string, pid_t> pids() const;

  void signal_qemu(int signal);
  void signal_helpers(int signal);

 private:
  void start(boost::asio::any_io_executor executor, const ProcessPlan& process,
             const std::vector<UniqueFd>& sockets, Child::OnLine on_line, Child::OnExit on_exit);
  void take_qemu_line(const std::string& line);

  std::optional<Qmp> qmp_;
  std::optional<LineReader> reports_;
  std::optional<Console> console_;
  std::map<std::string, std::unique_ptr<Child>> children_;  ///< by name
  std::vector<std::string> early_output_;  ///< of QEMU, while it is not ready; bounded
  bool ready_ = false;
};

}  // namespace vmr
