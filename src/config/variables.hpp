// SPDX-License-Identifier: MIT
// The names of settings: a setting's key, the variable a user would set for it, and its TOML key.
#pragma once

#include <compare>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace vmr {

/// The largest share number.
inline constexpr int max_share_number = 999;

/// Names one setting: share 0 is the VM itself.
struct SettingKey {
  int share = 0;
  std::string name;  ///< as in the settings table

  // clang-tidy 14 takes the 0 that is implied here for a pointer.
  auto operator<=>(const SettingKey&) const = default;  // NOLINT(modernize-use-nullptr)
};

/// "FILESYSTEM_SOURCE" for share 1, "FILESYSTEM2_SOURCE" for share 2.
std::string share_variable(int number, std::string_view name);

/// The variable of `key`: "MEMORY", "FILESYSTEM2_SOURCE".
std::string variable_of(const SettingKey& key);

/// The setting that is set by exactly this variable.
std::optional<SettingKey> find_setting(std::string_view variable);

/// "memory" for MEMORY, "source" for FILESYSTEM2_SOURCE.
std::string toml_key(std::string_view variable);

/// What the text of a setting stands for.
enum class ValueKind {
  text,
  number,
  flag,
  mode,          ///< permission bits
  words,         ///< of a command line, quoted as in a shell
  command_line,  ///< of a kernel
  path,          ///< of a file or folder of the host
  keys,          ///< lines of authorized_keys(5)
  password,
};

/// What the settings tables say of a setting, of either kind.
struct SettingRow {
  std::string_view default_value;  ///< as Setting's
  std::string_view meaning;
  ValueKind kind = ValueKind::text;
  bool secret = false;
};

/// That of this setting; an empty one for one that does not exist.
SettingRow row_of(const SettingKey& key);

/// Whether the value of this setting is shown only to those who ask for it.
bool is_secret(const SettingKey& key);

/// The variable at most `limit` edits away that was probably meant by the unknown `variable`, with
/// its share number kept.
std::optional<std::string> nearest_variable(std::string_view variable, std::size_t limit = 3);

/// What to do about the unknown `variable`.
std::string hint_for_unknown(std::string_view variable);

}  // namespace vmr
