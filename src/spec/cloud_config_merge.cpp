// SPDX-License-Identifier: MIT
#include "spec/cloud_config_merge.hpp"

#include "base/ascii.hpp"

#include <algorithm>
#include <array>
#include <optional>
#include <set>
#include <utility>

namespace vmr {
namespace {

using Kind = YamlValue::Kind;

struct Merger {
  Kind kind;  ///< of the values that it joins: a map, a list or a text
  std::set<std::string> options;

  bool has(const char* option) const { return options.count(option) != 0; }
};
using Mergers = std::vector<Merger>;

std::optional<Merger> make_merger(std::string name, std::set<std::string> options) {
  std::replace(name.begin(), name.end(), '-', '_');
  if (name.starts_with("m_")) name.erase(0, 2);
  if (name == "dict") return Merger{Kind::map, std::move(options)};
  if (name == "list") return Merger{Kind::list, std::move(options)};
  if (name == "str") return Merger{Kind::text, std::move(options)};
  return std::nullopt;
}

std::string trim(std::string_view text) {
  constexpr std::string_view blanks = " \t\r\n";
  text.remove_prefix(std::min(text.find_first_not_of(blanks), text.size()));
  return std::string(text.substr(0, text.find_last_not_of(blanks) + 1));
}

std::vector<std::string> split(const std::string& text, char separator) {
  std::vector<std::string> words;
  std::size_t start = 0;
  for (auto end = text.find(separator); end != text.npos; end = text.find(separator, start)) {
    words.push_back(trim(std::string_view(text).substr(start, end - start)));
    start = end + 1;
  }
  words.push_back(trim(std::string_view(text).substr(start)));
  return words;
}

/// "dict(replace)+list(append)"; false: cloud-init refuses it.
bool read_mergers(const std::string& text, Mergers& mergers) {
  for (const auto& word : split(ascii_lower(text), '+')) {
    if (word.empty()) continue;
    const auto open = word.find('(');
    if (open == word.npos || word.back() != ')') return false;
    const auto options = split(word.substr(open + 1, word.size() - open - 2), ',');
    auto merger = make_merger(word.substr(0, open), {options.begin(), options.end()});
    if (!merger) return false;
    mergers.push_back(std::move(*merger));
  }
  return true;
}

/// [{name: dict, settings: [replace]}] or [[dict, replace]]
bool read_mergers(const YamlValue& value, Mergers& mergers) {
  if (value.is_text()) return read_mergers(value.text, mergers);
  if (!value.is_list()) return false;
  for (const auto& item : value.items) {
    std::string name;
    std::set<std::string> options;
    if (item.is_map()) {
      const auto* of_name = find_entry(item, "name");
      const auto* settings = find_entry(item, "settings");
      if (of_name == nullptr || settings == nullptr || !settings->is_list()) return false;
      name = trim(of_name->text);
      for (const auto& option : settings->items) options.insert(option.text);
    } else if (item.is_list() && !item.items.empty()) {
      name = item.items.front().text;
      for (std::size_t i = 1; i < item.items.size(); ++i) options.insert(item.items[i].text);
    } else {
      return false;
    }
    auto merger = make_merger(name, std::move(options));
    if (!merger) return false;
    mergers.push_back(std::move(*merger));
  }
  return true;
}

void merge(YamlValue& value, const YamlValue& other, const Mergers& mergers);

/// Whether a value of this kind is looked into, where the two are not just one or the other.
bool recurses(const Merger& merger, const YamlValue& other) {
  if (other.is_list()) return merger.has("recurse_array") || merger.has("recurse_list");
  if (other.is_text()) return merger.has("recurse_str");
  return other.is_map() && (merger.kind == Kind::map || merger.has("recurse_dict"));
}

void merge_maps(const Merger& merger, YamlValue& value, const YamlValue& other,
                const Mergers& mergers) {
  if (!other.is_map()) return;
  const bool replaces = merger.has("replace");
  for (const auto& [key, entry] : other.entries) {
    const auto found = value.entries.find(key);
    if (found == value.entries.end()) {
      value.entries.emplace(key, entry);
    } else if (entry.kind == Kind::null && merger.has("allow_delete")) {
      value.entries.erase(found);
    } else if (replaces) {
      found->second = entry;
    } else if (recurses(merger, entry)) {
      merge(found->second, entry, mergers);
    }
  }
}

void merge_lists(const Merger& merger, YamlValue& value, const YamlValue& other,
                 const Mergers& mergers) {
  const bool appends = merger.has("append");
  const bool prepends = !appends && merger.has("prepend");
  const bool keeps = !merger.has("replace") && merger.has("no_replace");
  if (!other.is_list()) {
    if (!appends && !prepends && !keeps) value = other;
    return;
  }
  if (appends || prepends) {
    const auto place = appends ? value.items.end() : value.items.begin();
    value.items.insert(place, other.items.begin(), other.items.end());
    return;
  }
  if (keeps) return;
  const auto common = std::min(value.items.size(), other.items.size());
  for (std::size_t i = 0; i < common; ++i) {
    const auto& item = other.items[i];
    if (recurses(merger, item)) {
      merge(value.items[i], item, mergers);
    } else {
      value.items[i] = item;
    }
  }
}

/// What no merger is for is left as it is.
void merge(YamlValue& value, const YamlValue& other, const Mergers& mergers) {
  const auto merger = std::find_if(mergers.begin(), mergers.end(), [&](const Merger& candidate) {
    return candidate.kind == value.kind;
  });
  if (merger == mergers.end()) return;
  if (merger->kind == Kind::map) {
    merge_maps(*merger, value, other, mergers);
  } else if (merger->kind == Kind::list) {
    merge_lists(*merger, value, other, mergers);
  } else if (merger->has("append") && other.is_text()) {
    value.text += other.text;
  } else {
    value = other;
  }
}

}  // namespace

bool merge_cloud_config(YamlValue& config, YamlValue part, const std::string& merge_type) {
  Mergers mergers;
  for (const auto* key : {"merge_how", "merge_type"}) {
    const auto* value = find_entry(part, key);
    if (value == nullptr) continue;
    const auto how = *value;
    part.entries.erase(key);
    if (how.kind == Kind::null) continue;
    if (!read_mergers(how, mergers)) return false;
    break;
  }
  if (!read_mergers(merge_type, mergers)) return false;
  if (mergers.empty()) read_mergers(std::string("dict(replace)+list()+str()"), mergers);
  merge(config, part, mergers);
  return true;
}

}  // namespace vmr
