// SPDX-License-Identifier: MIT
// What a change of settings changes, argument by argument.
#pragma once

#include "config/raw_settings.hpp"
#include "plan/explain.hpp"
#include "plan/launch_plan.hpp"

#include <string>
#include <vector>

namespace vmr {

/// A launch and the settings that it was made of.
struct ExplainedPlan {
  const GivenTexts& given;
  const LaunchPlan& plan;
  const QemuPlan& qemu;
};

/// An option with its value, as it is in one launch and not in the other.
struct ArgumentChange {
  bool added = false;  ///< else removed
  std::vector<std::string> words;

  bool operator==(const ArgumentChange&) const = default;
};

struct SettingChange {
  std::string variable;
  std::string before;  ///< as state_of tells it
  std::string after;

  bool operator==(const SettingChange&) const = default;
};

/// What changes in one part, and the settings that made it so.
struct PartChange {
  std::string name;  ///< as Part::name
  int share = 0;
  std::vector<SettingChange> settings;
  std::vector<ArgumentChange> arguments;

  bool operator==(const PartChange&) const = default;
};

struct PlanDiff {
  std::vector<PartChange> parts;
  std::vector<SettingChange> elsewhere;  ///< settings without an argument that changes
  std::vector<std::string> seed_files;   ///< of the seed, those with other contents

  bool operator==(const PlanDiff&) const = default;
};

/// What is other in `after` than in `before`.
PlanDiff diff(const ExplainedPlan& before, const ExplainedPlan& after);

/// `diff` for people: a paragraph a part, "-" and "+" before the arguments.
std::string as_text(const PlanDiff& diff);

}  // namespace vmr
