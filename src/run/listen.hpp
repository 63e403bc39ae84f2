// SPDX-License-Identifier: MIT
#pragma once

#include <string>
#include <utility>
#include <vector>

namespace vmr {

/// Becomes `command` (searched in PATH) with, for each {number, path} of `sockets`, a UNIX socket
/// that listens at `path` as descriptor `number`, and for each of `connections` one that is
/// connected to what listens there. Throws Error when it cannot, and then leaves no socket behind.
[[noreturn]] void become_with_sockets(const std::vector<std::pair<int, std::string>>& sockets,
                                      const std::vector<std::pair<int, std::string>>& connections,
                                      const std::vector<std::string>& command);

}  // namespace vmr
