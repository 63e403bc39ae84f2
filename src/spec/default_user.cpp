// SPDX-License-Identifier: MIT
#include "spec/default_user.hpp"

#include "base/ascii.hpp"

#include <algorithm>
#include <string_view>

namespace vmr {
namespace {

/// "alice,default"
bool names_default(std::string_view names) {
  while (true) {
    const auto comma = names.find(',');
    if (names.substr(0, comma) == "default") return true;
    if (comma == names.npos) return false;
    names.remove_prefix(comma + 1);
  }
}

/// An entry of a list of users.
bool is_default(const YamlValue& user) {
  if (user.is_text()) return names_default(user.text);
  if (user.is_list()) {
    return std::any_of(user.items.begin(), user.items.end(), [](const YamlValue& name) {
      return name.is_text() && name.text == "default";
    });
  }
  const auto* name = find_entry(user, "name");
  return user.is_map() && (name == nullptr || name->text == "default");
}

/// The older way: `user: NAME` makes the default user be called so.
bool has_user(const YamlValue& config) {
  const auto* user = find_entry(config, "user");
  if (user == nullptr) return false;
  return user->is_map() ? !user->entries.empty() : user->is_text() && !user->text.empty();
}

}  // namespace

bool has_default_user(const YamlValue& config) {
  const auto* users = find_entry(config, "users");
  if (users == nullptr) return true;
  if (users->is_map()) {
    const auto* user = find_entry(*users, "default");
    return user == nullptr ? has_user(config) : user->is_map() || is_true(*user);
  }
  if (has_user(config)) return true;
  if (users->is_text()) return names_default(users->text);
  return std::any_of(users->items.begin(), users->items.end(), is_default);
}

bool is_root_let_in(const YamlValue& config) {
  const auto* disabled = find_entry(config, "disable_root");
  return disabled != nullptr && !is_true(*disabled);
}

}  // namespace vmr
