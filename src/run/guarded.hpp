// SPDX-License-Identifier: MIT
#pragma once

#include <functional>

namespace vmr {

/// Calls `act`. What it throws is a fault of ours, for which no running guest pays: it is logged,
/// and false returned.
bool guarded(const std::function<void()>& act);

}  // namespace vmr
