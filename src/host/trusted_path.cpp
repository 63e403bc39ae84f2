// SPDX-License-Identifier: MIT
#include "host/trusted_path.hpp"

#include "host/path_steps.hpp"

#include <fmt/format.h>

#include <optional>
#include <sys/stat.h>
#include <unistd.h>
#include <vector>

namespace vmr {

namespace {

/// What to look at: everything on the way, from the root on.
std::vector<std::string> parts_of(const std::string& path) {
  auto names = follow_path(path).visited;
  names.insert(names.begin(), "/");
  return names;
}

/// `named`: whose folders do as well.
std::string find_stranger_among(const std::vector<std::string>& names, std::optional<uid_t> named) {
  struct stat root {};
  if (::lstat("/", &root) != 0) return "'/' cannot be looked at";
  for (const auto& name : names) {
    struct stat facts {};
    if (::lstat(name.c_str(), &facts) != 0) continue;
    const bool is_link = S_ISLNK(facts.st_mode);
    const bool is_named = named == facts.st_uid && !is_link;
    // In a user namespace without the host's root, `/` still belongs to it, by another number.
    const bool is_ours =
        facts.st_uid == ::geteuid() || facts.st_uid == 0 || facts.st_uid == root.st_uid;
    if (!is_ours && !is_named) return fmt::format("'{}' belongs to user {}", name, facts.st_uid);
    // In a folder with the sticky bit others cannot touch what is not theirs.
    const bool is_shared = S_ISDIR(facts.st_mode) && (facts.st_mode & S_ISVTX) != 0;
    const bool is_open = (facts.st_mode & (S_IWGRP | S_IWOTH)) != 0;
    if (is_open && !is_shared && !is_link && !(named && S_ISREG(facts.st_mode))) {
      return fmt::format("others may write to '{}' (mode {:04o})", name, facts.st_mode & 07777);
    }
  }
  return {};
}

}  // namespace

std::string find_stranger(const std::string& path) {
  return find_stranger_among(parts_of(path), std::nullopt);
}

std::string find_other_stranger(const std::string& path) {
  const auto names = parts_of(path);
  struct stat end {};
  for (auto name = names.rbegin(); name != names.rend(); ++name) {
    if (::lstat(name->c_str(), &end) == 0 && !S_ISLNK(end.st_mode)) break;
  }
  return find_stranger_among(names, end.st_uid);
}

}  // namespace vmr
