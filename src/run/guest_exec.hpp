// SPDX-License-Identifier: MIT
#pragma once

#include "base/error.hpp"
#include "base/units.hpp"
#include "run/control.hpp"
#include "run/guest_agent.hpp"
#include "run/qmp.hpp"

#include <boost/asio/any_io_executor.hpp>
#include <boost/json/object.hpp>

#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <string>

namespace vmr {

/// How much of it there may be, and for how long.
struct ExecLimits {
  std::size_t commands = 4;  ///< at once; each takes three of the 31 ports that QEMU has
  std::chrono::milliseconds patience{10'000};  ///< with QEMU, the agent, and the guest's shell
};

/// Runs commands in the guest. Its agent starts them; their streams are virtio-serial ports that
/// are added for each and removed when it is over. The client has their other ends: nothing that a
/// command reads or writes comes through here.
class GuestExec {
 public:
  /// Says why a script was not started, if it was not.
  using OnStarted = std::function<void(const std::optional<Error>& failure)>;

  GuestExec(boost::asio::any_io_executor executor, Qmp& qmp, GuestAgent& agent,
            ExecLimits limits = {});

  /// Starts what the request's "command" says, shell words in ASCII. Once it runs the answer is
  /// {"token": …} with three sockets, its streams as plan/exec_script.hpp has them; {"closed":
  /// true} may follow: the guest has let go of them. It is over when the other side has gone.
  /// Throws Error, or answers with one later.
  void start(const std::shared_ptr<ControlRequest>& request);

  /// Starts the shell script `script` without any streams; `done` is called once, later or at once.
  void run_script(const std::string& script, OnStarted done);

  /// To be called with each event of QEMU.
  void take_event(const std::string& name, const boost::json::object& data);

 private:
  struct State;
  std::shared_ptr<State> state_;
};

}  // namespace vmr
