// SPDX-License-Identifier: MIT
#pragma once

#include <vector>

namespace vmr {

/// Holds back the signals that ask to stop while nobody listens: PID 1 would never see one that
/// comes while the host is still looked at, and any other process would die of it half-way.
void hold_stop_signals();

/// Lets those that came, and all that follow, through.
void release_stop_signals();

/// The signals that ask us to stop: SIGTERM always; SIGHUP, SIGINT and SIGQUIT unless our parent
/// had us ignore them. To be asked before somebody catches them.
std::vector<int> stop_signals();

}  // namespace vmr
