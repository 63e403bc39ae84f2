// SPDX-License-Identifier: MIT
#pragma once

#include "base/error.hpp"
#include "plan/launch_plan.hpp"
#include "run/added_shares.hpp"

#include <functional>

namespace vmr {

/// How shares come about that are added while the machine runs.
struct ShareSource {
  /// Called once, when the machine runs: whatever has to be asked of the host with privileges that
  /// the launcher then gives up.
  std::function<void()> prepare;
  ShareResolver resolve;
};

/// Runs `plan`, whose RuntimeFolder is the caller's, from its first file to its last process and
/// returns how it ended; nothing of it is left then but the folder. Throws Error when the files
/// that it needs cannot be made.
ExitStatus run_session(const LaunchPlan& plan, ShareSource shares);

}  // namespace vmr
