// SPDX-License-Identifier: MIT
#pragma once

#include "base/capabilities.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <sys/types.h>
#include <vector>

namespace vmr {

/// What a process may do, as /proc tells.
struct ProcessSecurity {
  std::string name;  ///< "launcher", "qemu", "virtiofsd-1"; of a process of its own "… child"
  pid_t pid = 0;
  std::uint32_t uid = 0;           ///< effective
  CapabilitySet capabilities = 0;  ///< that it has, in effect or not
  int seccomp = 0;                 ///< the mode: 0 none, 1 strict, 2 filter
  bool no_new_privileges = false;
  /// Those that are not the launcher's: "mnt", "pid", …; none: this process may not look.
  std::optional<std::vector<std::string>> namespaces{};
  /// What Landlock holds of it, which only its launcher knows; none: it does not tell.
  std::optional<std::vector<std::string>> landlock{};

  bool operator==(const ProcessSecurity&) const = default;
};

/// What is written in /proc/PID/status. Pure.
ProcessSecurity parse_process_status(std::string_view status);

/// The process `pid` and those that it started; nothing of what has ended. `launcher`: whose
/// namespaces are not told.
std::vector<ProcessSecurity> read_process_security(const std::string& name, pid_t pid,
                                                   pid_t launcher);

}  // namespace vmr
