// SPDX-License-Identifier: MIT
#include "host/path_steps.hpp"

#include <filesystem>
#include <iterator>

namespace vmr {
namespace {

namespace fs = std::filesystem;

/// As many as Linux follows.
constexpr int most_links = 40;

/// The parts of a path, the first one at the end.
std::vector<fs::path> reversed_parts(const fs::path& path) {
  const auto relative = path.relative_path();
  std::vector<fs::path> parts(relative.begin(), relative.end());
  return {std::make_move_iterator(parts.rbegin()), std::make_move_iterator(parts.rend())};
}

}  // namespace

PathSteps follow_path(const std::string& path) {
  PathSteps steps;
  fs::path here = "/";
  auto parts = reversed_parts(path);
  int links = 0;
  while (!parts.empty()) {
    const auto part = std::move(parts.back());
    parts.pop_back();
    if (part.empty() || part == ".") continue;
    if (part == "..") {
      if (here.has_relative_path()) steps.passed.push_back(here.string());
      here = here.parent_path();
      continue;
    }
    const auto name = here / part;
    steps.visited.push_back(name.string());
    std::error_code no_link;
    const auto target = fs::read_symlink(name, no_link);
    if (no_link || ++links > most_links) {
      here = name;
      continue;
    }
    steps.passed.push_back(name.string());
    const auto more = reversed_parts(target);
    parts.insert(parts.end(), more.begin(), more.end());
    if (target.is_absolute()) here = "/";
  }
  steps.end = here.string();
  return steps;
}

}  // namespace vmr
