// SPDX-License-Identifier: MIT
// The rules of one share, and of all shares together.
#pragma once

#include "config/config.hpp"
#include "host/host.hpp"
#include "spec/problems.hpp"
#include "spec/vm_spec.hpp"

#include <vector>

namespace vmr {

/// Checks every share of `configs`; what is wrong goes into `findings`. A share with problems is
/// still in the result, as far as it is known.
/// `guest_owner` are the ids of the guest's login user.
std::vector<Share> resolve_shares(const std::vector<ShareConfig>& configs, const Host& host,
                                  const Owner& guest_owner, Findings& findings);

}  // namespace vmr
