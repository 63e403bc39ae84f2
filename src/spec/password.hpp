// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace vmr {

/// What crypt(3) takes, in bytes.
inline constexpr std::size_t longest_password = 511;

/// Who has thought of a password.
enum class PasswordMaker {
  person,   ///< it may be guessed: each guess is to cost much
  machine,  ///< it is random: the least rounds that crypt(5) has are enough, 1 ms sooner
};

/// crypt(5) SHA-512 hash ("$6$<salt>$…") of `password`; `salt`: 8 to 16 of [a-zA-Z0-9./].
std::string hash_password(const std::string& password, std::string_view salt,
                          PasswordMaker maker = PasswordMaker::person);

}  // namespace vmr
