// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <optional>

namespace vmr {

/// How many processes of our cgroup the kernel has killed so far for want of memory; none where it
/// does not tell.
std::optional<std::uint64_t> count_oom_kills();

}  // namespace vmr
