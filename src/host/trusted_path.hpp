// SPDX-License-Identifier: MIT
// Whether somebody else could choose what is found at a path.
#pragma once

#include <string>

namespace vmr {

/// Who could put something else at the absolute `path`: "'/home/me' belongs to user 1000", "others
/// may write to '/opt/x' (mode 0777)". Empty: nobody but this user and root. Every part counts,
/// also of what links lead to; of what is missing, what is there of the way.
std::string find_stranger(const std::string& path);

/// The same of a path that somebody named: also whoever owns what it leads to, or of what is
/// missing the folder it would be made in, may own folders on the way. A link of theirs may not
/// lead elsewhere, and the mode of a file at the end says nothing.
std::string find_other_stranger(const std::string& path);

}  // namespace vmr
