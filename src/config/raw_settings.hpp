// SPDX-License-Identifier: MIT
// Texts as the sources give them, before they become values.
#pragma once

#include "base/error.hpp"
#include "config/given.hpp"
#include "config/variables.hpp"

#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace vmr {

/// What the user has set, as it was written.
using GivenTexts = std::map<SettingKey, Given<std::string>>;

/// The texts of one source (or of several, merged), and what was wrong with their names.
struct RawSettings {
  GivenTexts values;
  std::map<int, Origin> share_lines;  ///< by number, where a file's shares begin
  std::vector<Problem> problems;
  std::vector<std::string> warnings;
};

/// Environment variables as `environ` has them ("NAME=value"). Empty ones count as unset. Unknown
/// variables are problems where the prefix is surely ours (FILESYSTEM…, CLOUD_INIT…, GUEST_…),
/// warnings where they are one slip away from a variable of ours or one of these in lower case,
/// else ignored.
RawSettings read_environment(const std::vector<std::string>& environment);

/// A TOML document: top-level keys and [[share]] tables, lower case; a share's number is that of
/// its key `number`, or one more than the share's before it. Numbers and booleans are
/// taken where a setting is one, and for `extra_args` arrays of strings. `name` is shown in
/// origins. A value of another type is kept as an invalid one, and a [[share]] without any value as
/// an empty SOURCE, so that it does not vanish.
RawSettings read_toml(std::string_view text, const std::string& name);

/// The words behind `--set`, each "KEY=VALUE" with a variable's name in any case. An empty value
/// stays in `values`: it unsets what lower sources said.
RawSettings read_assignments(const std::vector<std::string>& assignments);

/// `over` wins where both have a value, and an empty value of `over` unsets the one of `under`;
/// problems and warnings of both.
RawSettings merge(RawSettings under, RawSettings over);

}  // namespace vmr
