// SPDX-License-Identifier: MIT
#include "base/log.hpp"

#include "base/ascii.hpp"
#include "base/printable.hpp"
#include "base/utf8.hpp"

#include <boost/json.hpp>
#include <fmt/chrono.h>

#include <array>
#include <atomic>
#include <unistd.h>

namespace vmr {
namespace {

std::atomic<LogLevel> lowest = LogLevel::info;
std::atomic<LogFormat> chosen_format = LogFormat::text;
std::atomic<bool> is_coloured = false;
constexpr std::array<std::string_view, 4> names = {"DEBUG", "INFO", "WARN", "ERROR"};

// One write, so that lines of several processes on one terminal do not mix; a closed standard error
// must not end the program.
void write_error(const std::string& text) {
  [[maybe_unused]] const auto written = ::write(STDERR_FILENO, text.data(), text.size());
}

/// "2026-11-24T11:22:33.123Z".
std::string timestamp(std::chrono::system_clock::time_point time) {
  const auto seconds = std::chrono::floor<std::chrono::seconds>(time);
  const auto rest = std::chrono::floor<std::chrono::milliseconds>(time - seconds);
  const auto date = fmt::gmtime(std::chrono::system_clock::to_time_t(seconds));
  return fmt::format("{:%Y-%m-%dT%H:%M:%S}.{:03}Z", date, rest.count());
}

void write_text(LogLevel level, const std::string& lines) {
  write_error(is_coloured ? in_colour_of(level, lines) : lines);
}

}  // namespace

void set_log_level(LogLevel level) {
  lowest = level;
}

void set_log_format(LogFormat format) {
  chosen_format = format;
}

void set_log_colour(bool coloured) {
  is_coloured = coloured;
}

std::string in_colour_of(LogLevel level, std::string_view lines) {
  // Dim, cyan, yellow, red. Whatever the guest has switched on is off before and after.
  constexpr std::array<int, 4> codes = {2, 36, 33, 31};
  return fmt::format("\x1b[0;{}m{}\x1b[0m\n", codes.at(static_cast<std::size_t>(level)),
                     lines.substr(0, lines.size() - 1));
}

bool is_logged(LogLevel level) {
  return level >= lowest;
}

std::string log_line(LogFormat format, LogLevel level, std::string_view text,
                     const LogFields& fields, std::chrono::system_clock::time_point time) {
  const auto name = names.at(static_cast<std::size_t>(level));
  if (format == LogFormat::text) return fmt::format("[{}] {}\n", name, on_one_line(text));
  boost::json::object object = {{"time", timestamp(time)},
                                {"level", ascii_lower(name)},
                                {"message", on_one_line(to_utf8(std::string(text)))}};
  for (const auto& [key, value] : fields) {
    if (!value.empty()) object[{key.data(), key.size()}] = on_one_line(to_utf8(value));
  }
  return json_line(object);
}

void log(LogLevel level, std::string_view text, const LogFields& fields) {
  if (!is_logged(level)) return;
  const auto line = log_line(chosen_format, level, text, fields, std::chrono::system_clock::now());
  if (chosen_format == LogFormat::text) return write_text(level, line);
  write_error(line);
}

void report(const Problem& problem) {
  if (chosen_format == LogFormat::text) return write_text(LogLevel::error, format(problem));
  log(LogLevel::error, problem.message, {{"from", problem.origin}, {"hint", problem.hint}});
}

void report(const Error& error) {
  if (chosen_format == LogFormat::text) return write_text(LogLevel::error, format(error));
  log(LogLevel::error, error.what(), {{"cause", error.cause}, {"hint", error.hint}});
}

}  // namespace vmr
