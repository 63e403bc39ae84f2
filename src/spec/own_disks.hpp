// SPDX-License-Identifier: MIT
// The plain disks among the user's own QEMU arguments, and what their headers make QEMU open.
#pragma once

#include "config/config.hpp"
#include "host/host.hpp"
#include "spec/problems.hpp"
#include "spec/vm_spec.hpp"

namespace vmr {

/// Puts them into `spec`, with the images behind each. One whose header names what cannot be known,
/// or may not be opened, is a problem, unless ALLOW_UNKNOWN_IMAGES says otherwise.
void resolve_own_disks(const Config& config, const Host& host, VmSpec& spec, Findings& findings);

}  // namespace vmr
