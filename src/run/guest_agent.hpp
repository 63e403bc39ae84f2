// SPDX-License-Identifier: MIT
#pragma once

#include "run/json_session.hpp"
#include "run/log_quota.hpp"

#include <boost/json/object.hpp>

#include <chrono>
#include <deque>
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

  /// Sends a command as soon as those before it are answered; `done` gets its answer, or an error
  /// once the agent is gone. It may never be called as long as the agent hangs.
  void execute(const std::string& command, const boost::json::object& arguments,
               JsonSession::OnAnswer done);

  /// Shuts the guest down, at once. An agent that does answers with nothing.
  void shut_down();

 private:
  struct Command {
    std::string name;
    boost::json::object arguments;
    JsonSession::OnAnswer done;
  };

  void send_next();
  [[nodiscard]] bool is_waiting() const;

  JsonSession session_;
  std::deque<Command> commands_;  ///< still to be sent; bounded
  int sent_ = 0;                  ///< how many have been
  int open_ = 0;                  ///< which of them is not answered yet; 0: none
  std::chrono::steady_clock::time_point sent_at_;
  bool present_ = false;
  LogQuota quota_;  ///< a guest may open and close its port for ever
};

}  // namespace vmr
