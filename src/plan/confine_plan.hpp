// SPDX-License-Identifier: MIT
// What QEMU and virtiofsd are left with: a user, capabilities, files.
#pragma once

#include "plan/launch_plan.hpp"

#include <string>
#include <vector>

namespace vmr {

/// What is taken from QEMU; nothing when the user wants it so, or when the user's own arguments
/// reach outside of what we know of.
Confinement confine_qemu(const VmSpec& spec, const Host& host, const QemuPlan& qemu,
                         const RuntimePaths& paths);

/// What is taken from the virtiofsd of `share`, as far as its own sandbox does not do it.
Confinement confine_virtiofsd(const Share& share, const QemuUser& user, const Host& host);

/// How QEMU runs, in one line for people: "QEMU runs as user 61234 without capabilities".
std::string describe_qemu_user(const VmSpec& spec, const Host& host, const QemuPlan& qemu);

/// What a guest cannot leave in the shares that it writes to, and the settings that let it; empty:
/// there is no such share, or it may.
std::string describe_refused_files(const LaunchPlan& plan);

}  // namespace vmr
