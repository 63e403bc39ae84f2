// SPDX-License-Identifier: MIT
#pragma once

#include "base/capabilities.hpp"
#include "host/host.hpp"

#include <string>
#include <vector>

namespace vmr {

/// Tries each system call in a child of its own, so that seccomp, capabilities and name spaces all
/// count; about 1 ms.
Abilities probe_abilities();

/// The capabilities in effect for this process.
CapabilitySet effective_capabilities();

/// Whether a child of root's may become a user of QEMU's own, whom we can signal and give files to;
/// tried in a child.
bool can_become_other_user();

/// Which of root's capabilities that virtiofsd needs this process lacks; none for other users, of
/// whom it needs no capability.
std::vector<std::string> find_missing_capabilities();

}  // namespace vmr
