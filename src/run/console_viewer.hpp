// SPDX-License-Identifier: MIT
#pragma once

#include "base/unique_fd.hpp"
#include "run/console_log.hpp"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>

#include <functional>
#include <memory>
#include <string_view>

namespace vmr {

/// What a viewer of the console does. Each may close the viewer.
struct ViewerHandlers {
  /// It typed; false: no more of it now, `take_keys` says when.
  std::function<bool(std::string_view keys)> typed;
  std::function<void()> caught_up;  ///< it was behind and has been sent all that there is
  std::function<void()> gone;       ///< it closed its connection
};

/// One who is attached to the console by a connected socket: is sent what the log keeps and what is
/// added, at its own pace, and types. Nobody waits for it.
class ConsoleViewer : public std::enable_shared_from_this<ConsoleViewer> {
 public:
  /// `log` outlives it.
  ConsoleViewer(const boost::asio::any_io_executor& executor, UniqueFd socket,
                const ConsoleLog& log, ViewerHandlers handlers);

  /// Sends what it has not been sent yet, as far as it takes it; the rest when it takes more.
  void show();

  /// Whether there is something that it has not been sent yet.
  [[nodiscard]] bool is_behind() const { return behind_; }

  /// Reads what it types, until `typed` refuses more.
  void take_keys();

  /// Closes the connection; no handler is called any more.
  void close();

 private:
  using Wait = boost::asio::posix::stream_descriptor::wait_type;

  /// Calls `then` once, unless it is closed first.
  void wait_for(Wait what, void (ConsoleViewer::*then)());
  void go_on_showing();
  void read_keys();
  void end_if_not_reading();
  void end();

  boost::asio::posix::stream_descriptor socket_;
  ConsoleReader reader_;
  ViewerHandlers handlers_;
  bool closed_ = false;
  bool behind_ = false;
  bool reading_ = false;
  bool watching_ = false;  ///< whether it closes its side, while nothing is read from it
};

}  // namespace vmr
