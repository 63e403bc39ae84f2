// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace vmr {

/// Where the kernel shows a memory cgroup that this process is in.
struct MemoryCgroup {
  std::string root;  ///< where the hierarchy is mounted
  std::string path;  ///< below it, starting with a slash
  bool is_version_2 = false;
};

/// Those of /proc/self/cgroup: one, or where both versions are in use two.
std::vector<MemoryCgroup> find_memory_cgroups();

/// How much memory, in MiB, this process may use with all that it starts; none: as much as there
/// is.
std::optional<std::uint64_t> find_memory_limit();

}  // namespace vmr
