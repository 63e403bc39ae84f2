// SPDX-License-Identifier: MIT
// What the user's own QEMU arguments name and is not there, before QEMU says so.
#pragma once

#include "config/config.hpp"
#include "host/host.hpp"
#include "spec/problems.hpp"

#include <vector>

namespace vmr {

/// A problem for each path of EXTRA_ARGS and of the arguments behind -- that `host` has looked at
/// and that is not as QEMU needs it.
std::vector<Problem> find_missing_argument_files(const Config& config, const Host& host);

}  // namespace vmr
