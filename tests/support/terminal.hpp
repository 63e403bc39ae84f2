// SPDX-License-Identifier: MIT
// A user at a keyboard, for tests.
#pragma once

#include "base/unique_fd.hpp"
#include "support/launcher.hpp"

#include <string>
#include <termios.h>

namespace vmr::test {

/// A pseudo-terminal. Our copy of the user's side keeps its attributes when the program is gone.
class Terminal {
 public:
  Terminal();

  /// Standard input, standard output and controlling terminal of the launcher.
  [[nodiscard]] StartDetails details() const;

  void type(const std::string& keys) const;

  /// Reads the screen up to and with `text`, for ten seconds at most; returns what was before it.
  std::string read_to(const std::string& text);

  [[nodiscard]] termios attributes() const;

  /// As when its window is closed.
  void hang_up();

 private:
  UniqueFd master_;
  UniqueFd slave_;
  std::string name_;
  std::string screen_;
};

bool are_equal(const termios& a, const termios& b);

/// Whether every key goes to the reader, while output keeps its line ends.
bool is_raw(const termios& attributes);

}  // namespace vmr::test
