// SPDX-License-Identifier: MIT
// Why each part of a command line is there, and which setting changes it.
#pragma once

#include "config/raw_settings.hpp"
#include "plan/launch_plan.hpp"

#include <string>
#include <vector>

namespace vmr {

/// Why a part of a command line is there; every text is one line.
struct Explanation {
  std::string title;                  ///< "memory: the guest's memory, …"
  std::vector<std::string> notes;     ///< what was decided here, by no setting alone
  std::vector<std::string> settings;  ///< "MEMORY=2G (environment)", "CPUS=2 (default): …"

  bool operator==(const Explanation&) const = default;
};

/// A part of a launch: a group of QEMU's arguments, or the command line of a share's helper.
struct Part {
  std::string name;  ///< "memory", "shares", "virtiofsd-1"
  int share = 0;     ///< of which share it is; 0: of none
  bool is_helper = false;
  std::vector<std::string> arguments;

  bool operator==(const Part&) const = default;
};

/// Every part, helpers first; a helper's argv[0] is among its arguments, QEMU's in no part.
std::vector<Part> parts_of(const LaunchPlan& plan, const QemuPlan& qemu);

/// Those with this name; the helpers belong to the "shares".
std::vector<Part> parts_named(const std::string& name, std::vector<Part> parts);

/// An option with its value, or a word alone.
using ArgumentUnit = std::vector<std::string>;

/// `arguments` in units; a word behind an option is its value unless it looks like an option.
std::vector<ArgumentUnit> units_of(const std::vector<std::string>& arguments);

/// The settings that can change `part`.
std::vector<SettingKey> settings_of(const Part& part, const LaunchPlan& plan);

/// Why `part` of `plan` is there; `given` is what the user has set.
Explanation explain(const Part& part, const LaunchPlan& plan, const GivenTexts& given);

/// `explanation` as comment lines, each "# …" and ended by a newline.
std::string as_comments(const Explanation& explanation);

/// What a setting is, as given or by default: "2G (vm.toml:3)", "4096 (default)", "not set"; a
/// secret is hidden.
std::string state_of(const SettingKey& key, const GivenTexts& given);

}  // namespace vmr
