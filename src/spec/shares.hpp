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

/// A share that comes to a machine that runs, with its warnings, or every reason why it cannot.
struct AddedShare {
  Share share;  ///< meaningful only without problems
  std::vector<Problem> problems;
  std::vector<std::string> warnings;
};

/// Checks the one share of `config` against every rule, and against the `present` shares.
AddedShare resolve_added_share(const Config& config, const std::vector<Share>& present,
                               const Host& host);

}  // namespace vmr
