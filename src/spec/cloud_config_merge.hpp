// SPDX-License-Identifier: MIT
// How cloud-init joins the cloud-configs of several parts: its mergers, and JSON patches.
#pragma once

#include "spec/yaml_value.hpp"

#include <string>

namespace vmr {

/// Joins `part` to `config`, as its own merge_how, else `merge_type` (of a header), else the
/// default say: then a later part replaces whole keys. False where cloud-init cannot and leaves
/// `config` as it was.
bool merge_cloud_config(YamlValue& config, YamlValue part, const std::string& merge_type);

/// Applies `patch` (RFC 6902). False where it does not fit, and `config` is as it was.
bool apply_json_patch(YamlValue& config, const YamlValue& patch);

}  // namespace vmr
