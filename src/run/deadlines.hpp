// SPDX-License-Identifier: MIT
#pragma once

#include "run/supervisor.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>

#include <chrono>
#include <functional>
#include <map>

namespace vmr {

/// The supervisor's timers. One that is disarmed does not wake the process when it would have been.
class Deadlines {
 public:
  using OnReached = std::function<void(Timer timer)>;

  Deadlines(boost::asio::io_context& context, OnReached on_reached);

  /// Anew when it is armed already.
  void arm(Timer timer, std::chrono::milliseconds after);
  void disarm(Timer timer);

 private:
  boost::asio::io_context& context_;
  OnReached on_reached_;
  std::map<Timer, boost::asio::steady_timer> timers_;
  boost::asio::steady_timer at_once_{context_};
};

}  // namespace vmr
