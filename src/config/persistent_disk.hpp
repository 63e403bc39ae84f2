// SPDX-License-Identifier: MIT
#pragma once

#include "config/config.hpp"

#include <string>

namespace vmr {

/// Where the disk is that PERSIST keeps; absolute. `home` and `working_folder` as in absolute_path.
/// Without a DATA_DIR it is in /data where `has_data_volume`.
std::string persistent_disk_of(const Config& config, const std::string& home,
                               const std::string& working_folder, bool has_data_volume);

/// Whether somebody named that folder; otherwise it is where HOME leads to.
bool names_data_folder(const Config& config, bool has_data_volume);

/// Whether a new one is a full copy of the image.
bool is_made_as_copy(const Config& config, bool in_container);

}  // namespace vmr
