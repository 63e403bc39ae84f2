// SPDX-License-Identifier: MIT
#pragma once

#include "base/capabilities.hpp"
#include "host/host.hpp"

#include <string>
#include <sys/types.h>
#include <vector>

namespace vmr {

struct AbleTo {
  Abilities abilities;
  bool become_other_user = false;  ///< of QEMU's own, whom we can signal and give files to
};

/// Tries in a child what this process may do, so that seccomp, capabilities and name spaces all
/// count. It takes some 2 ms, in which the caller can do something else.
class AbilitiesProbe {
 public:
  enum class Scope {
    users,     ///< whether a child may become another user
    virtiofs,  ///< and what decides how virtiofsd runs
    all,       ///< and user namespaces also where root does not need them
  };

  /// Starts.
  explicit AbilitiesProbe(Scope scope);
  ~AbilitiesProbe();
  AbilitiesProbe(const AbilitiesProbe&) = delete;
  AbilitiesProbe& operator=(const AbilitiesProbe&) = delete;

  /// Waits for the results; once. What was not tried counts as not allowed.
  AbleTo wait();

 private:
  Scope scope_;
  pid_t child_;
};

/// The capabilities in effect for this process.
CapabilitySet effective_capabilities();

/// Which of root's capabilities that virtiofsd needs this process lacks; none for other users, of
/// whom it needs no capability.
std::vector<std::string> find_missing_capabilities();

}  // namespace vmr
