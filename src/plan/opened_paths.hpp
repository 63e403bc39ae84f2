// SPDX-License-Identifier: MIT
// What the launcher opens for a child and hands over, so that no name is followed twice.
#pragma once

#include "plan/launch_plan.hpp"

#include <string>

namespace vmr {

/// Plans what of the guest's files and 9p shares QEMU finds opened; `qemu` is planned already, of
/// these. Whoever wants nothing taken from QEMU has it open all of them by itself.
void plan_opened(const VmSpec& spec, const Host& host, const RuntimePaths& paths,
                 const std::vector<SharePlan>& shares, QemuPlan& qemu);

/// The same for the source of `share`, whose virtiofsd `helper` is.
void plan_opened_source(const Share& share, const QemuUser& user, const Host& host,
                        const std::string& runtime_folder, ProcessPlan& helper);

/// What `process` says, with the paths of what it was handed.
std::string with_paths(std::string text, const ProcessPlan& process);

}  // namespace vmr
