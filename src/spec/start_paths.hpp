// SPDX-License-Identifier: MIT
// Every path that decides what a start opens or executes, in one list.
#pragma once

#include "config/config.hpp"
#include "host/host.hpp"

#include <optional>
#include <string>
#include <vector>

namespace vmr {

/// A path that decides a start: whoever can write to it chooses what the next one does.
struct StartPath {
  std::string what;                 ///< for people: "KERNEL", "the runtime directory"
  std::string path;                 ///< absolute
  std::string place{};              ///< where it was said: "vm.toml:3"; empty: it was not
  std::optional<StartKind> kind{};  ///< its word in ALLOW_IN_SHARE; none: nothing allows it
  bool with_all_below = false;      ///< a folder whose contents count, whatever they are

  bool operator==(const StartPath&) const = default;
};

/// All of them, by what the configuration and the host tell. Pure.
std::vector<StartPath> start_paths(const Config& config, const Host& host);

/// The paths alone, for whoever looks at what is there.
std::vector<std::string> paths_of(const std::vector<StartPath>& starts);

}  // namespace vmr
