// SPDX-License-Identifier: MIT
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace vmr {

/// Where a path is, whichever mount leads to it.
struct PlaceOfPath {
  std::string place;             ///< its device, a blank, and its path on that: "8:1 /srv/data"
  bool on_root_mount = false;    ///< it is on the mount of `/`
  bool root_has_layers = false;  ///< and that is layers over each other
};

/// By the text of /proc/self/mountinfo; `path` is absolute, without symbolic links. An empty place:
/// the text does not tell.
PlaceOfPath find_place(const std::string& path, std::string_view mountinfo);

/// By this process's own mounts.
PlaceOfPath find_place(const std::string& path);

/// The places of what is mounted below `folder`, which is a real path.
std::vector<std::string> find_mounts_below(const std::string& folder, std::string_view mountinfo);
std::vector<std::string> find_mounts_below(const std::string& folder);

/// Whether something is mounted at exactly this path.
bool is_mount_point(const std::string& path);

}  // namespace vmr
