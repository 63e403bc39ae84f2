// SPDX-License-Identifier: MIT
// The supervisor's steps in words, for the debug log.
#pragma once

#include "run/supervisor.hpp"

#include <chrono>
#include <string>

namespace vmr {

/// What has happened: "the guest reported", "stop asked for: SIGTERM", "virtiofsd-1 ended (exit
/// status 1)".
std::string describe(const Event& event);

/// "+0.123 s: booting -> running (the guest reported)"; `since_start`: of the launcher.
std::string describe_step(std::chrono::milliseconds since_start, Phase from, Phase to,
                          const Event& event);

}  // namespace vmr
