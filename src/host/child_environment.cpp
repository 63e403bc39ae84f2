// SPDX-License-Identifier: MIT
#include "host/child_environment.hpp"

#include <algorithm>
#include <array>
#include <filesystem>
#include <string_view>
#include <system_error>
#include <unistd.h>

namespace vmr {
namespace {

using Names = std::string_view;

constexpr auto for_the_launcher =
    std::to_array<Names>({"GUEST_PASSWORD=", "NOTIFY_SOCKET=", "WATCHDOG_USEC=", "WATCHDOG_PID="});

/// A variable that names folders or files, and what stands between several; "": it names one.
struct PathVariable {
  Names start;
  Names separators;
  bool has_names = false;  ///< what is without a slash is no path
};
constexpr auto path_variables = std::to_array<PathVariable>({
    {"HOME=", ""},
    {"LD_LIBRARY_PATH=", ":;"},
    {"LD_PRELOAD=", ": ", true},
    {"PATH=", ":"},
    {"QEMU_MODULE_DIR=", ""},
    {"TMPDIR=", ""},
});

bool is_for_the_launcher(Names entry) {
  return std::any_of(for_the_launcher.begin(), for_the_launcher.end(),
                     [&](Names start) { return entry.starts_with(start); });
}

/// `value` with its relative parts absolute. An empty one stays, which then means the root folder.
std::string absolute_parts(Names value, const PathVariable& variable, const std::string& folder) {
  std::string whole;
  while (true) {
    const auto part = value.substr(0, value.find_first_of(variable.separators));
    const bool is_name = part.empty() || (variable.has_names && part.find('/') == part.npos);
    if (!is_name && !part.starts_with('/')) whole.append(folder).append("/");
    whole.append(part);
    if (part.size() == value.size()) return whole;
    whole += value[part.size()];
    value.remove_prefix(part.size() + 1);
  }
}

/// The same as `entry` where nothing in it is relative.
std::string absolute_entry(Names entry) {
  for (const auto& variable : path_variables) {
    if (!entry.starts_with(variable.start)) continue;
    std::error_code removed;
    const auto folder = std::filesystem::current_path(removed).string();
    // Nothing can be found from a folder that is gone.
    if (removed) break;
    const auto value = entry.substr(variable.start.size());
    return std::string(variable.start) + absolute_parts(value, variable, folder);
  }
  return std::string(entry);
}

}  // namespace

ChildEnvironment::ChildEnvironment(const std::string& temporary_folder) {
  constexpr Names temporary = "TMPDIR=";
  for (char** entry = ::environ; *entry != nullptr; ++entry) {
    const bool is_replaced = !temporary_folder.empty() && Names(*entry).starts_with(temporary);
    if (!is_replaced && !is_for_the_launcher(*entry)) made_.push_back(absolute_entry(*entry));
  }
  if (!temporary_folder.empty()) made_.push_back(std::string(temporary) + temporary_folder);
  for (const auto& entry : made_) pointers_.push_back(entry.c_str());
  pointers_.push_back(nullptr);
}

}  // namespace vmr
