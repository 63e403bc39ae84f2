// SPDX-License-Identifier: MIT
// The user's own QEMU arguments beside ours.
#pragma once

#include "config/given.hpp"
#include "plan/launch_plan.hpp"

#include <string>
#include <vector>

namespace vmr {

/// One of the user's own arguments beside one of ours.
struct Collision {
  std::string text;         ///< both, what QEMU makes of them, and the setting to use instead
  bool is_refused = false;  ///< QEMU does not start with them

  bool operator==(const Collision&) const = default;
};

/// One collision for each of the user's own arguments in `qemu` that collides with one of ours, or
/// changes how the machine starts or ends, as QEMU 7.2 takes them. `extra_args`: where EXTRA_ARGS
/// came from.
std::vector<Collision> find_collisions(const QemuPlan& qemu, const Origin& extra_args);

}  // namespace vmr
