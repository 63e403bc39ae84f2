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
  enum class Access {
    read,     ///< also execute
    write,    ///< also make and remove, but for devices, to which no commands are given either
    devices,  ///< all that the kernel knows
  };
  std::string path;  ///< absolute; one that is not there counts for nothing
  Access access = Access::read;
  bool follow_links =
      true;  ///< off: a symbolic link in `path` has come there since, and is refused

  bool operator==(const FileRule&) const = default;
};

/// System calls that a process does without, by what they could be used for.
enum class Refused {
  local_sockets,   ///< sockets of any family but IPv4 and IPv6: services of the host, other VMs
  kernel_doors,    ///< keys, BPF, performance events, other processes' memory, faults by hand
  io_uring,        ///< which does what a filter of calls does not see
  mounts,          ///< changing what is mounted where, and entering namespaces
  namespaces,      ///< leaving what is shared with the parent, for a namespace of its own
  file_handles,    ///< opening by handle, past every folder's permissions
  set_user_id,     ///< making programs that run as their owner, and devices
  set_group_id,    ///< the same bit of groups, which a folder hands down
  name_truncated,  ///< cutting a file that is not open for writing, which old Landlocks allow
};

/// What a process is left with, from before its program starts. The default leaves it as it is.
struct Confinement {
  std::optional<Owner> user;                  ///< whom it becomes
  std::vector<std::uint32_t> groups;          ///< with `user`: its other groups
  std::optional<CapabilitySet> capabilities;  ///< the most it may have, ever; none: as they are
  bool no_new_privileges = false;
  std::vector<FileRule> files;  ///< all that it may open, where the kernel has Landlock; empty: any
  std::vector<std::uint16_t> tcp_ports{};  ///< with `files`: all that it may listen at, likewise
  std::vector<Refused> refused{};          ///< what fails in it, whoever asks

  bool operator==(const Confinement&) const = default;
};

}  // namespace vmr
