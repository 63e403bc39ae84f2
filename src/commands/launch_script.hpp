// SPDX-License-Identifier: MIT
#pragma once

#include "config/arguments.hpp"
#include "plan/explain.hpp"
#include "plan/launch_plan.hpp"

#include <cstdint>
#include <string>
#include <vector>

namespace vmr {

/// Where the settings of a launch are from; its seed is made of them anew.
struct SettingsSource {
  const Arguments& arguments;
  const std::vector<std::string>& environment;
  const std::string& folder;  ///< where relative paths start
};

/// The command lines of `parts` as bash arrays, with a comment above each part where there are
/// explanations, one for each. QEMU's array begins with `qemu`; an empty one leaves it out, and the
/// array is added to instead.
std::string bash_arrays(const std::vector<Part>& parts,
                        const std::vector<Explanation>& explanations, const std::string& qemu);

/// A bash script that starts what `plan` says, with exactly its command lines: the runtime folder
/// and the seed first, the helpers, then QEMU in the foreground. `explanations` as for bash_arrays;
/// `virtual_size` of the disk in the image that a persistent one is made over.
std::string launch_script(const LaunchPlan& plan, const QemuPlan& qemu,
                          const std::vector<Explanation>& explanations,
                          const SettingsSource& source, std::uint64_t virtual_size);

}  // namespace vmr
