// SPDX-License-Identifier: MIT
#include "base/error.hpp"

#include "base/printable.hpp"

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

}  // namespace vmr
