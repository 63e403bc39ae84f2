// SPDX-License-Identifier: MIT
#pragma once

#include "host/host.hpp"
#include "plan/launch_plan.hpp"

#include <string>

namespace vmr {

/// The QEMU arguments of `share` and, for virtiofs, its daemon with a socket in `runtime_folder`.
SharePlan plan_share(const Share& share, const Host& host, const std::string& runtime_folder);

}  // namespace vmr
