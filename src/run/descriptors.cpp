// SPDX-License-Identifier: MIT
#include "run/descriptors.hpp"

#include <algorithm>
#include <cerrno>
#include <fcntl.h>
#include <unistd.h>

namespace vmr {

int place_descriptors(std::vector<std::pair<int, int>>& moves) {
  int highest = STDERR_FILENO;
  for (const auto& [from, to] : moves) highest = std::max(highest, to);

  // Above every target first: one move's target may be another's source, as in {7→3, 3→4}.
  for (auto& [from, to] : moves) {
    from = ::fcntl(from, F_DUPFD_CLOEXEC, highest + 1);
    if (from < 0) return errno;
  }
  for (const auto& [from, to] : moves) {
    if (::dup2(from, to) < 0) return errno;
  }
  return 0;
}

}  // namespace vmr
