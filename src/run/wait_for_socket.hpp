// SPDX-License-Identifier: MIT
#pragma once

#include "base/unique_fd.hpp"

#include <chrono>
#include <string>

namespace vmr {

/// A connection, blocking and close-on-exec, to the socket at the absolute `path` as soon as there
/// is one that takes connections; none when that is not so within `timeout`. Until then its folders
/// may be missing, and one that nobody listens at any more may be in its place. Throws Error when
/// it cannot be connected to for another reason.
UniqueFd wait_for_socket(const std::string& path, std::chrono::milliseconds timeout);

}  // namespace vmr
