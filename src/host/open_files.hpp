// SPDX-License-Identifier: MIT
// How many files a process may have open.
#pragma once

#include <cstdint>

namespace vmr {

/// The most that this process may allow itself (the hard limit).
std::uint64_t open_files_limit();

/// Allows that many to this process and its children, whatever it was started with: 1024 is usual,
/// and QEMU opens a file for each that a guest has open in a 9p share.
void raise_open_files();

}  // namespace vmr
