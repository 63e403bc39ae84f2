// SPDX-License-Identifier: MIT
#pragma once

#include <chrono>
#include <cstddef>
#include <optional>

namespace vmr {

/// How many lines one child may put into the log: a burst of some hundred, then a few a second.
/// What a guest can make its QEMU write is bounded so.
class LogQuota {
 public:
  using Time = std::chrono::steady_clock::time_point;

  static constexpr std::size_t burst = 200;
  static constexpr std::chrono::milliseconds interval{100};  ///< one more line each

  /// Whether a line that comes `now` may be logged; if so, how many before it were left out.
  std::optional<std::size_t> admit(Time now) {
    if (used_ > 0) {
      const auto refilled = static_cast<std::size_t>((now - last_) / interval);
      last_ += refilled * interval;
      used_ -= refilled < used_ ? refilled : used_;
    }
    if (used_ == 0) last_ = now;
    if (used_ == burst) {
      ++left_out_;
      return std::nullopt;
    }
    ++used_;
    const auto left_out = left_out_;
    left_out_ = 0;
    return left_out;
  }

  /// Those left out since a line was admitted last.
  [[nodiscard]] std::size_t left_out() const { return left_out_; }

 private:
  Time last_{};
  std::size_t used_ = 0;
  std::size_t left_out_ = 0;
};

}  // namespace vmr
