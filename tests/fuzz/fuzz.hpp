// SPDX-License-Identifier: MIT
// What every fuzz target has: see scripts/fuzz.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

namespace vmr::fuzz {

/// Ends the program with `what`, which libFuzzer takes for a finding, unless it `holds`.
inline void require(bool holds, const std::string& what) {
  if (holds) return;
  std::fprintf(stderr, "does not hold: %s\n", what.c_str());
  std::abort();
}

inline std::string_view text_of(const std::uint8_t* data, std::size_t size) {
  return {reinterpret_cast<const char*>(data), size};
}

/// The parts of the input between its NULs, none of which can be in a word or a variable.
inline std::vector<std::string> split_at_nul(std::string_view text) {
  std::vector<std::string> parts;
  for (auto end = text.find('\0'); end != text.npos; end = text.find('\0')) {
    parts.emplace_back(text.substr(0, end));
    text.remove_prefix(end + 1);
  }
  parts.emplace_back(text);
  return parts;
}

}  // namespace vmr::fuzz
