// SPDX-License-Identifier: MIT
// A configuration file, written. `config` prints the settings of now with it, `import` those that
// it has made of a libvirt domain.
#pragma once

#include "config/variables.hpp"

#include <map>
#include <string>
#include <vector>

namespace vmr {

/// A setting as one line of a configuration file.
struct TomlLine {
  SettingKey key;
  std::string text;         ///< its value, as a variable has it
  std::string comment{};    ///< behind it; may be empty
  bool is_comment = false;  ///< all of it is one: it says nothing when the file is read

  bool operator==(const TomlLine&) const = default;
};

/// Lines of comment above what they are about.
struct TomlNotes {
  std::vector<std::string> file;                     ///< above everything
  std::map<int, std::vector<std::string>> shares{};  ///< by the share's number, above its [[share]]
};

/// Whether a configuration file can hold this value: it has to be UTF-8.
bool fits_toml(const std::string& text);

/// The file with these settings in their order: those of the VM before those of the shares, each
/// share's together. read_toml() finds in it exactly the texts of the lines that are no comments,
/// but yes and no as true and false, and words quoted anew; they must fit. Comments may hold
/// anything.
std::string print_toml(const std::vector<TomlLine>& lines, const TomlNotes& notes = {});

}  // namespace vmr
