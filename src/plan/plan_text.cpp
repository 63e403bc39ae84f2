// SPDX-License-Identifier: MIT
#include "plan/plan_text.hpp"

#include "base/error.hpp"

#include <fmt/format.h>

namespace vmr {
namespace {

std::string as_lines(const ProcessPlan& process) {
  std::string text = fmt::format("# {}\n", process.name);
  for (const auto& argument : process.argv) text += on_one_line(argument) + "\n";
  return text;
}

}  // namespace

std::string as_lines(const LaunchPlan& plan, const QemuPlan& qemu) {
  std::string text;
  for (const auto& share : plan.shares) {
    if (share.helper) text += as_lines(*share.helper);
  }
  return text + as_lines(qemu.process);
}

}  // namespace vmr
