// SPDX-License-Identifier: MIT
// What this host limits or lacks so that a VM starts and fails later.
#pragma once

#include "host/host.hpp"
#include "spec/vm_spec.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace vmr {

/// What QEMU, virtiofsd and the launcher need beside the guest's memory, in MiB.
inline constexpr std::uint64_t own_memory_mib = 512;

/// Whether something of the share is kept in extended attributes.
bool needs_attributes(const Share& share);

/// Why what the guest writes to the share fails on the source's file system; none: it does not.
std::optional<std::string> find_lacking_attributes(const Share& share, const Host& host);

/// Warnings about all that is too narrow for the whole VM, and about each of its shares.
std::vector<std::string> find_limits(const VmSpec& spec, const Host& host);

}  // namespace vmr
