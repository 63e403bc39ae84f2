// SPDX-License-Identifier: MIT
// Whether somebody else could choose what is found at a path.
#pragma once

#include <string>

namespace vmr {

/// Who could put something else at the absolute `path`: "'/home/me' belongs to user 1000", "others
/// may write to '/opt/x' (mode 0777)". Empty: nobody but this user and root. Every part counts,
/// also of what links lead to; of what is missing, what is there of the way.
std::string find_stranger(const std::string& path);

}  // namespace vmr
