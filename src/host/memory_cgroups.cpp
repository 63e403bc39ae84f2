// SPDX-License-Identifier: MIT
#include "host/memory_cgroups.hpp"

#include <fstream>

namespace vmr {

std::vector<MemoryCgroup> find_memory_cgroups() {
  const std::string root = "/sys/fs/cgroup";
  std::vector<MemoryCgroup> found;
  std::ifstream cgroups("/proc/self/cgroup");
  for (std::string line; std::getline(cgroups, line);) {
    // "0::/path", or "9:memory:/path".
    const auto path = line.substr(line.rfind(':') + 1);
    if (line.starts_with("0::")) found.push_back({root, path, true});
    if (line.find(":memory:") != line.npos) found.push_back({root + "/memory", path, false});
  }
  return found;
}

}  // namespace vmr
