// SPDX-License-Identifier: MIT
#pragma once

#include "base/unique_fd.hpp"
#include "run/console_viewers.hpp"

#include <boost/asio/any_io_executor.hpp>

#include <functional>
#include <memory>
#include <string>

namespace vmr {

/// How the guest's serial console meets the launcher's own standard streams.
struct ConsoleMode {
  bool show = true;          ///< write what the guest says to standard output
  bool interactive = true;   ///< send what is typed; standard input is a terminal
  std::string login_note{};  ///< logged when the guest asks somebody to log in; empty: nothing
};

/// The guest's serial console on a connected socket, for as long as it exists: what the guest says
/// goes to `viewers` and to standard output, what is typed there and by viewers goes to the guest.
/// A slow reader of standard output slows the guest's console down; nothing is lost there and
/// nothing piles up.
class Console {
 public:
  /// `viewers` outlives it. `on_leave` is called when the user typed the way out; the terminal is
  /// then as it was before. `on_end` is called when the guest's side is closed and all of its
  /// output is written and sent to the viewers, for which a slow one may take any time.
  Console(const boost::asio::any_io_executor& executor, UniqueFd socket, ConsoleMode mode,
          ConsoleViewers& viewers, std::function<void()> on_leave, std::function<void()> on_end);
  ~Console();
  Console(const Console&) = delete;
  Console& operator=(const Console&) = delete;

 private:
  struct State;
  std::shared_ptr<State> state_;
};

}  // namespace vmr
