// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>

namespace vmr {

/// How STOP_TIMEOUT is divided: each step at its time from the first, in milliseconds. The guest
/// has all but the last quarter (3 s at most), which is for QEMU itself. A QEMU that is ending has
/// the time besides that the kernel takes to have its memory back.
class StopSchedule {
 public:
  using Time = std::chrono::milliseconds;

  explicit StopSchedule(Time all, std::uint64_t memory_mib = 0)
      : all_(all), memory_(memory_mib * time_per_mib) {}

  [[nodiscard]] Time all() const { return all_; }
  [[nodiscard]] Time agent() const { return quit() / 3; }
  [[nodiscard]] Time quit() const { return all_ - reserve(); }
  [[nodiscard]] Time terminate() const { return quit() + reserve() / 3; }
  [[nodiscard]] Time kill() const { return quit() + reserve() * 2 / 3; }

  /// How much longer a process may take that gives the guest's memory back.
  [[nodiscard]] Time memory() const { return memory_; }

 private:
  /// Some five times what was seen: 2.3 GiB in 500 ms.
  static constexpr Time time_per_mib{1};

  [[nodiscard]] Time reserve() const { return std::min<Time>(std::chrono::seconds(3), all_ / 4); }

  Time all_;
  Time memory_;
};

}  // namespace vmr
