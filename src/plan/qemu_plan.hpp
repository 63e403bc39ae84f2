// SPDX-License-Identifier: MIT
#pragma once

#include "plan/launch_plan.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace vmr {

/// The device of the guest agent's port, as QEMU names it when the guest opens and closes it.
inline constexpr std::string_view agent_device = "agent";

/// The groups of the user's own arguments: from EXTRA_ARGS, and from behind `--`.
inline constexpr std::string_view extra_group = "extra";
inline constexpr std::string_view command_line_group = "command-line";

/// Whether the group of this name has arguments of the user's own.
constexpr bool is_users_group(std::string_view name) {
  return name == extra_group || name == command_line_group;
}

/// The buses that QEMU has for shares that are added while it runs: "hotplug1", …
std::vector<std::string> hotplug_ports(const VmSpec& spec);

/// QEMU's whole command line for `spec` under `accelerator`, in groups and flat.
QemuPlan plan_qemu(const VmSpec& spec, Accelerator accelerator, const std::string& qemu,
                   const RuntimePaths& paths, const std::vector<SharePlan>& shares);

}  // namespace vmr
