// SPDX-License-Identifier: MIT
// Which file system a folder is on, and what that means for what is made in it.
#pragma once

#include <string>

namespace vmr {

/// "ext4" for the type that statfs(2) tells; a number in hex when we know no name. Pure.
std::string file_system_name(long type);

/// The name of the file system that `path` is on, where that shows what the kernel has and holds
/// nothing of users; empty: another, or nobody can tell.
std::string kernel_file_system_of(const std::string& path);

/// Whether the file system of `path` surely refuses extended attributes of users ("user.…").
bool lacks_user_attributes(const std::string& path);

/// Why nothing of a user's can be made in the folder `path`, which is there, with its name: we may
/// not, or it is on a file system of the kernel's own; empty: it can. Changes nothing.
std::string find_obstacle_in(const std::string& path);

}  // namespace vmr
