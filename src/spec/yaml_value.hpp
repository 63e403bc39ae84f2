// SPDX-License-Identifier: MIT
// YAML as cloud-init's PyYAML reads it, which is YAML 1.1.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace vmr {

/// A value of YAML, or of JSON, which is YAML too. Numbers with a point and times are texts here:
/// nobody asks for them.
struct YamlValue {
  enum class Kind { null, boolean, integer, text, list, map };
  Kind kind = Kind::null;
  std::string text;                          ///< of a scalar as Python's str() has it: "True", "12"
  std::vector<YamlValue> items;              ///< of a list
  std::map<std::string, YamlValue> entries;  ///< of a map; keys that are no texts begin with a NUL

  bool operator==(const YamlValue&) const = default;

  bool is_map() const { return kind == Kind::map; }
  bool is_list() const { return kind == Kind::list; }
  bool is_text() const { return kind == Kind::text; }

  static YamlValue of(std::string text) { return {Kind::text, std::move(text), {}, {}}; }
  static YamlValue empty_map() { return {Kind::map, {}, {}, {}}; }
};

/// The value under the text `key` of a map; null: it has none, or is no map.
const YamlValue* find_entry(const YamlValue& value, const std::string& key);

/// cloud-init's is_true(): true, 1, on, yes.
bool is_true(const YamlValue& value);

struct YamlDocument {
  YamlValue value;
  std::string problem;  ///< why PyYAML does not read it, with the line; empty: it does

  bool operator==(const YamlDocument&) const = default;
};

/// Reads one document. Of doubled keys the last counts, merges (`<<`) are done.
YamlDocument read_yaml(const std::string& text);

}  // namespace vmr
