// SPDX-License-Identifier: MIT
#pragma once

#include "base/unique_fd.hpp"

#include <array>
#include <chrono>
#include <filesystem>
#include <poll.h>
#include <string>
#include <sys/inotify.h>
#include <unistd.h>

namespace vmr::test {

/// Waits until somebody has made the file `path` in a folder that there is; false after `limit`.
inline bool wait_for_file(const std::string& path,
                          std::chrono::seconds limit = std::chrono::seconds(120)) {
  const auto end = std::chrono::steady_clock::now() + limit;
  const UniqueFd watch(::inotify_init1(IN_CLOEXEC));
  const auto folder = std::filesystem::path(path).parent_path();
  if (::inotify_add_watch(watch.get(), folder.c_str(), IN_CREATE | IN_MOVED_TO) < 0) return false;
  while (!std::filesystem::exists(path)) {
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(
        end - std::chrono::steady_clock::now());
    pollfd ready{watch.get(), POLLIN, 0};
    if (left.count() <= 0 || ::poll(&ready, 1, static_cast<int>(left.count())) == 0) return false;
    std::array<char, 4096> events;
    if (::read(watch.get(), events.data(), events.size()) <= 0) return false;
  }
  return true;
}

}  // namespace vmr::test
