// SPDX-License-Identifier: MIT
#pragma once

#include "plan/launch_plan.hpp"

#include <string>

namespace vmr {

/// One argument a line, each process under its name, helpers first; a newline in an argument is
/// shown as \n.
std::string as_lines(const LaunchPlan& plan, const QemuPlan& qemu);

}  // namespace vmr
