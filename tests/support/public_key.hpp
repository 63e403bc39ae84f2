// SPDX-License-Identifier: MIT
// Public keys that OpenSSH takes and nobody has the other half of.
#pragma once

#include <string>

namespace vmr::test {

inline const std::string ed25519_key =
    "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAB";
inline const std::string ecdsa_key =
    "ecdsa-sha2-nistp256 AAAAE2VjZHNhLXNoYTItbmlzdHAyNTYAAAAIbmlzdHAyNTYAAAAA";

}  // namespace vmr::test
