// SPDX-License-Identifier: MIT
#pragma once

#include "base/unique_fd.hpp"

#include <csignal>
#include <utility>
#include <vector>

namespace vmr {

/// For as long as it exists, SIGTERM, SIGINT, SIGHUP and SIGQUIT do not end the process but make a
/// descriptor readable, and a call that blocks fail with EINTR. One that is ignored stays so. There
/// is one of this at a time.
class StopSignals {
 public:
  StopSignals();
  ~StopSignals();
  StopSignals(const StopSignals&) = delete;
  StopSignals& operator=(const StopSignals&) = delete;

  [[nodiscard]] int fd() const { return reading_.get(); }

  /// The one that came first; 0 when none did.
  [[nodiscard]] int first() const;

 private:
  UniqueFd reading_;
  UniqueFd writing_;
  std::vector<std::pair<int, struct sigaction>> before_;
};

}  // namespace vmr
