// SPDX-License-Identifier: MIT
// Whether cloud-init takes our vendor-data, in which the mounts and the login are.
#pragma once

#include "spec/yaml_value.hpp"

#include <string>

namespace vmr {

/// The setting of `config` with which cloud-init would not run our mounts, as YAML for people;
/// empty: it runs them.
std::string setting_against_mounts(const YamlValue& config);

/// Whether cloud-init would not take the login from our vendor-data.
bool is_login_disabled(const YamlValue& config);

}  // namespace vmr
