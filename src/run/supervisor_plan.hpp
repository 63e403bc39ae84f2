// SPDX-License-Identifier: MIT
#pragma once

#include "plan/launch_plan.hpp"
#include "run/supervisor.hpp"

namespace vmr {

/// What the supervisor has to know of `plan`.
SupervisorPlan supervisor_plan(const LaunchPlan& plan);

}  // namespace vmr
