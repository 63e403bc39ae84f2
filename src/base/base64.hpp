// SPDX-License-Identifier: MIT
#pragma once

#include <string>
#include <string_view>

namespace vmr {

/// `bytes` in base64 (RFC 4648), on one line.
std::string base64(std::string_view bytes);

}  // namespace vmr
