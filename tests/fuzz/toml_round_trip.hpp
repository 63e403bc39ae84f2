// SPDX-License-Identifier: MIT
// Settings that are written as a configuration file and read again.
#pragma once

#include "base/shell_words.hpp"
#include "base/units.hpp"
#include "config/load.hpp"
#include "config/print_toml.hpp"
#include "fuzz/fuzz.hpp"

#include <map>
#include <string>
#include <variant>
#include <vector>

namespace vmr::fuzz {

/// What print_toml() keeps of a text: of yes and no which it is, of words the words.
inline std::string kept(const SettingKey& key, const std::string& text) {
  const auto kind = row_of(key).kind;
  if (kind == ValueKind::flag) {
    const auto parsed = parse_bool(text);
    if (const auto* flag = std::get_if<bool>(&parsed)) return *flag ? "true" : "false";
  }
  if (kind == ValueKind::words) {
    if (const auto words = shell_split(text)) return shell_join(*words);
  }
  return text;
}

/// The file is read without a problem, and as exactly what was written.
inline void require_round_trip(const std::vector<TomlLine>& lines) {
  std::map<SettingKey, std::string> written;
  for (const auto& line : lines) {
    require(fits_toml(line.text), variable_of(line.key) + " fits a configuration file");
    const auto text = kept(line.key, line.text);
    if (!text.empty()) written.emplace(line.key, text);
  }
  const auto file = print_toml(lines);
  const auto raw = read_toml(file, "vm.toml");
  for (const auto& problem : raw.problems) require(false, problem.message + " in\n" + file);
  std::map<SettingKey, std::string> read;
  for (const auto& [key, given] : raw.values) {
    const auto text = kept(key, given.value);
    if (!text.empty()) read.emplace(key, text);
  }
  require(read == written, "what is read is what was written:\n" + file);
}

/// The same for a configuration, if it is one without problems.
inline void require_round_trip(const LoadedConfig& loaded) {
  if (!loaded.problems.empty()) return;
  std::vector<TomlLine> lines;
  for (const auto& [key, given] : loaded.given) {
    if (!fits_toml(given.value)) return;
    lines.push_back({key, given.value});
  }
  require_round_trip(lines);
  const auto again = load_config({}, {}, {"vm.toml", print_toml(lines)});
  for (const auto& problem : again.problems) require(false, problem.message);
  require(again.config.shares.size() == loaded.config.shares.size(), "every share is there again");
}

}  // namespace vmr::fuzz
