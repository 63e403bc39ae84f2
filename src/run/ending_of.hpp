// SPDX-License-Identifier: MIT
#pragma once

#include "run/child.hpp"
#include "run/diagnosis.hpp"

#include <cstdint>
#include <optional>

namespace vmr {

/// How a child ended. `oom_kills`: how many processes the kernel had killed for want of memory when
/// all was well.
Ending ending_of(const ChildExit& exit, std::optional<std::uint64_t> oom_kills);

}  // namespace vmr
