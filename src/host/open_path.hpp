// SPDX-License-Identifier: MIT
// Opening what was looked at before, and nothing that took its place by a link.
#pragma once

#include "base/unique_fd.hpp"

#include <string>

namespace vmr {

/// The file or folder at the absolute `path`, as a name of it that allows nothing more (O_PATH).
/// With `follow_links` off no part of the path may be a symbolic link. Throws Error.
UniqueFd open_path(const std::string& path, bool follow_links);

}  // namespace vmr
