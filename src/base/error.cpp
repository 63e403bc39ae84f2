// SPDX-License-Identifier: MIT
#include "base/error.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace vmr {
namespace {

std::string with_details(std::string_view message, std::string_view label, std::string_view detail,
                         std::string_view hint) {
  std::string text = fmt::format("error: {}\n", on_one_line(message));
  if (!detail.empty()) text += fmt::format("  {:<6} {}\n", label, on_one_line(detail));
  if (!hint.empty()) text += fmt::format("  hint:  {}\n", on_one_line(hint));
  return text;
}

}  // namespace

std::string format(const Problem& problem) {
  return with_details(problem.message, "from:", problem.origin, problem.hint);
}

std::string format(const Error& error) {
  return with_details(error.what(), "cause:", error.cause, error.hint);
}

ExitStatus exit_status_of(const std::vector<Problem>& problems) {
  const bool any_usage = std::any_of(problems.begin(), problems.end(), [](const Problem& problem) {
    return problem.status == ExitStatus::usage;
  });
  return any_usage || problems.empty() ? ExitStatus::usage : problems.front().status;
}

std::string on_one_line(std::string_view text) {
  std::string line;
  unsigned char before = 0;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    // U+0080 to U+009F: a terminal takes U+009B for the beginning of a command.
    const bool is_c1 = before == 0xc2 && byte >= 0x80 && byte < 0xa0;
    before = byte;
    if (is_c1) {
      line.replace(line.size() - 1, 1, fmt::format("\\u{:04x}", byte));
    } else if (c == '\n') {
      line += "\\n";
    } else if (c == '\t') {
      line += "\\t";
    } else if (byte < 0x20 || byte == 0x7f) {
      line += fmt::format("\\x{:02x}", byte);
    } else {
      line += c;
    }
  }
  return line;
}

}  // namespace vmr
