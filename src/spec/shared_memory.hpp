// SPDX-License-Identifier: MIT
#pragma once

#include "config/config.hpp"
#include "spec/problems.hpp"
#include "spec/vm_spec.hpp"

#include <vector>

namespace vmr {

/// Refuses QEMU arguments of the user's own that give the guest a memory backend which a virtiofsd
/// cannot share. Only backends that these arguments describe are judged, as key=value or as JSON.
void check_shared_memory(const Config& config, const std::vector<Share>& shares,
                         Findings& findings);

}  // namespace vmr
