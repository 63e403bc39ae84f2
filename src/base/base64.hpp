// SPDX-License-Identifier: MIT
#pragma once

#include <string>
#include <string_view>

namespace vmr {

/// `bytes` in base64 (RFC 4648), on one line.
std::string base64(std::string_view bytes);

/// The bytes behind `text`, of which every other character is passed over, as mail programs do.
std::string decode_base64(std::string_view text);

}  // namespace vmr
