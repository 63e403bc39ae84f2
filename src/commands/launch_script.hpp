// SPDX-License-Identifier: MIT
#pragma once

#include "config/arguments.hpp"
#include "plan/launch_plan.hpp"

#include <string>
#include <vector>

namespace vmr {

/// A bash script that starts what `plan` says, with exactly its command lines: the runtime folder
/// and the seed first, the helpers, then QEMU in the foreground.
std::string launch_script(const LaunchPlan& plan, const QemuPlan& qemu, const Arguments& arguments,
                          const std::vector<std::string>& environment);

}  // namespace vmr
