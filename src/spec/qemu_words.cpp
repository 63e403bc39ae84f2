// SPDX-License-Identifier: MIT
#include "spec/qemu_words.hpp"

#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <iterator>

namespace vmr {
namespace {

/// Takes the text up to the next single comma; a doubled one stands for itself.
std::string take_item(std::string_view& rest) {
  std::string item;
  while (!rest.empty()) {
    const char c = rest.front();
    rest.remove_prefix(1);
    if (c == ',') {
      if (!rest.starts_with(',')) break;
      rest.remove_prefix(1);
    }
    item += c;
  }
  return item;
}

std::string key_of(const std::string& key) {
  return key == "qom-type" || key == "driver" ? "" : key;
}

/// JSON is YAML too.
QemuKeys read_json(const std::string& text) {
  QemuKeys keys;
  try {
    for (const auto& member : YAML::Load(text)) {
      if (!member.second.IsScalar()) continue;
      keys.emplace(key_of(member.first.as<std::string>()), member.second.as<std::string>());
    }
  } catch (const YAML::Exception&) {
    // Not ours to judge: QEMU says what is wrong.
    return {};
  }
  return keys;
}

}  // namespace

QemuKeys read_keys(const std::string& text) {
  if (text.starts_with('{')) return read_json(text);
  QemuKeys keys;
  std::string_view rest = text;
  for (bool first = true; !rest.empty(); first = false) {
    const auto item = take_item(rest);
    const auto equals = item.find('=');
    if (equals != item.npos) {
      keys.emplace(key_of(item.substr(0, equals)), item.substr(equals + 1));
    } else if (first) {
      keys.emplace("", item);
    }
  }
  return keys;
}

std::string last_value(const QemuKeys& keys, const std::string& key) {
  const auto end = keys.upper_bound(key);
  return end == keys.lower_bound(key) ? std::string() : std::prev(end)->second;
}

bool is_option(std::string_view word, std::string_view name) {
  return word.starts_with('-') && word.substr(word.starts_with("--") ? 2 : 1) == name;
}

std::vector<QemuOptionWords> split_options(const std::vector<std::string>& words,
                                           const std::vector<std::string_view>& takers) {
  std::vector<QemuOptionWords> options;
  for (std::size_t i = 0; i < words.size(); ++i) {
    if (!words[i].starts_with('-')) continue;
    QemuOptionWords option{words[i].substr(words[i].starts_with("--") ? 2 : 1), {}, words[i]};
    const bool takes = std::find(takers.begin(), takers.end(), option.name) != takers.end();
    const bool has_value = i + 1 < words.size() && (takes || !words[i + 1].starts_with('-'));
    if (has_value) {
      option.value = words[++i];
      option.text += " " + option.value;
    }
    options.push_back(std::move(option));
  }
  return options;
}

}  // namespace vmr
