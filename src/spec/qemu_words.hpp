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

/// Reads both notations: key=value with doubled commas, and an object of JSON. Empty for what is
/// neither.
QemuKeys read_keys(const std::string& text);

/// The last value of `key`, which is the one that counts; empty: none.
std::string last_value(const QemuKeys& keys, const std::string& key);

/// `word` is the option `name`, with one dash or two.
bool is_option(std::string_view word, std::string_view name);

/// An option as it stands on a command line.
struct QemuOptionWords {
  std::string name;   ///< "m", without its dashes
  std::string value;  ///< empty: none
  std::string text;   ///< both, as they were written

  bool operator==(const QemuOptionWords&) const = default;
};

/// The options of a command line. A word that begins with a dash is the value only of the options
/// in `takers`, which always have one; a word that is no option's is left out.
std::vector<QemuOptionWords> split_options(const std::vector<std::string>& words,
                                           const std::vector<std::string_view>& takers);

}  // namespace vmr
