// SPDX-License-Identifier: MIT
#pragma once

#include <string>
#include <string_view>

namespace vmr {

/// `path` absolute: a leading `~` becomes `home`, a relative one starts at `working_folder`; `.`,
/// repeated and trailing slashes are taken out. `..` stays: what it means depends on symbolic
/// links.
std::string absolute_path(std::string_view path, std::string_view home,
                          std::string_view working_folder);

}  // namespace vmr
