// SPDX-License-Identifier: MIT
// What a test tells a fake program to do, by a signal, at any moment.
#pragma once

#include <csignal>

namespace fake {

enum class Fault {
  close_socket,    ///< virtiofsd: QEMU's connection; QEMU: its monitor. The program goes on.
  flood,           ///< 1 MB on standard error
  panic,           ///< the guest panics
  power_off,       ///< the guest powers itself off
  internal_error,  ///< the machine stops for good
  disk_full,       ///< the machine is paused for want of room
  restart,         ///< the guest restarts
  start_agent,     ///< a guest agent starts; it shuts down when it is told to
  flood_reports,   ///< the guest writes 1 MB to its report port
};
inline constexpr int faults = 9;

inline int signal_of(Fault fault) {
  return SIGRTMIN + 1 + static_cast<int>(fault);
}

}  // namespace fake
