// SPDX-License-Identifier: MIT
// What is in a folder that is to be shared, as far as a start can wait for it.
#pragma once

#include <string>

namespace vmr {

/// A symbolic link below `folder`, by its path from there, among the first 20,000 entries; those
/// nearest to `folder` are looked at first. Links are not followed, and folders that cannot be read
/// are left out. Empty: none was found.
std::string find_link(const std::string& folder);

}  // namespace vmr
