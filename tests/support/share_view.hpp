// SPDX-License-Identifier: MIT
// What a thing made in a share looks like. The guest's probe and the tests on the host use the same
// words, so that both sides can be compared. Nothing but libc and the standard library: the probe
// is linked statically.
#pragma once

#include <array>
#include <cstdio>
#include <fstream>
#include <iterator>
#include <string>
#include <string_view>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>
#include <unistd.h>

namespace vmr::test {

/// What the probe tries, in the order of the table. All but "write" are made by the probe itself;
/// "write" changes a file that the host has put there.
inline constexpr std::array<std::string_view, 11> probe_steps = {
    "file",  "folder", "fifo",  "socket",    "device", "symlink",
    "chmod", "chown",  "xattr", "hard link", "write"};

/// The name, in the probed folder, of what the user `uid` makes in `step`.
inline std::string probe_name(const std::string& uid, std::string_view step) {
  return step == "write" ? "given" : uid + "-" + std::string(step.substr(step.find(' ') + 1));
}

inline std::string_view kind_of(const struct stat& facts) {
  if (S_ISREG(facts.st_mode)) return "file";
  if (S_ISDIR(facts.st_mode)) return "folder";
  if (S_ISFIFO(facts.st_mode)) return "fifo";
  if (S_ISSOCK(facts.st_mode)) return "socket";
  if (S_ISLNK(facts.st_mode)) return "symlink";
  const bool is_null = S_ISCHR(facts.st_mode) && facts.st_rdev == ::makedev(1, 3);
  return is_null ? "device" : "other device";
}

inline std::string owner_of(const struct stat& facts) {
  return std::to_string(facts.st_uid) + ":" + std::to_string(facts.st_gid);
}

inline std::string mode_of(const struct stat& facts) {
  std::array<char, 8> text{};
  std::snprintf(text.data(), text.size(), "%04o", facts.st_mode & 07777U);
  return text.data();
}

/// Where the symbolic link at `path` leads, or what the file in its place holds.
inline std::string view_symlink(const std::string& path, const struct stat& facts) {
  if (!S_ISLNK(facts.st_mode)) {
    std::ifstream file(path);
    return std::string(kind_of(facts)) + " with '" +
           std::string(std::istreambuf_iterator<char>(file), {}) + "'";
  }
  std::array<char, 100> target{};
  const auto size = ::readlink(path.c_str(), target.data(), target.size());
  return "to " + std::string(target.data(), size < 0 ? 0 : static_cast<std::size_t>(size));
}

inline std::string view_xattr(const std::string& path) {
  std::array<char, 100> value{};
  const auto size = ::lgetxattr(path.c_str(), "user.note", value.data(), value.size());
  return size < 0 ? "none" : std::string(value.data(), static_cast<std::size_t>(size));
}

/// What can be seen at `path` of a `step` that was done; empty when nothing is there.
inline std::string view(std::string_view step, const std::string& path) {
  struct stat facts {};
  if (::lstat(path.c_str(), &facts) != 0) return {};
  if (step == "chmod") return mode_of(facts);
  if (step == "chown") return owner_of(facts);
  if (step == "hard link") return std::to_string(facts.st_nlink) + " links";
  if (step == "symlink") return view_symlink(path, facts);
  if (step == "xattr") return view_xattr(path);
  if (step == "write") return facts.st_size == 0 ? "unchanged" : "written";
  const auto kind = kind_of(facts);
  return (kind == step ? std::string() : std::string(kind) + " ") + owner_of(facts) + " " +
         mode_of(facts);
}

}  // namespace vmr::test
