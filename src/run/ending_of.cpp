// SPDX-License-Identifier: MIT
#include "run/ending_of.hpp"

#include "host/oom_kills.hpp"

#include <csignal>

namespace vmr {

Ending ending_of(const ChildExit& exit, std::optional<std::uint64_t> oom_kills) {
  const int signal = exit.signaled ? exit.code : 0;
  // No other way tells a kill by the kernel from one by a person.
  const auto now = signal == SIGKILL ? count_oom_kills() : std::nullopt;
  return {exit.signaled || exit.code != 0, signal, describe(exit), exit.last_lines,
          now && oom_kills && *now > *oom_kills};
}

}  // namespace vmr
