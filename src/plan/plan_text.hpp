// SPDX-License-Identifier: MIT
#pragma once

#include "plan/explain.hpp"
#include "plan/launch_plan.hpp"

#include <string>
#include <vector>

namespace vmr {

/// One argument a line, each process under its name, helpers first; a newline in an argument is
/// shown as \n. Where there are explanations, one for each part, they stand above it. QEMU's own
/// lines begin with the program `qemu`; an empty one leaves it and its name out.
std::string as_lines(const std::vector<Part>& parts, const std::vector<Explanation>& explanations,
                     const std::string& qemu);

}  // namespace vmr
