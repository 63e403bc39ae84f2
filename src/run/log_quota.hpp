// SPDX-License-Identifier: MIT
#pragma once

#include "base/log.hpp"

#include <fmt/format.h>

#include <chrono>
#include <cstddef>
#include <optional>
#include <string_view>

namespace vmr {

/// How many lines one child, or the guest at one of its ports, may put into the log: a burst of
/// some hundred, then a few a second.
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

/// Logs what `make_text` returns if `quota` admits it, after a line that counts those of `name`
/// that were left out.
template <typename MakeText>
void log_within(LogQuota& quota, LogLevel level, std::string_view name, MakeText make_text,
                const LogFields& fields = {}) {
  const auto left_out = quota.admit(std::chrono::steady_clock::now());
  if (!left_out || !is_logged(level)) return;
  if (*left_out > 0) log(level, fmt::format("{}: ({} lines left out)", name, *left_out), fields);
  log(level, make_text(), fields);
}

}  // namespace vmr
