// SPDX-License-Identifier: MIT
// What `args` prints as JSON.
#pragma once

#include "plan/explain.hpp"
#include "plan/launch_plan.hpp"
#include "plan/plan_diff.hpp"

#include <string>
#include <vector>

namespace vmr {

/// {"qemu": [...], "helpers": [{"name", "argv"}], "shares": [...]} of `parts`, QEMU's words behind
/// `qemu` unless it is empty. With explanations, one for each part, also "parts": [{"name",
/// "share", "arguments", "title", "notes", "settings"}].
std::string as_json(const LaunchPlan& plan, const std::vector<Part>& parts,
                    const std::vector<Explanation>& explanations, const std::string& qemu);

/// {"parts": [{"name", "share", "settings", "removed", "added"}], "elsewhere": [{"variable",
/// "before", "after"}], "seed": [...]}; an option and its value are one list of words.
std::string as_json(const PlanDiff& diff);

}  // namespace vmr
