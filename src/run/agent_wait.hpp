// SPDX-License-Identifier: MIT
#pragma once

#include "run/control.hpp"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/steady_timer.hpp>

#include <chrono>
#include <functional>
#include <list>
#include <memory>

namespace vmr {

/// Holds requests that need the guest agent until there is one. A guest that is up without an agent
/// for a while has none.
class AgentWait {
 public:
  explicit AgentWait(boost::asio::any_io_executor executor);

  // What is known of the guest.
  void set_present(bool present);
  void guest_is_up();
  void guest_restarts();

  /// Calls `act` once there is an agent, or none is to be expected any more: now, perhaps. What it
  /// throws is the answer to `request`. Not when the other side has gone meanwhile.
  void then(const std::shared_ptr<ControlRequest>& request, std::function<void()> act);

 private:
  struct Waiting {
    std::shared_ptr<ControlRequest> request;
    std::function<void()> act;
    boost::asio::steady_timer deadline;
  };

  void finish(std::list<Waiting>::iterator waiting);

  boost::asio::any_io_executor executor_;
  std::list<Waiting> waiting_;
  bool present_ = false;
  std::chrono::steady_clock::time_point expected_until_ =
      std::chrono::steady_clock::time_point::max();
};

}  // namespace vmr
