// SPDX-License-Identifier: MIT
// The log: one event a line on standard error, "[INFO] …".
#pragma once

#include <fmt/format.h>

#include <string_view>

namespace vmr {

enum class LogLevel { debug, info, warn, error };

/// Events below `level` are dropped from now on; the default is `info`.
void set_log_level(LogLevel level);

/// Writes one event; control characters in `text` are escaped, so an event is always one line.
void log(LogLevel level, std::string_view text);

template <typename... Args>
void log_debug(fmt::format_string<Args...> text, Args&&... args) {
  log(LogLevel::debug, fmt::format(text, std::forward<Args>(args)...));
}
template <typename... Args>
void log_info(fmt::format_string<Args...> text, Args&&... args) {
  log(LogLevel::info, fmt::format(text, std::forward<Args>(args)...));
}
template <typename... Args>
void log_warn(fmt::format_string<Args...> text, Args&&... args) {
  log(LogLevel::warn, fmt::format(text, std::forward<Args>(args)...));
}
template <typename... Args>
void log_error(fmt::format_string<Args...> text, Args&&... args) {
  log(LogLevel::error, fmt::format(text, std::forward<Args>(args)...));
}

}  // namespace vmr
