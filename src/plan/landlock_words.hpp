// SPDX-License-Identifier: MIT
// What Landlock holds of QEMU and virtiofsd, in words: it follows from the plan and the kernel.
#pragma once

#include "base/confinement.hpp"
#include "plan/launch_plan.hpp"

#include <string>
#include <vector>

namespace vmr {

/// What of a process with this confinement Landlock of this version holds: some of "files",
/// "truncate", "tcp", "ioctl" and "scope"; none where it is not put on.
std::vector<std::string> landlock_holds(const Confinement& confinement, int version);

/// Whether this version holds all that we ask of it.
bool holds_everything(int landlock_version);

/// Which processes of `plan` it holds, what of them, and what it does not, in one line for people.
std::string describe_landlock(const LaunchPlan& plan);

}  // namespace vmr
