// SPDX-License-Identifier: MIT
#pragma once

#include "base/unique_fd.hpp"

#include <cstddef>

namespace vmr {

/// How a visit to the console ended.
struct VisitEnd {
  enum class Reason {
    left,           ///< the user typed the way out
    vm_ended,       ///< the launcher closed the connection
    output_closed,  ///< nobody reads standard output any more, or the terminal is gone
    signal,
  };

  Reason reason = Reason::left;
  int signal = 0;  ///< that asked to stop

  bool operator==(const VisitEnd&) const = default;
};

/// Copies between the console at `connection`, which begins with `kept` bytes of its past, and the
/// standard streams until one side ends; the end of standard input is no end. From a terminal in
/// the foreground every key goes to the guest until Ctrl-] was typed three times, and keys that it
/// does not take are lost; it is as before when this returns. Throws Error when a stream fails.
VisitEnd visit_console(UniqueFd connection, std::size_t kept);

}  // namespace vmr
