// SPDX-License-Identifier: MIT
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <termios.h>

namespace vmr {

/// Whether standard input is a terminal and what is typed there is meant for us: not in a
/// background job.
bool has_keyboard();

/// Puts the terminal on `fd` into raw mode for as long as it exists: every key goes to the reader,
/// Ctrl-C included. Output keeps its line ends, so that log lines stay readable.
class RawTerminal {
 public:
  explicit RawTerminal(int fd);
  ~RawTerminal();
  RawTerminal(const RawTerminal&) = delete;
  RawTerminal& operator=(const RawTerminal&) = delete;

 private:
  int fd_;
  std::optional<termios> before_;
};

/// Finds the way out of the console, Ctrl-] three times in a row, in what is typed.
class EscapeKeys {
 public:
  struct Typed {
    std::string for_guest;
    bool leave = false;

    bool operator==(const Typed&) const = default;
  };

  /// What of `keys` goes to the guest, at once; what follows the third Ctrl-] is dropped.
  Typed take(std::string_view keys);

  /// What a further Ctrl-] does, where the last keys were one or two: "Ctrl-] once more " and
  /// `outcome`; otherwise empty.
  [[nodiscard]] std::string hint(std::string_view outcome) const;

 private:
  int count_ = 0;
};

}  // namespace vmr
