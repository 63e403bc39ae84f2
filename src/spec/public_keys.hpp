// SPDX-License-Identifier: MIT
// Public keys as authorized_keys(5) has them: which lines are keys that OpenSSH takes.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace vmr {

/// Why a line is no key. Neither text repeats the line, which may be a secret pasted by mistake.
struct KeyFault {
  int line = 1;        ///< 0: it is about all of them
  std::string reason;  ///< goes on after "line 1 "; of all: after the setting's name
  std::string hint;

  bool operator==(const KeyFault&) const = default;
};

struct PublicKeys {
  std::vector<std::string> keys;  ///< whole lines with their options and comments
  std::vector<KeyFault> faults;

  bool operator==(const PublicKeys&) const = default;
};

/// Reads `text` line by line: blank lines, comments and carriage returns mean nothing. A text that
/// is not empty and has no key has a fault.
PublicKeys read_public_keys(std::string_view text);

}  // namespace vmr
