// SPDX-License-Identifier: MIT
#pragma once

#include <optional>
#include <string>
#include <vector>

namespace vmr {

/// How a process ended; `what` and `last_lines` are for people.
struct Ending {
  bool failed = false;  ///< anything but exit status 0
  int signal = 0;       ///< the signal that ended it, or 0
  std::string what;     ///< "exit status 1", "signal 6 (Aborted)"
  std::vector<std::string> last_lines;
  bool out_of_memory = false;  ///< the kernel killed a process of this cgroup for want of memory
};

/// What was probably the matter, and what to do about it.
struct Diagnosis {
  std::string cause;
  std::string hint;

  bool operator==(const Diagnosis&) const = default;
};

/// The likely cause of `ending`, from the last words of QEMU or virtiofsd; none when there is
/// nothing that we know.
std::optional<Diagnosis> diagnose(const Ending& ending);

/// Whether QEMU itself says that KVM failed it. A value of the user's that has "kvm" in it (a path,
/// a name, an option's text) says nothing of the kind.
bool is_fault_of_kvm(const Ending& ending);

}  // namespace vmr
