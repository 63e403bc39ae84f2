// SPDX-License-Identifier: MIT
// What of the user's own QEMU arguments is refused or warned of by itself.
#pragma once

#include "config/config.hpp"
#include "spec/problems.hpp"

namespace vmr {

/// Refuses QEMU arguments of the user's own with which nobody could look after the machine.
void check_extra_args(const Config& config, Findings& findings);

}  // namespace vmr
