// SPDX-License-Identifier: MIT
#pragma once

#include "support/launcher.hpp"

namespace vmr::test {

/// Starts and ends the machine of `settings` in this very process `cycles` times, and checks each
/// time that it ended well; that at the end no more files are open, no child is left, and no more
/// memory is in use than half-way. Sets this process's environment.
void soak(const Launcher::Variables& settings, int cycles);

}  // namespace vmr::test
