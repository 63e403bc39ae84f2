// SPDX-License-Identifier: MIT
#pragma once

#include "plan/launch_plan.hpp"

#include <vector>

namespace vmr {

/// QEMU's whole command line for `spec` under `accelerator`, in groups and flat.
QemuPlan plan_qemu(const VmSpec& spec, Accelerator accelerator, const std::string& qemu,
                   const RuntimePaths& paths, const std::vector<SharePlan>& shares);

}  // namespace vmr
