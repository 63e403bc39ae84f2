// SPDX-License-Identifier: MIT
#include "host/mounts.hpp"

#include <algorithm>
#include <cstddef>
#include <fstream>
#include <iterator>
#include <sstream>
#include <utility>
#include <vector>

namespace vmr {
namespace {

/// The kernel writes blanks, newlines and backslashes as three octal digits.
std::string unescape(const std::string& text) {
  const auto is_octal = [](char c) { return c >= '0' && c <= '7'; };
  std::string plain;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const bool is_escape = text[i] == '\\' && i + 3 < text.size() && is_octal(text[i + 1]) &&
                           is_octal(text[i + 2]) && is_octal(text[i + 3]);
    if (!is_escape) {
      plain += text[i];
      continue;
    }
    plain +=
        static_cast<char>((text[i + 1] - '0') * 64 + (text[i + 2] - '0') * 8 + (text[i + 3] - '0'));
    i += 3;
  }
  return plain;
}

bool is_at_or_below(const std::string& path, const std::string& folder) {
  if (folder == "/" || path == folder) return true;
  return path.starts_with(folder) && path.size() > folder.size() && path[folder.size()] == '/';
}

/// `folder` and what comes after it, either of which may be "/" or nothing.
std::string join(const std::string& folder, const std::string& rest) {
  const auto start = folder == "/" ? std::string() : folder;
  const auto end = rest == "/" ? std::string() : rest;
  const auto whole = start + (end.empty() || end.front() == '/' ? end : "/" + end);
  return whole.empty() ? "/" : whole;
}

/// What container engines put together of layers.
bool is_made_of_layers(const std::string& type) {
  return type == "overlay" || type == "fuse.fuse-overlayfs" || type == "aufs";
}

struct Mount {
  std::string device;
  std::string root;   ///< what of the device is seen here
  std::string point;  ///< where
  bool has_layers = false;
};

std::vector<Mount> read_mounts(std::string_view mountinfo) {
  std::vector<Mount> mounts;
  std::istringstream lines{std::string(mountinfo)};
  for (std::string line; std::getline(lines, line);) {
    // Number, parent, device, root, mount point, options, …, a dash, type, …
    std::istringstream words(line);
    std::string ignored;
    Mount mount;
    words >> ignored >> ignored >> mount.device >> mount.root >> mount.point;
    mount.root = unescape(mount.root);
    mount.point = unescape(mount.point);
    for (std::string word; words >> word && word != "-";) {
    }
    std::string type;
    words >> type;
    mount.has_layers = is_made_of_layers(type);
    if (!mount.point.empty()) mounts.push_back(std::move(mount));
  }
  return mounts;
}

std::string own_mountinfo() {
  std::ifstream file("/proc/self/mountinfo", std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

}  // namespace

PlaceOfPath find_place(const std::string& path, std::string_view mountinfo) {
  PlaceOfPath found;
  std::size_t longest = 0;
  for (const auto& mount : read_mounts(mountinfo)) {
    // Of several on one point the last is on top.
    if (mount.point.size() < longest || !is_at_or_below(path, mount.point)) continue;
    longest = mount.point.size();
    const bool is_root = mount.point == "/";
    const auto rest = is_root ? path : path.substr(mount.point.size());
    found = {mount.device + " " + join(mount.root, rest), is_root, is_root && mount.has_layers};
  }
  return found;
}

PlaceOfPath find_place(const std::string& path) {
  return find_place(path, own_mountinfo());
}

std::vector<std::string> find_mounts_below(const std::string& folder, std::string_view mountinfo) {
  std::vector<std::string> places;
  for (const auto& mount : read_mounts(mountinfo)) {
    if (mount.point == folder || !is_at_or_below(mount.point, folder)) continue;
    places.push_back(mount.device + " " + mount.root);
  }
  return places;
}

std::vector<std::string> find_mounts_below(const std::string& folder) {
  return find_mounts_below(folder, own_mountinfo());
}

bool is_mount_point(const std::string& path) {
  const auto mounts = read_mounts(own_mountinfo());
  return std::any_of(mounts.begin(), mounts.end(),
                     [&](const Mount& mount) { return mount.point == path; });
}

}  // namespace vmr
