// SPDX-License-Identifier: MIT
#pragma once

#include "plan/launch_plan.hpp"

namespace vmr {

/// Makes what must be there before any process starts: missing source folders, the persistent
/// disk, the seed. Throws Error naming the path.
void prepare_files(const LaunchPlan& plan);

/// Removes the helpers' sockets and the seed, once QEMU has them open.
void remove_startup_files(const LaunchPlan& plan);

}  // namespace vmr
