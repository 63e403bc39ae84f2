// SPDX-License-Identifier: MIT
// The names of a share in the guest: its tag and its mount folder.
#pragma once

#include "config/config.hpp"
#include "spec/problems.hpp"
#include "spec/vm_spec.hpp"

#include <string>
#include <vector>

namespace vmr {

/// The tag of a share of the absolute `source`; empty when there is neither a tag nor a source.
std::string tag_of(const ShareConfig& config, const std::string& source);

/// The mount folder of a share with this `tag`; empty when it has neither. A given one is checked.
std::string resolve_mount(const ShareConfig& config, const std::string& tag, Findings& findings);

/// Checks the tag of `share`.
void check_tag(const ShareConfig& config, const Share& share, Findings& findings);

/// Refuses a share that the guest could not tell from one of the `earlier` ones, or that would hide
/// it; each at most once.
void check_names(const ShareConfig& config, const Share& share, const std::vector<Share>& earlier,
                 Findings& findings);

}  // namespace vmr
