// SPDX-License-Identifier: MIT
// Descriptors that go from one process to another with a text.
#pragma once

#include "base/unique_fd.hpp"

#include <string>
#include <string_view>
#include <sys/types.h>
#include <vector>

namespace vmr {

/// Sends `text` at once over the UNIX socket, with at most eight descriptors, which stay open here.
/// False when not all of it could be sent without waiting.
bool send_with_descriptors(int socket, std::string_view text, const std::vector<int>& descriptors);

/// Sends what it can of `text` without waiting, and with its first byte `descriptor`, unless that
/// is -1. As send(2).
ssize_t send_some(int socket, std::string_view text, int descriptor);

/// Reads from the UNIX socket what is there, at most `longest` bytes, and appends the descriptors
/// that came with it, close-on-exec. Empty at the end or after an error (in errno).
std::string receive_with_descriptors(int socket, std::size_t longest,
                                     std::vector<UniqueFd>& descriptors);

}  // namespace vmr
