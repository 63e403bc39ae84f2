// SPDX-License-Identifier: MIT
// The user's own QEMU arguments beside ours.
#pragma once

#include "config/given.hpp"
#include "plan/launch_plan.hpp"

#include <string>
#include <vector>

namespace vmr {

/// One warning for each of the user's own arguments in `qemu` that collides with one of ours, or
/// changes how the machine starts or ends: with both, what QEMU 7.2 makes of them, and the setting
/// to use instead. `extra_args`: where EXTRA_ARGS came from.
std::vector<std::string> warn_of_collisions(const QemuPlan& qemu, const Origin& extra_args);

}  // namespace vmr
