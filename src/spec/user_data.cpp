// SPDX-License-Identifier: MIT
#include "spec/user_data.hpp"

#include <yaml-cpp/yaml.h>

namespace vmr {

bool turns_vendor_data_off(const std::string& user_data) {
  const bool is_config =
      user_data.starts_with("#cloud-config") || user_data.find("\n#cloud-config") != user_data.npos;
  if (!is_config) return false;
  try {
    const auto enabled = YAML::Load(user_data)["vendor_data"]["enabled"];
    return enabled.IsDefined() && !enabled.as<bool>(true);
  } catch (const YAML::Exception&) {
    // Not ours to judge: the guest's cloud-init reports it.
    return false;
  }
}

}  // namespace vmr
