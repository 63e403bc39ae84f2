// SPDX-License-Identifier: MIT
#include "run/supervisor_plan.hpp"

#include "plan/seed.hpp"

#include <fmt/format.h>

namespace vmr {
namespace {

/// Where a person in the guest meets `share`.
std::string place_in_guest(const Share& share) {
  return fmt::format("{} (Filesystem #{})", share.mount, share.number);
}

}  // namespace

SupervisorPlan supervisor_plan(const LaunchPlan& plan) {
  SupervisorPlan result;
  for (const auto& attempt : plan.attempts) result.attempts.push_back(attempt.accelerator);
  for (const auto& share : plan.shares) {
    if (share.helper) result.helpers[share.helper->name] = place_in_guest(share.share);
  }
  result.start_timeout = plan.start_timeout;
  result.stop_timeout = plan.stop_timeout;
  result.memory_mib = plan.memory_mib;
  result.on_helper_exit = plan.on_helper_exit;
  if (plan.seed && !plan.shares.empty()) {
    result.mount_command = mount_command(plan.shares.front().share);
  }
  return result;
}

}  // namespace vmr
