// SPDX-License-Identifier: MIT
#pragma once

#include "base/error.hpp"
#include "plan/launch_plan.hpp"
#include "run/added_shares.hpp"

namespace vmr {

/// Runs `plan` from its first file to its last process and returns how it ended; nothing of it is
/// left then. Shares that are added meanwhile are made by `resolve_share`. Throws Error when the
/// files that it needs cannot be made.
ExitStatus run_session(const LaunchPlan& plan, ShareResolver resolve_share);

}  // namespace vmr
