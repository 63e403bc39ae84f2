// SPDX-License-Identifier: MIT
#include "base/log.hpp"

#include "base/error.hpp"

#include <array>
#include <atomic>
#include <unistd.h>

namespace vmr {
namespace {

std::atomic<LogLevel> lowest = LogLevel::info;
constexpr std::array<std::string_view, 4> names = {"DEBUG", "INFO", "WARN", "ERROR"};

}  // namespace

void set_log_level(LogLevel level) {
  lowest = level;
}

void log(LogLevel level, std::string_view text) {
  if (level < lowest) return;
  const auto line =
      fmt::format("[{}] {}\n", names.at(static_cast<std::size_t>(level)), on_one_line(text));
  // One write, so that lines of several processes on one terminal do not mix; a closed
  // standard error must not end the program.
  [[maybe_unused]] const auto written = ::write(STDERR_FILENO, line.data(), line.size());
}

}  // namespace vmr
