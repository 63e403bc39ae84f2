// SPDX-License-Identifier: MIT
// One function a subcommand. Each returns the exit status, or throws Error or InvalidConfig.
#pragma once

#include "base/error.hpp"
#include "config/arguments.hpp"

#include <string>
#include <vector>

namespace vmr {

/// Starts the VM and stays until it ends.
ExitStatus command_run(const Arguments& arguments, const std::vector<std::string>& environment);

/// Prints every command line `run` would execute; starts nothing but, under ACCEL=auto, one QEMU
/// that shows whether KVM works.
ExitStatus command_args(const Arguments& arguments, const std::vector<std::string>& environment);

/// Writes only the NoCloud image.
ExitStatus command_seed(const Arguments& arguments, const std::vector<std::string>& environment);

/// Tells how the running VM of the configured name is.
ExitStatus command_status(const Arguments& arguments, const std::vector<std::string>& environment);

}  // namespace vmr
