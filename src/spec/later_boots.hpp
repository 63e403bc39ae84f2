// SPDX-License-Identifier: MIT
// What user-data does to the boots after the first, at which the shares are mounted anew.
#pragma once

#include "spec/yaml_value.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace vmr {

/// What in `config` keeps later boots from mounting what they should, as half sentences: "its
/// datasource_list is without NoCloud". As far as it can be seen: commands are looked through for
/// the names of what turns cloud-init off.
std::vector<std::string> find_later_faults(const YamlValue& config);

/// The same of a script.
std::vector<std::string> find_later_faults(std::string_view script);

}  // namespace vmr
