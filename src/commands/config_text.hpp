// SPDX-License-Identifier: MIT
// A configuration as `config` prints it.
#pragma once

#include "config/raw_settings.hpp"
#include "config/variables.hpp"
#include "plan/launch_plan.hpp"
#include "spec/vm_spec.hpp"

#include <map>
#include <string>
#include <vector>

namespace vmr {

/// What became of the settings on this host; nothing on one where they cannot run.
struct ConfigOutcome {
  std::map<SettingKey, std::string> chosen{};  ///< what a setting stands for here, where it has to
                                               ///< be found out
  std::vector<SharePlan> shares{};
};

/// The outcome of a spec without problems.
ConfigOutcome outcome_of(const VmSpec& spec, const LaunchPlan& plan);

/// What was said: the settings, and the words behind `--`.
struct SaidConfig {
  GivenTexts given;
  std::vector<std::string> qemu_args;
  bool show_secrets = false;  ///< else they are masked
};

/// A configuration file that makes the same plan, unless it says of a line that it cannot: every
/// setting with its origin, those that nobody has given as comments. The words behind `--` join
/// extra_args.
std::string config_as_toml(const SaidConfig& said, const ConfigOutcome& outcome);

/// {"settings": [{"name": "MEMORY", "value": "2G", "source": "environment", …}], "qemu_args": […],
/// "shares": […]}, on one line. A masked value and one that is unset are null.
std::string config_as_json(const SaidConfig& said, const ConfigOutcome& outcome);

/// The settings whose value no configuration file can hold.
std::vector<std::string> unprintable_settings(const SaidConfig& said);

}  // namespace vmr
