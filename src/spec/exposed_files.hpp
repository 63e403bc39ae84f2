// SPDX-License-Identifier: MIT
// What a guest must not be handed: the files that decide what its own QEMU opens.
#pragma once

#include "config/config.hpp"
#include "host/host.hpp"
#include "spec/problems.hpp"
#include "spec/vm_spec.hpp"

namespace vmr {

/// Refuses a writable share that has the guest's disk, an image behind it, DATA_DIR or the runtime
/// directory in it. What the guest wrote there would count at the next start.
void check_exposed_files(const Config& config, const ShareConfig& asked, const Share& share,
                         const Host& host, Findings& findings);

}  // namespace vmr
