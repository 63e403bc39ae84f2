// SPDX-License-Identifier: MIT
// The table of every setting: its variable, default, meaning, and how its text becomes a value.
// Environment, TOML, `--set`, the help text and the documentation test all read this table.
#pragma once

#include "base/units.hpp"
#include "config/config.hpp"
#include "config/variables.hpp"

#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace vmr {

/// Parses `text` into a field of `Target`, with the origin; an empty text unsets it. When the text
/// is no value, says why and only marks the field; a text marked as invalid does the same silently.
template <typename Target>
struct Store {
  std::optional<Invalid> (*parse)(Target&, const Given<std::string>& text) = nullptr;
  ValueKind kind = ValueKind::text;

  std::optional<Invalid> operator()(Target& target, const Given<std::string>& text) const {
    return parse(target, text);
  }
};

/// A setting of `Target` (Config or ShareConfig).
template <typename Target>
struct Setting {
  std::string_view name;           ///< "MEMORY"; for shares without the prefix: "SOURCE"
  std::string_view default_value;  ///< as a user would write it; empty: unset
  std::string_view meaning;        ///< one line of documentation
  Store<Target> store;             ///< how its text becomes a value
  bool secret = false;             ///< its value is shown to nobody who does not ask for it
};

/// The settings of the VM, in the order they are documented.
std::span<const Setting<Config>> vm_settings();

/// The settings of one share, in the order they are documented.
std::span<const Setting<ShareConfig>> share_settings();

}  // namespace vmr
