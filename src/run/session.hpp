// SPDX-License-Identifier: MIT
#pragma once

#include "base/error.hpp"
#include "plan/launch_plan.hpp"

namespace vmr {

/// Runs `plan` from its first file to its last process and returns how it ended; nothing of it is
/// left then. Throws Error when it cannot be started.
ExitStatus run_session(const LaunchPlan& plan);

}  // namespace vmr
