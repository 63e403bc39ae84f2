// SPDX-License-Identifier: MIT
// What a guest must not be handed: the files that decide what the next start opens and executes.
#pragma once

#include "config/config.hpp"
#include "host/host.hpp"
#include "spec/problems.hpp"
#include "spec/vm_spec.hpp"

namespace vmr {

/// Refuses a writable share that has one of start_paths() in it, or a link on the way to one, or
/// that is in a folder whose contents decide: what the guest wrote there would count at the next
/// start. ALLOW_IN_SHARE lets it be.
void check_exposed_files(const Config& config, const ShareConfig& asked, const Share& share,
                         const Host& host, Findings& findings);

}  // namespace vmr
