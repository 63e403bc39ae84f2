// SPDX-License-Identifier: MIT
#pragma once

#include "run/json_session.hpp"

#include <boost/json/object.hpp>

#include <string>

namespace vmr {

/// The guest agent (qemu-guest-agent) at its virtio-serial port. The port is always there; whether
/// an agent listens is what QEMU says of the port, and what is sent while none does would wait for
/// one that starts much later. The guest is not trusted.
class GuestAgent {
 public:
  /// `socket`: connected to QEMU's end of the port.
  GuestAgent(boost::asio::any_io_executor executor, UniqueFd socket);

  /// The guest opened or closed the port.
  void set_present(bool present);
  [[nodiscard]] bool is_present() const { return present_; }

  /// Sends a command; `done` gets its answer, or an error once the agent is gone. It may never be
  /// called as long as the agent hangs.
  void execute(const std::string& command, const boost::json::object& arguments,
               JsonSession::OnAnswer done);

  /// Shuts the guest down. An agent that does answers with nothing.
  void shut_down();

 private:
  JsonSession session_;
  bool present_ = false;
};

}  // namespace vmr
