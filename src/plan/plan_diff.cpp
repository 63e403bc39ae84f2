// SPDX-License-Identifier: MIT
#include "plan/plan_diff.hpp"

#include "base/printable.hpp"
#include "base/shell_words.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <optional>
#include <set>
#include <utility>

namespace vmr {
namespace {

/// Where the longest row of units that both have goes on from (i, j), for each i and j.
std::vector<std::vector<std::size_t>> common_lengths(const std::vector<ArgumentUnit>& before,
                                                     const std::vector<ArgumentUnit>& after) {
  std::vector lengths(before.size() + 1, std::vector<std::size_t>(after.size() + 1, 0));
  for (auto i = before.size(); i-- > 0;) {
    for (auto j = after.size(); j-- > 0;) {
      lengths[i][j] = before[i] == after[j] ? lengths[i + 1][j + 1] + 1
                                            : std::max(lengths[i + 1][j], lengths[i][j + 1]);
    }
  }
  return lengths;
}

std::vector<ArgumentChange> changes_between(const std::vector<ArgumentUnit>& before,
                                            const std::vector<ArgumentUnit>& after) {
  const auto lengths = common_lengths(before, after);
  std::vector<ArgumentChange> changes;
  std::size_t i = 0;
  std::size_t j = 0;
  while (i < before.size() || j < after.size()) {
    if (i < before.size() && j < after.size() && before[i] == after[j]) {
      ++i;
      ++j;
    } else if (j == after.size() || (i < before.size() && lengths[i + 1][j] >= lengths[i][j + 1])) {
      changes.push_back({false, before[i++]});
    } else {
      changes.push_back({true, after[j++]});
    }
  }
  return changes;
}

const Part* find_part(const std::vector<Part>& parts, const Part& wanted) {
  const auto found = std::find_if(parts.begin(), parts.end(), [&](const Part& part) {
    return part.name == wanted.name && part.share == wanted.share;
  });
  return found == parts.end() ? nullptr : &*found;
}

/// Every setting whose text is not the same in both; a default that is written out is the same.
std::set<SettingKey> changed_settings(const ExplainedPlan& before, const ExplainedPlan& after) {
  std::set<SettingKey> keys;
  const auto text = [](const GivenTexts& given, const SettingKey& key) {
    const auto found = given.find(key);
    return found == given.end() ? std::optional<std::string>() : found->second.value;
  };
  for (const auto* side : {&before, &after}) {
    for (const auto& [key, given] : side->given) {
      if (text(before.given, key) != text(after.given, key)) keys.insert(key);
    }
  }
  return keys;
}

/// Both sides and what is other in their settings.
class Comparison {
 public:
  Comparison(const ExplainedPlan& before, const ExplainedPlan& after)
      : before_(before), after_(after), changed_(changed_settings(before, after)) {}

  /// `was` or `is` may be missing, not both.
  void compare(const Part* was, const Part* is) {
    const auto arguments =
        changes_between(was == nullptr ? std::vector<ArgumentUnit>() : units_of(was->arguments),
                        is == nullptr ? std::vector<ArgumentUnit>() : units_of(is->arguments));
    if (arguments.empty()) return;
    const auto& part = is == nullptr ? *was : *is;
    PartChange change{part.name, part.share, {}, arguments};
    std::set<SettingKey> causes;
    if (was != nullptr) add_causes(*was, before_.plan, causes);
    if (is != nullptr) add_causes(*is, after_.plan, causes);
    if (causes.empty()) add_causes_of_sharing(part, causes);
    for (const auto& key : causes) change.settings.push_back(change_of(key));
    explained_.insert(causes.begin(), causes.end());
    diff_.parts.push_back(std::move(change));
  }

  void compare_seeds() {
    const auto was = before_.plan.seed.value_or(SeedContents{});
    const auto is = after_.plan.seed.value_or(SeedContents{});
    if (was.meta_data != is.meta_data) diff_.seed_files.emplace_back("meta-data");
    if (was.user_data != is.user_data) diff_.seed_files.emplace_back("user-data");
    if (was.vendor_data != is.vendor_data) diff_.seed_files.emplace_back("vendor-data");
  }

  PlanDiff finish() {
    for (const auto& key : changed_) {
      if (!explained_.contains(key)) diff_.elsewhere.push_back(change_of(key));
    }
    return std::move(diff_);
  }

 private:
  void add_causes(const Part& part, const LaunchPlan& plan, std::set<SettingKey>& causes) const {
    for (const auto& key : settings_of(part, plan)) {
      if (changed_.contains(key)) causes.insert(key);
    }
  }

  /// A share that comes or goes makes the memory shared, or private again.
  void add_causes_of_sharing(const Part& part, std::set<SettingKey>& causes) const {
    if (part.name != "machine" && part.name != "memory") return;
    for (const auto& key : changed_) {
      const bool counts = key.name == "HOTPLUG_SHARES" ||
                          (key.share != 0 && (key.name == "SOURCE" || key.name == "DRIVER"));
      if (counts) causes.insert(key);
    }
  }

  [[nodiscard]] SettingChange change_of(const SettingKey& key) const {
    return {variable_of(key), state_of(key, before_.given), state_of(key, after_.given)};
  }

  const ExplainedPlan& before_;
  const ExplainedPlan& after_;
  std::set<SettingKey> changed_;
  std::set<SettingKey> explained_;
  PlanDiff diff_;
};

std::string as_line(const SettingChange& change) {
  return fmt::format("  {}: {} -> {}\n", change.variable, change.before, change.after);
}

}  // namespace

PlanDiff diff(const ExplainedPlan& before, const ExplainedPlan& after) {
  const auto old_parts = parts_of(before.plan, before.qemu);
  const auto new_parts = parts_of(after.plan, after.qemu);
  Comparison comparison(before, after);
  for (const auto& part : old_parts) comparison.compare(&part, find_part(new_parts, part));
  for (const auto& part : new_parts) {
    if (find_part(old_parts, part) == nullptr) comparison.compare(nullptr, &part);
  }
  comparison.compare_seeds();
  return comparison.finish();
}

std::string as_text(const PlanDiff& diff) {
  std::string text;
  for (const auto& part : diff.parts) {
    text += part.share == 0 ? part.name : fmt::format("{} (share #{})", part.name, part.share);
    text += "\n";
    for (const auto& setting : part.settings) text += as_line(setting);
    for (const auto& argument : part.arguments) {
      const auto words = on_one_line(shell_join(argument.words));
      text += fmt::format("{} {}\n", argument.added ? '+' : '-', words);
    }
    text += "\n";
  }
  if (!diff.elsewhere.empty()) {
    text += "in no argument: in the seed, or for the launcher itself\n";
    for (const auto& setting : diff.elsewhere) text += as_line(setting);
    text += "\n";
  }
  if (!diff.seed_files.empty()) {
    text += fmt::format("other contents in the seed: {}\n\n", fmt::join(diff.seed_files, ", "));
  }
  if (text.empty()) return "Nothing changes.\n";
  text.pop_back();
  return text;
}

}  // namespace vmr
