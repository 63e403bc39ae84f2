// SPDX-License-Identifier: MIT
#include "plan/landlock_words.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <array>

namespace vmr {
namespace {

/// What host/landlock.cpp asks for, by the version that first has it.
struct Held {
  int version;
  const char* word;
  const char* meaning;
};

constexpr std::array<Held, 5> everything = {
    {{2, "files", "which files are opened, made and removed"},
     {3, "truncate", "which are cut off"},
     {4, "tcp", "which TCP ports are listened at"},
     {5, "ioctl", "which devices are given commands"},
     {6, "scope", "abstract sockets and signals to others"}}};

}  // namespace

std::vector<std::string> landlock_holds(const Confinement& confinement, int version) {
  std::vector<std::string> words;
  if (confinement.files.empty()) return words;
  for (const auto& held : everything) {
    if (version >= held.version) words.emplace_back(held.word);
  }
  return words;
}

bool holds_everything(int landlock_version) {
  return landlock_version >= everything.back().version;
}

std::string describe_landlock(const LaunchPlan& plan) {
  std::vector<std::string> held;
  std::vector<std::string> free;
  const auto sort = [&](const ProcessPlan& process) {
    (landlock_holds(process.confinement, plan.landlock).empty() ? free : held)
        .push_back(process.name);
  };
  sort(plan.attempts.front().process);
  for (const auto& share : plan.shares) {
    if (share.helper) sort(*share.helper);
  }
  if (held.empty()) return fmt::format("Landlock does not hold {}", fmt::join(free, ", "));
  std::vector<std::string> present;
  std::vector<std::string> absent;
  for (const auto& part : everything) {
    if (plan.landlock >= part.version) {
      present.emplace_back(part.meaning);
    } else {
      absent.push_back(fmt::format("{} (version {})", part.meaning, part.version));
    }
  }
  auto text = fmt::format("Landlock (version {}) holds, of {}: {}", plan.landlock,
                          fmt::join(held, ", "), fmt::join(present, "; "));
  if (!absent.empty()) text += fmt::format("; but not: {}", fmt::join(absent, "; "));
  if (!free.empty()) text += fmt::format("; and nothing of {}", fmt::join(free, ", "));
  return text;
}

}  // namespace vmr
