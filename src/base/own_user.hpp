// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>

namespace vmr {

/// The users that QEMU may have for its own: those that systemd takes for services without one.
inline constexpr std::uint32_t first_own_user = 61184;
inline constexpr std::uint32_t last_own_user = 65519;

/// Whom a container shows for users and groups that it has no number for.
inline constexpr std::uint32_t unmapped_user = 65534;

}  // namespace vmr
