// SPDX-License-Identifier: MIT
// Reads option texts as the programs do that get them; written apart from the code that makes them.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace vmr::test {

using KeyValues = std::vector<std::pair<std::string, std::string>>;

/// Takes a value and the comma behind it from `rest`; a doubled comma is one comma of the value.
inline std::string take_qemu_value(std::string_view& rest) {
  std::string value;
  while (!rest.empty()) {
    const bool comma = rest.front() == ',';
    if (comma) rest.remove_prefix(1);
    if (comma && !rest.starts_with(',')) break;
    value += rest.front();
    rest.remove_prefix(1);
  }
  return value;
}

/// QEMU's "first,key=value,…": the first `=` ends the key. A first item without `=` is the value
/// of `implied_key`; any other is a switch, "on".
inline KeyValues parse_qemu_option(std::string_view text, const std::string& implied_key = {}) {
  KeyValues found;
  while (!text.empty()) {
    const auto name_end = text.find_first_of("=,");
    const bool has_key = name_end != text.npos && text[name_end] == '=';
    std::string key(text.substr(0, has_key ? name_end : 0));
    if (has_key) text.remove_prefix(name_end + 1);
    auto value = take_qemu_value(text);
    if (has_key) {
      found.emplace_back(key, value);
    } else if (found.empty() && !implied_key.empty()) {
      found.emplace_back(implied_key, value);
    } else {
      found.emplace_back(value, "on");
    }
  }
  return found;
}

/// What follows one `-o` of the C virtiofsd (libfuse's fuse_opt): commas separate, a backslash
/// takes the next character as it is, or three octal digits as a byte.
inline std::vector<std::string> parse_fuse_options(std::string_view text) {
  const auto is_octal = [&](std::size_t at, char highest) {
    return at < text.size() && text[at] >= '0' && text[at] <= highest;
  };
  std::vector<std::string> options(1);
  for (std::size_t at = 0; at < text.size(); ++at) {
    if (text[at] == ',') {
      options.emplace_back();
    } else if (text[at] != '\\' || at + 1 == text.size()) {
      options.back() += text[at];
    } else if (is_octal(at + 1, '3') && is_octal(at + 2, '7') && is_octal(at + 3, '7')) {
      options.back() += static_cast<char>((text[at + 1] - '0') * 64 + (text[at + 2] - '0') * 8 +
                                          (text[at + 3] - '0'));
      at += 3;
    } else {
      options.back() += text[++at];
    }
  }
  return options;
}

}  // namespace vmr::test
