// SPDX-License-Identifier: MIT
// What virtiofs needs from the host: the rules that depend on virtiofsd and on our privileges.
#pragma once

#include "config/config.hpp"
#include "host/host.hpp"
#include "spec/problems.hpp"
#include "spec/vm_spec.hpp"

#include <string>
#include <vector>

namespace vmr {

/// Checks that this host's virtiofsd can serve `config`; what is wrong goes into `findings`. No
/// hint speaks of the other driver.
void check_virtiofsd(const ShareConfig& config, const std::string& source, const Host& host,
                     Findings& findings);

/// What a root without some of its capabilities needs for virtiofsd and a sandbox: "CHOWN", …
std::vector<std::string> capabilities_to_add(const Host& host);

/// The sandbox for `config`: as asked, or the strongest that works here.
Sandbox choose_sandbox(const ShareConfig& config, const Host& host);

/// Says in one line which sandbox was chosen and what a stronger one would need, if one was chosen.
/// A warning when that is none, and for each share that was asked to go without.
void tell_sandbox(const std::vector<ShareConfig>& configs, const std::vector<Share>& shares,
                  const Host& host, Findings& findings);

}  // namespace vmr
