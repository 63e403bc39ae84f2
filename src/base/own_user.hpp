// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>

namespace vmr {

/// The users that QEMU may have for its own. By systemd's table of them (UIDS-GIDS) nobody else has
/// these: ordinary users end at 60000, systemd's own at 60705, those that it takes for services
/// begin at 61184. A container of 65536 users has them too.
inline constexpr std::uint32_t first_own_user = 60706;
inline constexpr std::uint32_t last_own_user = 61183;
/// The last one that an earlier version took: a persistent disk may still be its.
inline constexpr std::uint32_t last_earlier_user = 65519;

/// Whom a container shows for users and groups that it has no number for.
inline constexpr std::uint32_t unmapped_user = 65534;

}  // namespace vmr
