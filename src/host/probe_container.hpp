// SPDX-License-Identifier: MIT
// Whether this is a container, which one, and whose network it has.
#pragma once

#include "host/host.hpp"

#include <functional>
#include <string>

namespace vmr {

/// A variable of the process's environment; empty: not set.
using Environment = std::function<std::string(const char* name)>;

/// Where a process with `environment` runs that sees the files below `root` (empty: this
/// machine's). Being process 1 is no sign: an init, a shell or the machine's own process 1 can be
/// before it in a container, and `unshare --pid` makes one outside.
Surroundings find_surroundings(const std::string& root, const Environment& environment);

/// Whether its network is another than the machine's, as far as the kernel tells: in any doubt
/// it is the machine's.
bool has_own_network(const std::string& root);

}  // namespace vmr
