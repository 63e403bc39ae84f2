// SPDX-License-Identifier: MIT
// The keys that a process shares with the shell it was started by.
#pragma once

#include <linux/keyctl.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace vmr {

/// Joins a new session keyring, which nobody else has, instead of that shell's. Where the kernel
/// has no keys, or a container refuses the call, there is nothing to be taken away. May be called
/// between fork and exec.
inline void leave_session_keyring() {
  ::syscall(SYS_keyctl, KEYCTL_JOIN_SESSION_KEYRING, nullptr);
}

}  // namespace vmr
