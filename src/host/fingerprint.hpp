// SPDX-License-Identifier: MIT
#pragma once

#include "host/qcow2_header.hpp"

#include <cstdint>
#include <string>

namespace vmr {

/// What tells a file of `size` bytes from another one: its size and a digest of its contents; of
/// large ones, of parts all over it. It is for accidents, not against an attacker.
std::string fingerprint_of(const ReadAt& read, std::uint64_t size);

}  // namespace vmr
