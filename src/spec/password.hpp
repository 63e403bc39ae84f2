// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace vmr {

/// What crypt(3) takes, in bytes.
inline constexpr std::size_t longest_password = 511;

/// crypt(5) SHA-512 hash ("$6$<salt>$…") of `password`; `salt`: 8 to 16 of [a-zA-Z0-9./].
std::string hash_password(const std::string& password, std::string_view salt);

}  // namespace vmr
