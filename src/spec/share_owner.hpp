// SPDX-License-Identifier: MIT
// Who owns what in a share, and who may write there.
#pragma once

#include "config/config.hpp"
#include "host/host.hpp"
#include "spec/problems.hpp"
#include "spec/vm_spec.hpp"

namespace vmr {

/// The ids of the guest's login user. cloud-init gives its first user 1000, on every distribution.
Owner login_owner(const std::string& login_user);

/// Checks that virtiofsd can act as the `owner` of `config`.
void check_owner(const ShareConfig& config, const Host& host, Findings& findings);

/// Warns when the guest's login user, `guest_owner`, will not be able to write into `share`.
void check_write_access(const Share& share, const Owner& guest_owner, const Host& host,
                        Findings& findings);

}  // namespace vmr
