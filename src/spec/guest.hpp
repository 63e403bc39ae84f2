// SPDX-License-Identifier: MIT
// The rules about the guest itself: what it boots, who may log in.
#pragma once

#include "config/config.hpp"
#include "host/host.hpp"
#include "spec/problems.hpp"
#include "spec/vm_spec.hpp"

#include <optional>
#include <string>

namespace vmr {

Boot resolve_boot(const Config& config, const Host& host, Findings& findings);

/// The guest that `config` boots: of BASE_IMAGE, or the default one unless a bare KERNEL is given.
std::optional<GuestImage> chosen_guest(const Config& config, const Host& host);

/// Whether there is something to start: a disk, a kernel, or, with BASE_IMAGE=none, a drive or the
/// like among the user's own QEMU arguments.
bool has_guest(const Config& config, const VmSpec& spec);

/// Login and user-data; none when CLOUD_INIT is off. When nobody said how to log in, a password is
/// made of the host's randomness and put into `generated_password`.
std::optional<CloudInit> resolve_cloud_init(const Config& config, const Host& host,
                                            std::string& generated_password, Findings& findings);

}  // namespace vmr
