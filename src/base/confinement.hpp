// SPDX-License-Identifier: MIT
#pragma once

#include "base/capabilities.hpp"
#include "base/units.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace vmr {

/// A file, or a folder with all that is in it, that a process may use.
struct FileRule {
  enum class Access { read, write };  ///< read: also execute; write: also make and remove
  std::string path;                   ///< absolute; one that is not there counts for nothing
  Access access = Access::read;

  bool operator==(const FileRule&) const = default;
};

/// What a process is left with, from before its program starts. The default leaves it as it is.
struct Confinement {
  std::optional<Owner> user;                  ///< whom it becomes
  std::vector<std::uint32_t> groups;          ///< with `user`: its other groups
  std::optional<CapabilitySet> capabilities;  ///< the most it may have, ever; none: as they are
  bool no_new_privileges = false;
  std::vector<FileRule> files;  ///< all that it may open, where the kernel has Landlock; empty: any
  std::vector<std::uint16_t> tcp_ports;  ///< with `files`: all that it may listen at, likewise

  bool operator==(const Confinement&) const = default;
};

}  // namespace vmr
