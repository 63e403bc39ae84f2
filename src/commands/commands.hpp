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

/// Tells what this host or container allows and what to do about the rest; ok only if `run` would
/// work.
ExitStatus command_doctor(const Arguments& arguments, const std::vector<std::string>& environment);

/// Prints the configuration as it is put together, each setting with where it came from.
ExitStatus command_config(const Arguments& arguments, const std::vector<std::string>& environment);

/// Prints what a libvirt domain is in our settings, and tells what could not be carried over.
ExitStatus command_import(const Arguments& arguments);

/// Writes only the NoCloud image.
ExitStatus command_seed(const Arguments& arguments, const std::vector<std::string>& environment);

/// Tells how the running VM of the configured name is.
ExitStatus command_status(const Arguments& arguments, const std::vector<std::string>& environment);

/// Stops it and stays until it has ended; the status is that of its launcher.
ExitStatus command_stop(const Arguments& arguments, const std::vector<std::string>& environment);

/// Shows its console, the last 64 KiB first, until the user leaves it or the VM ends.
ExitStatus command_console(const Arguments& arguments, const std::vector<std::string>& environment);

/// Runs a command in its guest; returns that command's exit status.
int command_exec(const Arguments& arguments, const std::vector<std::string>& environment);

/// Lists, adds or removes its shares.
ExitStatus command_share(const Arguments& arguments, const std::vector<std::string>& environment);

}  // namespace vmr
