// SPDX-License-Identifier: MIT
#include "spec/password.hpp"

#include "base/error.hpp"

#include <fmt/format.h>

#include <crypt.h>
#include <memory>

namespace vmr {

std::string hash_password(const std::string& password, std::string_view salt, PasswordMaker maker) {
  const auto* rounds = maker == PasswordMaker::machine ? "rounds=1000$" : "";
  // On the heap: crypt_data is 32 KiB.
  const auto data = std::make_unique<crypt_data>();
  const char* hash =
      crypt_r(password.c_str(), fmt::format("$6${}{}$", rounds, salt).c_str(), data.get());
  if (hash == nullptr || hash[0] == '*') {
    throw Error("the password cannot be hashed", "crypt(3) refused it",
                "choose a shorter GUEST_PASSWORD (at most 511 bytes)", ExitStatus::usage);
  }
  return hash;
}

}  // namespace vmr
