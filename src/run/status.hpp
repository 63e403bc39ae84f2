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
  bool agent = false;         ///< a guest agent listens
  bool wrote = false;         ///< the guest has written something on its console
  bool gave_up = false;       ///< the guest had its time to show that it is up
  bool restart_loop = false;  ///< the guest restarts over and over
};

/// VmState::run_state of a QEMU that hangs.
inline constexpr std::string_view no_answer = "no answer";

/// "starting", "booting", "running", "stopping", "stopped".
std::string_view word_for(Phase phase);

/// What shows how far the guest is.
enum class GuestSign {
  none,        ///< nothing yet, and it still has time
  reported,    ///< it has said how the mounting of its shares went
  agent,       ///< it cannot report, but its agent is there
  console,     ///< it cannot report and has no agent, and had its time; but its console has words
  silent,      ///< it had its time, and there is nothing of all that
  late,        ///< it should have reported, and had its time
  restarting,  ///< it restarts over and over
};

GuestSign sign_of_guest(const LaunchPlan& plan, const VmState& state);

/// How a VM is.
struct Health {
  std::string ailment;   ///< why it is not healthy; empty: it is
  bool settled = false;  ///< waiting does not change it: it is healthy, or failed to become so

  bool operator==(const Health&) const = default;
};

/// Healthy is a guest that is up and has mounted every share, with every helper alive. A guest
/// without a seed cannot tell: its agent is enough, or, after its time, that it wrote something.
Health check_health(const LaunchPlan& plan, const VmState& state, const GuestReports& reports);

/// {"name", "pid", "state", "guest" (a GuestSign's word), "uptime" (seconds), "healthy", "problem",
/// "accelerator", "agent", "ssh", "ports": [{"host", "guest"}], "qemu": {"pid", "state",
/// "landlock"}, "helpers": [{"name", "pid", "sandbox", "share", "landlock"}], "shares": [as `args`
/// has them, with "proof" and "reason"]}. "landlock" is what of the process that holds, by
/// landlock_holds().
boost::json::object status_json(const LaunchPlan& plan, const VmState& state,
                                const GuestReports& reports);

/// The shares of status_json alone.
boost::json::array shares_json(const VmState& state, const GuestReports& reports);

}  // namespace vmr
