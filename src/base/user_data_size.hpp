// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>

namespace vmr {

/// User-data beyond this, also once it is expanded, is not read: nobody writes it, and all of it is
/// taken apart before a start.
inline constexpr std::size_t largest_user_data = 16 << 20;

}  // namespace vmr
