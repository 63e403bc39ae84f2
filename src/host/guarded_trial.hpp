// SPDX-License-Identifier: MIT
// Tries what QEMU says to a command line, and lets it touch nothing meanwhile.
#pragma once

#include <string>
#include <vector>

namespace vmr {

/// What came of it.
struct GuardedTrial {
  enum class End {
    started,  ///< QEMU took all of it
    refused,  ///< QEMU refused it before it came to what it would touch
    unknown   ///< it came to what it may not do here, or ended without a word
  };
  End end = End::unknown;
  std::string words{};  ///< what QEMU wrote last when it refused

  bool operator==(const GuardedTrial&) const = default;
};

/// Starts the QEMU at the absolute path `qemu` with `arguments`, paused, and ends it. The kernel
/// ends it sooner when it would write a file, start a program or send something; sockets it binds,
/// and connects, only as it believes. Files it may read.
GuardedTrial try_guarded(const std::string& qemu, const std::vector<std::string>& arguments);

}  // namespace vmr
