// SPDX-License-Identifier: MIT
// How a path leads to its file, part by part.
#pragma once

#include <string>
#include <vector>

namespace vmr {

struct PathSteps {
  /// Where it leads, without links and `..`, also where nothing is there.
  std::string end;
  /// What it goes through that is not above `end`: symbolic links, and folders that `..` leaves.
  std::vector<std::string> passed;
  std::vector<std::string> visited;  ///< everything that is looked up on the way, `end` included
};

/// Follows the absolute `path` as the kernel does. Of a ring of links, as far as the kernel goes.
PathSteps follow_path(const std::string& path);

}  // namespace vmr
