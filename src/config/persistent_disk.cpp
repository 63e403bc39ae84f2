// SPDX-License-Identifier: MIT
#include "config/persistent_disk.hpp"

#include "base/paths.hpp"

#include <fmt/format.h>

namespace vmr {

std::string persistent_disk_of(const Config& config, const std::string& home,
                               const std::string& working_folder) {
  const auto& folder = config.data_dir.value;
  return fmt::format(
      "{}/{}.qcow2",
      absolute_path(folder.empty() ? "~/.local/share/vm-runner" : folder, home, working_folder),
      config.guest_name.value);
}

}  // namespace vmr
