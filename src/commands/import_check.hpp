// SPDX-License-Identifier: MIT
// Whether QEMU starts with the arguments of its own that a domain brings.
#pragma once

#include "config/print_toml.hpp"

#include <string>
#include <vector>

namespace vmr {

/// What keeps QEMU from starting: one line for each argument in the EXTRA_ARGS among `settings`
/// that QEMU refuses beside ours. Pure: of a machine with a disk and a port for SSH, whatever the
/// host.
std::vector<std::string> refused_arguments(const std::vector<TomlLine>& settings);

}  // namespace vmr
