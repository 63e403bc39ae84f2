// SPDX-License-Identifier: MIT
#pragma once

#include "spec/yaml_value.hpp"

#include <optional>
#include <string>

namespace vmr {

/// What a scalar without quotes and without a tag is in YAML 1.1.
YamlValue resolve_plain_scalar(const std::string& text);

/// What a scalar with the tag "!!<type>" is; none where the tag does not fit it.
std::optional<YamlValue> read_tagged_scalar(const std::string& type, const std::string& text);

}  // namespace vmr
