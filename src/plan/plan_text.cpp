// SPDX-License-Identifier: MIT
#include "plan/plan_text.hpp"

#include "base/printable.hpp"

#include <fmt/format.h>

namespace vmr {

std::string as_lines(const std::vector<Part>& parts, const std::vector<Explanation>& explanations,
                     const std::string& qemu) {
  std::string helpers;
  std::string of_qemu;
  if (!qemu.empty()) of_qemu = fmt::format("# qemu\n{}\n", on_one_line(qemu));
  for (std::size_t i = 0; i < parts.size(); ++i) {
    auto& text = parts[i].is_helper ? helpers : of_qemu;
    if (!explanations.empty()) {
      text += as_comments(explanations[i]);
    } else if (parts[i].is_helper) {
      text += fmt::format("# {}\n", parts[i].name);
    }
    for (const auto& argument : parts[i].arguments) text += on_one_line(argument) + "\n";
  }
  return helpers + of_qemu;
}

}  // namespace vmr
