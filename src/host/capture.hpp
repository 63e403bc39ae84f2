// SPDX-License-Identifier: MIT
#pragma once

#include <string>
#include <vector>

namespace vmr {

/// What a short-lived program wrote.
struct Captured {
  bool ran = false;    ///< false: could not be started
  bool ok = false;     ///< it ended with status 0
  std::string output;  ///< standard output
  std::string errors;  ///< standard error
};

/// Runs `argv` (argv[0]: absolute path) to its end with `input` on its standard input.
Captured capture(const std::vector<std::string>& argv, const std::string& input = {});

}  // namespace vmr
