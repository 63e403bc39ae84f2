// SPDX-License-Identifier: MIT
// What systemd hears of a VM that it started (Type=notify). Written by hand: the protocol is a few
// words in a datagram, which sd_notify(3) promises to keep for others to implement, and every start
// of the program would load libsystemd.
#pragma once

#include "base/unique_fd.hpp"

#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <sys/socket.h>
#include <sys/un.h>

namespace vmr {

/// Tells the service manager how the VM is. Never waits and never fails: what its queue does not
/// take goes with the next message, and the debug log says so. Each text is one line; of a longer
/// one the first 1000 bytes are sent.
class Notifier {
 public:
  /// Reads NOTIFY_SOCKET, WATCHDOG_USEC and WATCHDOG_PID. Without a socket every call does nothing.
  Notifier();

  /// The guest is up.
  void ready(std::string_view status);

  /// What `systemctl status` shows from now on.
  void status(std::string_view text);

  /// The end has begun.
  void stopping(std::string_view status);

  /// We are alive.
  void watchdog();

  /// How often `watchdog` has to be called: half the time after which we would be killed. None when
  /// nobody watches us.
  [[nodiscard]] std::optional<std::chrono::milliseconds> watchdog_interval() const {
    return watchdog_interval_;
  }

 private:
  void open(const std::string& name);
  void tell(std::string_view state, std::string_view text);
  void send(std::string_view last_line);

  UniqueFd socket_;
  sockaddr_un address_{};
  socklen_t address_size_ = 0;
  std::optional<std::chrono::milliseconds> watchdog_interval_;
  std::string owed_states_;  ///< lines that are not delivered yet
  std::string owed_status_;
};

}  // namespace vmr
