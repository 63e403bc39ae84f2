// SPDX-License-Identifier: MIT
#include "base/ascii.hpp"
#include "config/raw_settings.hpp"
#include "config/secrets.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace vmr {
namespace {

/// As much of `word` as can be a variable's name: the rest might be a secret.
std::string name_part(std::string_view word) {
  const auto end = std::find_if(word.begin(), word.end(), [](char c) {
    const char lower = ascii_lower(c);
    return !(is_ascii_digit(c) || c == '_' || (lower >= 'a' && lower <= 'z'));
  });
  return std::string(word.begin(), end) + (end == word.end() ? "" : "…");
}

void read_assignment(const std::string& word, RawSettings& raw) {
  const auto equals = word.find('=');
  if (equals == word.npos || equals == 0) {
    const std::string shown = "--set " + name_part(word);
    raw.problems.push_back({fmt::format("{}: not of the form KEY=VALUE", shown), shown,
                            "for example --set MEMORY=2G"});
    return;
  }
  const std::string variable = ascii_upper(word.substr(0, equals));
  const auto key = find_setting(variable);
  if (!key) {
    raw.problems.push_back({fmt::format("{}: unknown setting", variable),
                            "--set " + word.substr(0, equals), hint_for_unknown(variable)});
    return;
  }
  const std::string shown = is_secret(*key) ? word.substr(0, equals) + "=…" : without_secrets(word);
  raw.values.insert_or_assign(
      *key, Given<std::string>{word.substr(equals + 1),
                               {Source::command_line, variable, "--set " + shown}});
}

}  // namespace

RawSettings read_assignments(const std::vector<std::string>& assignments) {
  RawSettings raw;
  for (const auto& word : assignments) read_assignment(word, raw);
  return raw;
}

}  // namespace vmr
