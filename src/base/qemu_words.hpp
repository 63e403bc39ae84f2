// SPDX-License-Identifier: MIT
// QEMU's command line, taken apart as QEMU does it.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace vmr {

/// What stands behind an option, "first,key=value,…", by key. The first word, if it has no key, is
/// under "", and so is what -object calls qom-type and -device in JSON driver.
using QemuKeys = std::multimap<std::string, std::string>;

/// Reads both notations: key=value with doubled commas, where a switch may stand alone, and an
/// object of JSON. Empty for what is neither.
QemuKeys read_keys(const std::string& text);

/// What a string in JSON means that is `written` between two of `quote`, of which QEMU takes both
/// kinds. As it is if it is none.
std::string without_json_escapes(const std::string& written, char quote);

/// The last value of `key`, which is the one that counts; empty: none.
std::string last_value(const QemuKeys& keys, const std::string& key);

/// Whether QEMU takes the `value` of a switch for on.
bool is_on(std::string_view value);

/// `word` is the option `name`, with one dash or two.
bool is_option(std::string_view word, std::string_view name);

/// An option as it stands on a command line.
struct QemuOptionWords {
  std::string name;                ///< "m", without its dashes; empty: a word that is no option's
  std::string value;               ///< empty: none
  std::string text;                ///< both, as they were written
  std::vector<std::string> words;  ///< the same, one or two of them

  bool operator==(const QemuOptionWords&) const = default;
};

/// Whether the word behind this option is its value whatever it looks like.
bool takes_value(std::string_view name);

/// Whether QEMU 7.2 to 10 has an option of this name.
bool is_known_option(std::string_view name);

/// The options of a command line as QEMU takes them; what is no option's QEMU takes for a disk.
/// The word behind an option that is unknown here is its value if it does not begin with a dash.
std::vector<QemuOptionWords> split_options(const std::vector<std::string>& words);

}  // namespace vmr
