// SPDX-License-Identifier: MIT
#pragma once

#include "run/control.hpp"
#include "run/json_session.hpp"
#include "run/status.hpp"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/steady_timer.hpp>

#include <functional>
#include <memory>
#include <vector>

namespace vmr {

/// Answers `status` requests: at once, or, with {"wait": true}, as soon as the VM is settled.
class StatusRequests {
 public:
  struct Sources {
    std::function<VmState()> state;  ///< without its run state
    const LaunchPlan* plan = nullptr;
    const GuestReports* reports = nullptr;
    /// Asks QEMU for its run state; empty while there is no QEMU to ask.
    std::function<bool(JsonSession::OnAnswer done)> ask_qemu;
  };

  StatusRequests(boost::asio::any_io_executor executor, Sources sources);

  void take(const std::shared_ptr<ControlRequest>& request);

  /// Something of the state has changed: those who wait may have their answer.
  void look_again();

 private:
  struct Asked;

  void answer(const std::shared_ptr<ControlRequest>& request, const VmState& state);

  boost::asio::any_io_executor executor_;
  Sources sources_;
  std::vector<std::shared_ptr<ControlRequest>> waiting_;
};

}  // namespace vmr
