// SPDX-License-Identifier: MIT
#pragma once

#include "host/host.hpp"
#include "plan/launch_plan.hpp"

#include <cstddef>
#include <string>

namespace vmr {

/// The QEMU arguments of `share`, which is number `position` (from 0) of the machine's, and, for
/// virtiofs, its daemon with a socket in `runtime_folder`.
SharePlan plan_share(const Share& share, std::size_t position, const Host& host,
                     const std::string& runtime_folder);

}  // namespace vmr
