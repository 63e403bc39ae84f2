// SPDX-License-Identifier: MIT
#pragma once

#include "config/config.hpp"
#include "host/host.hpp"

namespace vmr {

/// Looks at the disks of the guest and at those among the user's own arguments, with the images
/// behind them, and at the place and the record of the persistent disk. Part of probe_files().
void probe_disks(const Config& config, Host& host);

}  // namespace vmr
