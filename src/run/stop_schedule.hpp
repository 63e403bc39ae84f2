// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <chrono>

namespace vmr {

/// How STOP_TIMEOUT is divided: each step at its time from the first, in milliseconds. The guest
/// has all but the last quarter (3 s at most), which is for QEMU itself.
class StopSchedule {
 public:
  using Time = std::chrono::milliseconds;

  explicit StopSchedule(Time all) : all_(all) {}

  [[nodiscard]] Time all() const { return all_; }
  [[nodiscard]] Time agent() const { return quit() / 3; }
  [[nodiscard]] Time quit() const { return all_ - reserve(); }
  [[nodiscard]] Time terminate() const { return quit() + reserve() / 3; }
  [[nodiscard]] Time kill() const { return quit() + reserve() * 2 / 3; }

 private:
  [[nodiscard]] Time reserve() const { return std::min<Time>(std::chrono::seconds(3), all_ / 4); }

  Time all_;
};

}  // namespace vmr
