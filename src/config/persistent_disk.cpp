// SPDX-License-Identifier: MIT
#include "config/persistent_disk.hpp"

#include "base/paths.hpp"

#include <fmt/format.h>

namespace vmr {

std::string persistent_disk_of(const Config& config, const std::string& home,
                               const std::string& working_folder, bool has_data_volume) {
  const std::string otherwise = has_data_volume ? "/data" : "~/.local/share/vm-runner";
  const auto& folder = config.data_dir.value;
  return fmt::format("{}/{}.qcow2",
                     absolute_path(folder.empty() ? otherwise : folder, home, working_folder),
                     config.guest_name.value);
}

bool names_data_folder(const Config& config, bool has_data_volume) {
  const auto& folder = config.data_dir.value;
  return folder.empty() ? has_data_volume : !(folder == "~" || folder.starts_with("~/"));
}

bool is_made_as_copy(const Config& config, bool in_container) {
  const auto wished = config.persist_base.value;
  return wished == PersistBase::copy || (wished == PersistBase::automatic && in_container);
}

}  // namespace vmr
