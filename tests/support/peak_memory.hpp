// SPDX-License-Identifier: MIT
#pragma once

#include "build_paths.hpp"
#include "support/text_file.hpp"

#include <cstddef>
#include <string>
#include <sys/types.h>

namespace vmr::test {

/// The most memory that the process has had so far, in KiB.
inline std::size_t peak_memory(pid_t pid) {
  const auto status = read_text("/proc/" + std::to_string(pid) + "/status");
  const std::string name = "VmHWM:";
  return std::stoul(status.substr(status.find(name) + name.size()));
}

/// How much more a launcher may need for a hostile guest than for a quiet one, in KiB:
/// docs/security.md.
inline constexpr std::size_t most_memory_growth = 8 * 1024;

/// How long the log of a hostile guest of a few seconds may be, with all details.
inline constexpr std::size_t longest_hostile_log = 2 << 20;

/// Sanitizers keep memory that was given back.
inline constexpr bool measures_memory = !SANITIZED;

}  // namespace vmr::test
