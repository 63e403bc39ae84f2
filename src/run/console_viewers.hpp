// SPDX-License-Identifier: MIT
#pragma once

#include "run/control.hpp"

#include <boost/asio/any_io_executor.hpp>

#include <cstddef>
#include <functional>
#include <memory>
#include <string_view>

namespace vmr {

inline constexpr std::size_t most_viewers = 8;

/// What the guest said last on its console, and those who are attached to see it and to type. Stays
/// when QEMU is started anew, with all of them. A slow one misses something, but delays nobody, and
/// memory is bounded.
class ConsoleViewers {
 public:
  explicit ConsoleViewers(boost::asio::any_io_executor executor);
  ~ConsoleViewers();  ///< closes their connections
  ConsoleViewers(const ConsoleViewers&) = delete;
  ConsoleViewers& operator=(const ConsoleViewers&) = delete;

  /// Answers {"kept": how many bytes of the past follow} and makes a viewer of who asked; refuses
  /// when there are `most_viewers`.
  void attach(ControlRequest& request);

  /// The guest said `bytes`.
  void show(std::string_view bytes);

  /// Whether the guest has said anything yet.
  [[nodiscard]] bool has_words() const;

  /// From now on what is typed goes to `typed`, one call a piece. When that returns false, it has
  /// all that it can take, until `take_keys` is called. An empty one drops what is typed.
  void set_typed(std::function<bool(std::string_view keys)> typed);
  void take_keys();

  /// `shown` is called once, perhaps at once, when all have been sent what there is.
  void when_shown(std::function<void()> shown);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace vmr
