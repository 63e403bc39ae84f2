// SPDX-License-Identifier: MIT
// The guest's memory where the user's own QEMU arguments make it.
#pragma once

#include "spec/problems.hpp"
#include "spec/vm_spec.hpp"

#include <vector>

namespace vmr {

/// Whether EXTRA_ARGS and the words behind `--` choose the guest's memory (`-machine
/// memory-backend=`, `-numa node,memdev=`), so that ours has to stay out of the way. Refuses memory
/// of another size than MEMORY, and memory that is not shared where a share needs virtiofsd. Pure.
OwnMemory resolve_own_memory(const Config& config, const std::vector<Share>& shares,
                             Findings& findings);

}  // namespace vmr
