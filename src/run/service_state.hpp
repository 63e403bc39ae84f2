// SPDX-License-Identifier: MIT
#pragma once

#include "config/words.hpp"
#include "run/notify.hpp"
#include "run/supervisor.hpp"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/steady_timer.hpp>

#include <functional>
#include <memory>
#include <optional>

namespace vmr {

/// Keeps systemd informed of the VM's state.
class ServiceState {
 public:
  /// `is_well` calls its argument as soon as, and only if, all is well, and keeps it until it
  /// knows.
  ServiceState(const boost::asio::any_io_executor& executor,
               std::function<void(std::function<void()> then)> is_well);

  /// Tells the phase, if it is another one than before. `expects_report`: the guest will say when
  /// it is up.
  void update(Phase phase, Accelerator accelerator, bool expects_report);

  /// Asks whether all is well, again and again, where systemd wants to know, and tells it each time
  /// that it is.
  void watch();

 private:
  struct Question {};

  void ask();

  std::function<void(std::function<void()>)> is_well_;
  boost::asio::steady_timer timer_;
  Notifier notifier_;
  std::optional<Phase> told_;
  std::weak_ptr<Question> asked_;  ///< until it is answered
};

}  // namespace vmr
