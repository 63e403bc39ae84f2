// SPDX-License-Identifier: MIT
#pragma once

#include <utility>
#include <vector>

namespace vmr {

/// Copies each descriptor {from, to} to its number, open across exec, whatever was there and
/// whatever the order; `from` becomes a temporary copy. Returns 0 or the errno. Allocates nothing,
/// so it may run between fork and exec.
int place_descriptors(std::vector<std::pair<int, int>>& moves);

}  // namespace vmr
