// SPDX-License-Identifier: MIT
#include "host/memory_cgroups.hpp"

#include <algorithm>
#include <filesystem>
#include <fstream>

namespace vmr {
namespace {

/// The smallest limit, in MiB, of the cgroup `path` below `root` and of those above it. What is as
/// large as an address space is none.
std::optional<std::uint64_t> smallest_limit(const std::string& root, std::filesystem::path path,
                                            const char* file_name) {
  constexpr std::uint64_t no_limit = std::uint64_t{1} << 60;
  std::optional<std::uint64_t> smallest;
  while (true) {
    std::ifstream file(root + path.string() + "/" + file_name);
    std::uint64_t limit = 0;  // "max" is no number
    if (file >> limit && limit < no_limit) smallest = std::min(smallest.value_or(limit), limit);
    if (!path.has_relative_path()) break;
    path = path.parent_path();
  }
  if (smallest) *smallest >>= 20;
  return smallest;
}

}  // namespace

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

std::optional<std::uint64_t> find_memory_limit() {
  std::optional<std::uint64_t> smallest;
  for (const auto& [root, path, is_version_2] : find_memory_cgroups()) {
    const auto limit =
        smallest_limit(root, path, is_version_2 ? "memory.max" : "memory.limit_in_bytes");
    if (limit) smallest = std::min(smallest.value_or(*limit), *limit);
  }
  return smallest;
}

}  // namespace vmr
