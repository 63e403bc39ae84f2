// SPDX-License-Identifier: MIT
#pragma once

#include "config/config.hpp"

#include <string>

namespace vmr {

/// Where the changes of the disk are kept that PERSIST keeps; absolute. `home` and
/// `working_folder` as in absolute_path.
std::string persistent_disk_of(const Config& config, const std::string& home,
                               const std::string& working_folder);

}  // namespace vmr
