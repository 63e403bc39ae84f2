// SPDX-License-Identifier: MIT
#include "config/variables.hpp"

#include "base/ascii.hpp"
#include "base/nearest.hpp"
#include "config/settings.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <vector>

namespace vmr {
namespace {

constexpr std::string_view share_prefix = "FILESYSTEM";

template <typename Target>
const Setting<Target>* find_row(std::span<const Setting<Target>> settings, std::string_view name) {
  const auto row = std::find_if(settings.begin(), settings.end(),
                                [&](const auto& setting) { return setting.name == name; });
  return row == settings.end() ? nullptr : &*row;
}

/// A share variable, split at the end of its number.
struct ShareVariable {
  std::string_view digits;
  std::string_view name;
};

std::optional<ShareVariable> split_share_variable(std::string_view variable) {
  if (!variable.starts_with(share_prefix)) return std::nullopt;
  variable.remove_prefix(share_prefix.size());
  const auto underscore = variable.find('_');
  if (underscore == variable.npos) return std::nullopt;
  const auto digits = variable.substr(0, underscore);
  if (!std::all_of(digits.begin(), digits.end(), is_ascii_digit)) return std::nullopt;
  return ShareVariable{digits, variable.substr(underscore + 1)};
}

/// The number that `digits` stand for in a share variable; none for 0, 1, 02 and too large ones.
std::optional<int> share_number(std::string_view digits) {
  if (digits.empty()) return 1;
  int number = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), number);
  const bool valid = error == std::errc{} && digits.front() != '0' && number >= 2;
  if (!valid || number > max_share_number) return std::nullopt;
  return number;
}

/// The share that was probably meant by a misspelt variable: its digits, wherever they are.
int probable_share_number(std::string_view variable) {
  int number = 0;
  for (const char c : variable) {
    if (is_ascii_digit(c)) number = std::min(number * 10 + (c - '0'), max_share_number);
  }
  return std::max(number, 1);
}

}  // namespace

std::string share_variable(int number, std::string_view name) {
  return number == 1 ? fmt::format("{}_{}", share_prefix, name)
                     : fmt::format("{}{}_{}", share_prefix, number, name);
}

std::string variable_of(const SettingKey& key) {
  return key.share == 0 ? key.name : share_variable(key.share, key.name);
}

std::optional<SettingKey> find_setting(std::string_view variable) {
  if (find_row(vm_settings(), variable) != nullptr) return SettingKey{0, std::string(variable)};
  const auto parts = split_share_variable(variable);
  if (!parts || find_row(share_settings(), parts->name) == nullptr) return std::nullopt;
  const auto number = share_number(parts->digits);
  if (!number) return std::nullopt;
  return SettingKey{*number, std::string(parts->name)};
}

std::string toml_key(std::string_view variable) {
  const auto parts = split_share_variable(variable);
  return ascii_lower(parts ? parts->name : variable);
}

SettingRow row_of(const SettingKey& key) {
  const auto read = [](const auto* row) {
    return row == nullptr
               ? SettingRow{}
               : SettingRow{row->default_value, row->meaning, row->store.kind, row->secret};
  };
  return key.share == 0 ? read(find_row(vm_settings(), key.name))
                        : read(find_row(share_settings(), key.name));
}

bool is_secret(const SettingKey& key) {
  return row_of(key).secret;
}

std::optional<std::string> nearest_variable(std::string_view variable, std::size_t limit) {
  const int number = probable_share_number(variable);
  std::vector<std::string> share_names;
  // Most variables of an environment are too short to be near one of a share.
  if (variable.size() + limit > share_prefix.size()) {
    for (const auto& setting : share_settings()) {
      share_names.push_back(share_variable(number, setting.name));
    }
  }
  std::vector<std::string_view> names;
  for (const auto& setting : vm_settings()) names.push_back(setting.name);
  names.insert(names.end(), share_names.begin(), share_names.end());
  return nearest(variable, names, limit);
}

std::string hint_for_unknown(std::string_view variable) {
  if (const auto meant = nearest_variable(variable)) {
    return fmt::format("did you mean {}?", *meant);
  }
  if (variable.starts_with(share_prefix)) {
    return fmt::format(
        "shares are FILESYSTEM_…, FILESYSTEM2_… to FILESYSTEM{}_…; "
        "vm-runner --help lists every setting",
        max_share_number);
  }
  return "vm-runner --help lists every setting";
}

}  // namespace vmr
