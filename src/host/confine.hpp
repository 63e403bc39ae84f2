// SPDX-License-Identifier: MIT
#pragma once

#include "base/confinement.hpp"
#include "base/unique_fd.hpp"

#include <linux/filter.h>
#include <vector>

namespace vmr {

/// A Confinement, made ready by the parent so that its child only has to put it on.
class ReadyConfinement {
 public:
  /// Throws Error when the files cannot be looked at.
  explicit ReadyConfinement(const Confinement& confinement);

  /// Between fork and exec: puts it on the calling process, whose signals from a dying parent are
  /// to be asked for after this. Returns 0 or the errno.
  [[nodiscard]] int put_on() const;

  /// The very last before exec: refuses the system calls. Returns 0 or the errno.
  [[nodiscard]] int refuse_calls() const;

 private:
  Confinement confinement_;
  UniqueFd ruleset_;
  std::vector<sock_filter> call_filter_;
};

/// Keeps later programs from having other capabilities than `kept`. It needs SETPCAP in effect;
/// without it no_new_privs does the same.
void limit_capabilities(CapabilitySet kept);

/// Gives up every capability but `kept`, and puts those of `used` into effect. `ambient`: they also
/// outlive the exec of a user other than root. Returns 0 or the errno.
int keep_capabilities(CapabilitySet kept, CapabilitySet used, bool ambient);

}  // namespace vmr
