// SPDX-License-Identifier: MIT
// The log: one event a line on standard error, "[INFO] …" or an object of JSON.
#pragma once

#include "base/error.hpp"

#include <fmt/format.h>

#include <chrono>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace vmr {

enum class LogLevel { debug, info, warn, error };
enum class LogFormat { text, json };

/// What the JSON of an event has besides its message, by name: for programs that read the log.
using LogFields = std::vector<std::pair<std::string_view, std::string>>;

/// Events below `level` are dropped from now on; the default is `info`.
void set_log_level(LogLevel level);

/// How events are written from now on; the default is text.
void set_log_format(LogFormat format);

/// Whether lines of text are coloured from now on, so that on a terminal they are told from a
/// guest's; the default is no.
void set_log_colour(bool coloured);

/// `lines`, which end with a newline, in the colour of `level`.
std::string in_colour_of(LogLevel level, std::string_view lines);

/// Whether events of this level are written.
bool is_logged(LogLevel level);

/// The line, with its newline, of an event at `time`: "[INFO] text", or {"time": …, "level":
/// "info", "message": text, …} in UTF-8 with those `fields` that are not empty. Control characters
/// in `text` are escaped alike in both.
std::string log_line(LogFormat format, LogLevel level, std::string_view text,
                     const LogFields& fields, std::chrono::system_clock::time_point time);

/// Writes one event.
void log(LogLevel level, std::string_view text, const LogFields& fields = {});

/// Tells of a problem or failure as the user is to see it: format() of it, or in JSON one event
/// whose fields are "from" or "cause", and "hint".
void report(const Problem& problem);
void report(const Error& error);

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
