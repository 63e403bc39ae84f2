// SPDX-License-Identifier: MIT
#include "base/printable.hpp"
#include "commands/doctor_report.hpp"
#include "run/json_text.hpp"

#include <boost/json.hpp>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

namespace vmr {
namespace {

namespace json = boost::json;

constexpr std::size_t name_width = 16;
constexpr std::size_t text_column = 2 + 4 + 2 + name_width + 1;
constexpr std::size_t last_column = 100;

std::string_view mark_of(CheckResult result) {
  switch (result) {
    case CheckResult::ok:
      return "ok";
    case CheckResult::note:
      return "note";
    case CheckResult::warn:
      return "warn";
    case CheckResult::fail:
      return "FAIL";
  }
  return {};
}

std::string_view colour_of(CheckResult result) {
  switch (result) {
    case CheckResult::ok:
      return "\x1b[32m";
    case CheckResult::note:
      return "\x1b[36m";
    case CheckResult::warn:
      return "\x1b[33m";
    case CheckResult::fail:
      return "\x1b[1;31m";
  }
  return {};
}

constexpr std::string_view bold = "\x1b[1m";
constexpr std::string_view plain = "\x1b[0m";

/// How many columns `text` takes, if no character is wide.
std::size_t width_of(std::string_view text) {
  return static_cast<std::size_t>(std::count_if(text.begin(), text.end(), [](char c) {
    return (static_cast<unsigned char>(c) & 0xc0) != 0x80;
  }));
}

/// `text` in lines that end before the last column where its words allow; all but the first are
/// indented by `indent`.
std::string wrap(std::string_view text, std::size_t indent) {
  std::string lines;
  std::size_t column = indent;
  while (!text.empty()) {
    const auto word = text.substr(0, text.find(' '));
    text.remove_prefix(std::min(text.size(), word.size() + 1));
    if (column > indent && column + 1 + width_of(word) > last_column) {
      lines += "\n" + std::string(indent, ' ');
      column = indent;
    } else if (column > indent) {
      lines += ' ';
      ++column;
    }
    lines += word;
    column += width_of(word);
  }
  return lines;
}

std::string rows_of(const Check& check, bool in_colour) {
  const auto mark = mark_of(check.result);
  const auto name = on_one_line(check.name);
  const std::size_t padding = width_of(name) < name_width ? name_width - width_of(name) : 0;
  auto text =
      fmt::format("  {}{}{}{}  {}{} {}\n", in_colour ? colour_of(check.result) : "", mark,
                  in_colour ? plain : "", std::string(4 - mark.size(), ' '), name,
                  std::string(padding, ' '), wrap(on_one_line(check.evidence), text_column));
  if (!check.fix.empty()) {
    text += std::string(text_column, ' ') + "-> " + wrap(on_one_line(check.fix), text_column + 3) +
            "\n";
  }
  return text;
}

/// "run would work", or not, and why not.
std::string verdict(const Report& report) {
  const auto count =
      std::count_if(report.checks.begin(), report.checks.end(),
                    [](const Check& check) { return check.result == CheckResult::fail; });
  if (count == 0 && report.untried.empty()) return "vm-runner run would work.";
  const bool is_one = report.untried.size() == 1;
  const auto untried = on_one_line(fmt::format("{}", fmt::join(report.untried, ", ")));
  if (count == 0 && report.takes_untried) {
    return fmt::format("vm-runner run would work, if QEMU can open what {} {}.", untried,
                       is_one ? "names" : "name");
  }
  if (count == 0) {
    return fmt::format("vm-runner run would work, if QEMU takes {}, which {} not tried.", untried,
                       is_one ? "was" : "were");
  }
  return fmt::format("vm-runner run would not work: {} of the checks failed (exit status {}).",
                     count, static_cast<int>(report.status));
}

/// The checks that failed, or all others, below the names of their areas.
std::string rows_where(const Report& report, bool failed, bool in_colour) {
  std::string text;
  std::string area;
  for (const auto& check : report.checks) {
    if ((check.result == CheckResult::fail) != failed) continue;
    if (check.area != area) {
      area = check.area;
      text += in_colour ? fmt::format("{}{}{}\n", bold, area, plain) : area + "\n";
    }
    text += rows_of(check, in_colour);
  }
  return text;
}

}  // namespace

std::string report_table(const Report& report, bool in_colour) {
  const auto result = report.status == ExitStatus::ok ? CheckResult::ok : CheckResult::fail;
  const auto first = wrap(verdict(report), 0);
  auto text = in_colour ? fmt::format("{}{}{}\n", colour_of(result), first, plain) : first + "\n";
  // Who is in trouble reads no further than what fails.
  for (const bool failed : {true, false}) {
    const auto rows = rows_where(report, failed, in_colour);
    if (!rows.empty()) text += "\n" + rows;
  }
  return text;
}

std::string report_json(const Report& report) {
  json::array checks;
  for (const auto& check : report.checks) {
    const auto mark = check.result == CheckResult::fail ? "fail" : mark_of(check.result);
    checks.push_back(json::object{{"area", to_utf8(check.area)},
                                  {"name", to_utf8(check.name)},
                                  {"result", json::string_view(mark.data(), mark.size())},
                                  {"evidence", to_utf8(check.evidence)},
                                  {"fix", to_utf8(check.fix)}});
  }
  json::array untried;
  for (const auto& words : report.untried) untried.push_back(json::string(to_utf8(words)));
  return json_line(json::object{{"ok", report.status == ExitStatus::ok},
                                {"exit_status", static_cast<int>(report.status)},
                                {"checks", std::move(checks)},
                                {"untried", std::move(untried)}});
}

}  // namespace vmr
