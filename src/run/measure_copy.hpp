// SPDX-License-Identifier: MIT
// How much room a full copy of the guest's disk takes.
#pragma once

#include "config/config.hpp"
#include "host/host.hpp"

namespace vmr {

/// Fills in `copy_size` or `copy_problem` of the disk's place when a copy would be made and every
/// rule about its images holds: qemu-img, which may do more than whoever wrote a header, opens none
/// that is refused.
void measure_copy(const Config& config, Host& host);

}  // namespace vmr
