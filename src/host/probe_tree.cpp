// SPDX-License-Identifier: MIT
#include "host/probe_tree.hpp"

#include <deque>
#include <filesystem>

namespace vmr {
namespace {

namespace fs = std::filesystem;

/// Some 50 ms of looking.
constexpr int most_entries = 20'000;

}  // namespace

std::string find_link(const std::string& folder) {
  std::deque<fs::path> folders = {folder};
  int seen = 0;
  for (; !folders.empty(); folders.pop_front()) {
    std::error_code error;
    fs::directory_iterator entry(folders.front(), error);
    for (; !error && entry != fs::directory_iterator(); entry.increment(error)) {
      if (++seen > most_entries) return {};
      std::error_code unknown;
      const auto kind = entry->symlink_status(unknown).type();
      if (kind == fs::file_type::symlink) return entry->path().lexically_relative(folder).string();
      if (kind == fs::file_type::directory) folders.push_back(entry->path());
    }
  }
  return {};
}

}  // namespace vmr
