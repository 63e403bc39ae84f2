// SPDX-License-Identifier: MIT
// What a guest must not be handed: the files that decide what the next start opens and executes.
#pragma once

#include "config/config.hpp"
#include "host/host.hpp"
#include "spec/problems.hpp"
#include "spec/vm_spec.hpp"

#include <span>

namespace vmr {

/// Refuses a writable share that has one of start_paths() in it, or a link on the way to one, or
/// that is in a folder whose contents decide: what the guest wrote there would count at the next
/// start. ALLOW_IN_SHARE lets it be.
void check_exposed_files(const Config& config, const ShareConfig& asked, const Share& share,
                         const Host& host, Findings& findings);

/// Refuses a source when a part of the way to it, or to one of `others`, is in a writable share,
/// and the guest may put a link in its place: the next to be started would lead wherever it says.
/// `share` may be among `others`.
void check_ways_to_sources(const Config& config, const ShareConfig& asked, const Share& share,
                           std::span<const Share> others, const Host& host, Findings& findings);

}  // namespace vmr
