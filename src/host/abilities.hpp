// SPDX-License-Identifier: MIT
#pragma once

#include "host/host.hpp"

namespace vmr {

/// Tries each system call in a child of its own, so that seccomp, capabilities and name spaces all
/// count; about 1 ms.
Abilities probe_abilities();

}  // namespace vmr
