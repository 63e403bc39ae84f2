// SPDX-License-Identifier: MIT
// Landlock, the kernel's way to take files away from a process without any privilege.
#pragma once

#include "base/confinement.hpp"
#include "base/unique_fd.hpp"

#include <cstdint>
#include <vector>

namespace vmr {

/// The version of the kernel's Landlock; 0: it has none that is of use, or something forbids it.
int landlock_version();

/// A ruleset that leaves exactly these files, TCP ports to listen at and, of devices, the commands
/// to those that may be written; and no way to signal processes, or to reach abstract sockets,
/// outside. As far as the kernel's version goes; sockets with a path stay reachable. Empty where
/// there is no Landlock; throws Error naming a path that cannot be looked at.
UniqueFd make_landlock_ruleset(const std::vector<FileRule>& files,
                               const std::vector<std::uint16_t>& tcp_ports);

/// Puts `ruleset` on the calling thread, for ever; no_new_privs must be set. 0 or the errno.
int put_on_landlock(int ruleset);

}  // namespace vmr
