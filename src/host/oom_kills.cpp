// SPDX-License-Identifier: MIT
#include "host/oom_kills.hpp"

#include "host/memory_cgroups.hpp"

#include <fstream>
#include <string>
#include <vector>

namespace vmr {
namespace {

/// The number behind "oom_kill" in one of the kernel's files of lines "NAME NUMBER".
std::optional<std::uint64_t> read_count(const std::string& path) {
  std::ifstream file(path);
  std::string name;
  for (std::uint64_t number = 0; file >> name >> number;) {
    if (name == "oom_kill") return number;
  }
  return std::nullopt;
}

/// Where the count may be: our cgroup of version 2, of version 1, and, in a container that sees
/// its own cgroup as the root, just there.
std::vector<std::string> candidates() {
  const std::string root = "/sys/fs/cgroup";
  std::vector<std::string> paths;
  for (const auto& cgroup : find_memory_cgroups()) {
    paths.push_back(cgroup.root + cgroup.path +
                    (cgroup.is_version_2 ? "/memory.events" : "/memory.oom_control"));
  }
  paths.push_back(root + "/memory.events");
  paths.push_back(root + "/memory/memory.oom_control");
  return paths;
}

}  // namespace

std::optional<std::uint64_t> count_oom_kills() {
  for (const auto& path : candidates()) {
    if (const auto count = read_count(path)) return count;
  }
  return std::nullopt;
}

}  // namespace vmr
