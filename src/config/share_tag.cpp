// SPDX-License-Identifier: MIT
#include "config/share_tag.hpp"

#include <algorithm>
#include <array>

namespace vmr {

std::size_t longest_tag(Driver driver) {
  constexpr std::size_t of_virtiofs = 36;
  constexpr std::size_t of_9p = 31;
  return driver == Driver::ninep ? of_9p : of_virtiofs;
}

bool has_control_character(std::string_view text) {
  return std::any_of(text.begin(), text.end(), [](char c) {
    return static_cast<unsigned char>(c) < 0x20 || static_cast<unsigned char>(c) == 0x7f;
  });
}

bool names_a_disk(std::string_view tag) {
  constexpr std::array<std::string_view, 5> prefixes = {
      "LABEL=", "UUID=", "PARTLABEL=", "PARTUUID=", "ID="};
  return std::any_of(prefixes.begin(), prefixes.end(),
                     [&](auto prefix) { return tag.starts_with(prefix); });
}

bool is_folder_name(std::string_view tag) {
  return tag != "." && tag != ".." && tag.find('/') == tag.npos;
}

}  // namespace vmr
