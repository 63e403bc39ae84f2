// SPDX-License-Identifier: MIT
#pragma once

#include <chrono>
#include <string>
#include <vector>

namespace vmr {

/// What a short-lived program wrote.
struct Captured {
  bool ran = false;        ///< false: could not be started
  bool ok = false;         ///< it ended with status 0
  bool timed_out = false;  ///< it took too long, or wrote over 16 MiB, and was killed
  std::string output;      ///< standard output
  std::string errors;      ///< standard error
};

inline constexpr auto no_limit = std::chrono::milliseconds::max();

/// How long a program may take that only tells something about itself or a file.
inline constexpr std::chrono::seconds time_to_tell{10};

/// Runs `argv` (argv[0] and all that it names: absolute paths, or paths from the open `folder`) in
/// `folder`, or without it in /, to its end with `input` on its standard input; kills it when that
/// takes longer than `limit`, and then also when it writes too much.
Captured capture(const std::vector<std::string>& argv, const std::string& input = {},
                 std::chrono::milliseconds limit = no_limit, int folder = -1);

}  // namespace vmr
