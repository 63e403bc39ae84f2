// SPDX-License-Identifier: MIT
#include "commands/args_json.hpp"

#include "base/printable.hpp"
#include "run/json_text.hpp"

#include <boost/json.hpp>

#include <algorithm>
#include <utility>

namespace vmr {
namespace {

namespace json = boost::json;

json::object name_of(const std::string& name, int share) {
  json::object object = {{"name", name}};
  if (share != 0) object["share"] = share;
  return object;
}

json::array settings_json(const std::vector<SettingChange>& changes) {
  json::array array;
  for (const auto& change : changes) {
    array.push_back(json::object{{"variable", change.variable},
                                 {"before", to_utf8(change.before)},
                                 {"after", to_utf8(change.after)}});
  }
  return array;
}

json::object change_json(const PartChange& change) {
  json::array removed;
  json::array added;
  for (const auto& argument : change.arguments) {
    (argument.added ? added : removed).push_back(to_json(argument.words));
  }
  auto object = name_of(change.name, change.share);
  object["settings"] = settings_json(change.settings);
  object["removed"] = std::move(removed);
  object["added"] = std::move(added);
  return object;
}

json::object part_json(const Part& part, const Explanation& explanation) {
  auto object = name_of(part.name, part.share);
  object["arguments"] = to_json(part.arguments);
  object["title"] = to_utf8(explanation.title);
  object["notes"] = to_json(explanation.notes);
  object["settings"] = to_json(explanation.settings);
  return object;
}

}  // namespace

std::string as_json(const LaunchPlan& plan, const std::vector<Part>& parts,
                    const std::vector<Explanation>& explanations, const std::string& qemu) {
  json::array of_qemu;
  json::array helpers;
  json::array shares;
  json::array explained;
  if (!qemu.empty()) of_qemu.emplace_back(to_utf8(qemu));
  for (const auto& part : parts) {
    auto words = to_json(part.arguments);
    if (part.is_helper) {
      helpers.push_back(json::object{{"name", part.name}, {"argv", std::move(words)}});
    } else {
      of_qemu.insert(of_qemu.end(), words.begin(), words.end());
    }
  }
  for (const auto& share : plan.shares) {
    const bool is_in = std::any_of(parts.begin(), parts.end(), [&](const Part& part) {
      return part.share == share.share.number;
    });
    if (is_in) shares.push_back(to_json(share));
  }
  json::object object = {
      {"qemu", std::move(of_qemu)}, {"helpers", std::move(helpers)}, {"shares", std::move(shares)}};
  for (std::size_t i = 0; i < explanations.size(); ++i) {
    explained.push_back(part_json(parts[i], explanations[i]));
  }
  if (!explanations.empty()) object["parts"] = std::move(explained);
  return json_line(object);
}

std::string as_json(const PlanDiff& diff) {
  json::array parts;
  for (const auto& part : diff.parts) parts.push_back(change_json(part));
  const json::object object = {{"parts", std::move(parts)},
                               {"elsewhere", settings_json(diff.elsewhere)},
                               {"seed", to_json(diff.seed_files)}};
  return json_line(object);
}

}  // namespace vmr
