// SPDX-License-Identifier: MIT
#pragma once

#include "plan/launch_plan.hpp"

namespace vmr {

/// Makes what must be there before any process starts: missing source folders, the persistent
/// disk, the seed. Throws Error naming the path.
void prepare_files(const LaunchPlan& plan);

/// Makes `user` the owner of what QEMU opens and others may not: the seed and the persistent disk.
/// Throws Error.
void give_files(const LaunchPlan& plan, const Owner& user);

/// Removes the helpers' sockets and the seed, once QEMU has them open.
void remove_startup_files(const LaunchPlan& plan);

}  // namespace vmr
