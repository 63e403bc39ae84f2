// SPDX-License-Identifier: MIT
#include "host/trusted_path.hpp"

#include "host/path_steps.hpp"

#include <fmt/format.h>

#include <sys/stat.h>
#include <unistd.h>

namespace vmr {

std::string find_stranger(const std::string& path) {
  struct stat root {};
  if (::lstat("/", &root) != 0) return "'/' cannot be looked at";
  auto names = follow_path(path).visited;
  names.insert(names.begin(), "/");
  for (const auto& name : names) {
    struct stat facts {};
    if (::lstat(name.c_str(), &facts) != 0) continue;
    // In a user namespace without the host's root, `/` still belongs to it, by another number.
    const bool is_ours =
        facts.st_uid == ::geteuid() || facts.st_uid == 0 || facts.st_uid == root.st_uid;
    if (!is_ours) return fmt::format("'{}' belongs to user {}", name, facts.st_uid);
    // In a folder with the sticky bit others cannot touch what is not theirs.
    const bool is_shared = S_ISDIR(facts.st_mode) && (facts.st_mode & S_ISVTX) != 0;
    const bool is_open = (facts.st_mode & (S_IWGRP | S_IWOTH)) != 0;
    if (is_open && !is_shared && !S_ISLNK(facts.st_mode)) {
      return fmt::format("others may write to '{}' (mode {:04o})", name, facts.st_mode & 07777);
    }
  }
  return {};
}

}  // namespace vmr
