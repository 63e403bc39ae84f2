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

namespace vmr {

/// A VM at this moment.
struct VmState {
  Phase phase = Phase::starting;
  Accelerator accelerator = Accelerator::tcg;  ///< of the present attempt
  std::chrono::milliseconds uptime{};          ///< of the launcher
  std::map<std::string, pid_t> pids;           ///< live children by name: "qemu", "virtiofsd-1"
};

/// Why the VM is not healthy; empty: it is. Healthy is a guest that is up and has mounted every
/// share. A guest without a seed cannot tell, so a machine that runs is enough.
std::string find_ailment(const LaunchPlan& plan, const VmState& state, const GuestReports& reports);

/// {"name", "pid", "state", "uptime" (seconds), "healthy", "problem", "accelerator", "ssh", "qemu":
/// {"pid"}, "helpers": [{"name", "pid"}], "shares": [as `args` has them, with "proof" and
/// "reason"]}.
boost::json::object status_json(const LaunchPlan& plan, const VmState& state,
                                const GuestReports& reports);

}  // namespace vmr
