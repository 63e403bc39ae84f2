// SPDX-License-Identifier: MIT
#pragma once

namespace vmr {

/// Holds back the signals that ask to stop, until somebody listens: PID 1 would never see one that
/// comes while the host is still looked at, and any other process would die of it half-way.
void hold_stop_signals();

/// Lets those that came, and all that follow, through.
void release_stop_signals();

}  // namespace vmr
