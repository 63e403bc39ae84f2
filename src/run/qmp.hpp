// SPDX-License-Identifier: MIT
#pragma once

#include "base/unique_fd.hpp"
#include "run/line_reader.hpp"

#include <boost/asio/any_io_executor.hpp>

#include <deque>
#include <functional>
#include <string>

namespace vmr {

/// What QEMU says on its monitor.
struct QmpHandlers {
  std::function<void()> ready;  ///< capabilities are negotiated: QEMU's main loop runs
  /// SHUTDOWN; `guest`: by the guest itself; `reason` as in QMP ("guest-shutdown", …).
  std::function<void(bool guest, const std::string& reason)> shutdown;
  std::function<void(const std::string& status)> stopped;  ///< the run state after a STOP event
};

/// A QMP session on a connected socket.
class Qmp {
 public:
  Qmp(boost::asio::any_io_executor executor, UniqueFd socket, QmpHandlers handlers);

  /// Sends a command without arguments; its failure is logged.
  void execute(const std::string& command);

 private:
  void on_line(const std::string& line);

  QmpHandlers handlers_;
  std::deque<std::string> sent_;  ///< commands whose answers are still to come, in order
  LineReader reader_;
};

}  // namespace vmr
