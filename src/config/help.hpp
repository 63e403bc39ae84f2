// SPDX-License-Identifier: MIT
#pragma once

#include "config/arguments.hpp"

#include <string>

namespace vmr {

/// Commands, exit statuses and every setting, in at most 100 columns.
std::string help_text();

/// How to use one command.
std::string help_text(Command command);

/// "vm-runner 0.1.0".
std::string version_text();

}  // namespace vmr
