// SPDX-License-Identifier: MIT
#pragma once

#include "plan/launch_plan.hpp"

#include <string>

namespace vmr {

/// Writes a NoCloud image (ISO 9660 with Joliet and Rock Ridge, label "cidata") to `path`, mode
/// 0600, replacing what was there only when it is complete. Throws Error naming `path`. Sets TMPDIR
/// meanwhile, so no other thread may read the environment.
void write_seed_image(const SeedContents& contents, const std::string& path);

}  // namespace vmr
