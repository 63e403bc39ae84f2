// SPDX-License-Identifier: MIT
// What a launcher tells about its VM.
#pragma once

#include "plan/launch_plan.hpp"
#include "run/guest_reports.hpp"
#include "run/supervisor.hpp"

#include <boost/json/object.hpp>

#include <chrono>
#include <map>
#include <string>
#include <sys/types.h>
#include <vector>

namespace vmr {

/// A VM at this moment.
struct VmState {
  Phase phase = Phase::starting;
  Accelerator accelerator = Accelerator::tcg;  ///< of the present attempt
  std::chrono::milliseconds uptime{};          ///< of the launcher
  std::map<std::string, pid_t> pids;           ///< live children by name: "qemu", "virtiofsd-1"
  std::vector<SharePlan> shares;               ///< the plan's, and those added since
  /// QEMU's own word for what the machine does ("running", "paused", "io-error", …); empty while it
  /// is not asked, and `no_answer` when it did not answer.
  std::string run_state{};
  bool agent = false;  ///< a guest agent listens
};

/// VmState::run_state of a QEMU that hangs.
inline constexpr std::string_view no_answer = "no answer";

/// "starting", "booting", "running", "stopping", "stopped".
std::string_view word_for(Phase phase);

/// How a VM is.
struct Health {
  std::string ailment;   ///< why it is not healthy; empty: it is
  bool settled = false;  ///< waiting does not change it: it is healthy, or failed to become so

  bool operator==(const Health&) const = default;
};

/// Healthy is a guest that is up and has mounted every share, with every helper alive. A guest
/// without a seed cannot tell, so a machine that runs is enough.
Health check_health(const LaunchPlan& plan, const VmState& state, const GuestReports& reports);

/// {"name", "pid", "state", "uptime" (seconds), "healthy", "problem", "accelerator", "agent",
/// "ssh", "ports": [{"host", "guest"}], "qemu": {"pid", "state"}, "helpers": [{"name", "pid",
/// "sandbox", "share"}], "shares": [as `args` has them, with "proof" and "reason"]}.
boost::json::object status_json(const LaunchPlan& plan, const VmState& state,
                                const GuestReports& reports);

/// The shares of status_json alone.
boost::json::array shares_json(const VmState& state, const GuestReports& reports);

}  // namespace vmr
