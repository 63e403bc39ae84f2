// SPDX-License-Identifier: MIT
#pragma once

#include "host/host.hpp"

#include <optional>
#include <string>
#include <vector>

namespace vmr {

/// What a path turned out to be: a guest, or why it is none.
struct FoundGuest {
  std::optional<GuestImage> guest;
  std::string problem;                 ///< of the path itself
  std::vector<Problem> toml_problems;  ///< of the guest.toml in it, with their lines
  std::string toml{};                  ///< the path of that; empty: none was read
};

/// The guest at `path`: a disk image, or a folder with a guest.toml.
FoundGuest find_guest(const std::string& path);

}  // namespace vmr
