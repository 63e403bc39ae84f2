// SPDX-License-Identifier: MIT
#pragma once

#include "run/json_session.hpp"

#include <boost/json/object.hpp>

#include <functional>
#include <string>

namespace vmr {

/// What QEMU says on its monitor.
struct QmpHandlers {
  std::function<void()> ready;  ///< capabilities are negotiated: QEMU's main loop runs
  std::function<void(const std::string& name, const boost::json::object& data)> event;
  std::function<void()> closed;  ///< QEMU closed it; its end, if that is why, is told elsewhere
};

/// A QMP session on a connected socket.
class Qmp {
 public:
  Qmp(boost::asio::any_io_executor executor, UniqueFd socket, QmpHandlers handlers);

  /// Sends a command; `done` gets its answer. Without a `done` a failure is logged.
  void execute(const std::string& command, const boost::json::object& arguments = {},
               JsonSession::OnAnswer done = {});

  /// Gives QEMU `socket` and then the client chardev `id` that is connected by it; `done` gets the
  /// answer of the one that fails, or of the second.
  void add_chardev(const std::string& id, UniqueFd socket, const JsonSession::OnAnswer& done);

 private:
  void on_message(const boost::json::object& message);

  QmpHandlers handlers_;
  JsonSession session_;
};

}  // namespace vmr
