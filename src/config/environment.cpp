// SPDX-License-Identifier: MIT
#include "base/ascii.hpp"
#include "config/raw_settings.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace vmr {
namespace {

/// Beginnings of names that only we would use.
constexpr std::array<std::string_view, 3> our_prefixes = {"FILESYSTEM", "CLOUD_INIT", "GUEST_"};

/// Variables of other programs that are one edit away from one of ours.
constexpr std::array<std::string_view, 1> well_known = {"DATADIR"};

bool is_surely_ours(std::string_view variable) {
  return std::any_of(our_prefixes.begin(), our_prefixes.end(),
                     [&](std::string_view prefix) { return variable.starts_with(prefix); });
}

/// Whether `variable` begins like one that only we would use, in lower case.
bool is_ours_in_lower_case(std::string_view variable) {
  return std::any_of(our_prefixes.begin(), our_prefixes.end(), [&](std::string_view prefix) {
    return variable.starts_with(ascii_lower(prefix));
  });
}

/// The variable of ours that `variable` is a slip of the finger away from.
std::optional<std::string> find_slip(std::string_view variable) {
  // In short names one edit makes a word of its own.
  constexpr std::size_t shortest = 6;
  const bool other = std::find(well_known.begin(), well_known.end(), variable) != well_known.end();
  auto meant = other ? std::nullopt : nearest_variable(variable, 1);
  // A name in another case only (`memory`) is no slip: shells and scripts have many of those.
  const bool other_name =
      meant && (*meant != ascii_upper(variable) || is_ours_in_lower_case(variable));
  const bool slip = other_name && meant->size() >= shortest;
  return slip ? meant : std::nullopt;
}

void judge_unknown(const std::string& variable, RawSettings& raw) {
  if (is_surely_ours(variable)) {
    const Origin origin{Source::environment, variable, {}};
    raw.problems.push_back({fmt::format("{}: unknown variable", variable), describe(origin),
                            hint_for_unknown(variable)});
  } else if (const auto meant = find_slip(variable)) {
    raw.warnings.push_back(
        fmt::format("{}: unknown variable, ignored; did you mean {}?", variable, *meant));
  }
}

}  // namespace

RawSettings read_environment(const std::vector<std::string>& environment) {
  RawSettings raw;
  for (const auto& entry : environment) {
    const auto equals = entry.find('=');
    if (equals == entry.npos || equals + 1 == entry.size()) continue;
    const std::string variable = entry.substr(0, equals);
    if (const auto key = find_setting(variable)) {
      // Of several, getenv(3) takes the first; so do we.
      raw.values.try_emplace(
          *key, Given<std::string>{entry.substr(equals + 1), {Source::environment, variable, {}}});
    } else {
      judge_unknown(variable, raw);
    }
  }
  return raw;
}

}  // namespace vmr
