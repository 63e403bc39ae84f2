// SPDX-License-Identifier: MIT
#pragma once

#include "config/config.hpp"
#include "host/host.hpp"

#include <cstdint>
#include <string>
#include <vector>

namespace vmr {

/// Looks at everything on this machine that `config` makes us ask about. Never fails: what cannot
/// be found out is in the Host as missing, with its reason.
Host probe_host(const Config& config);

/// The user's home, for `~`: as HOME or else the password database says.
std::string find_home();

/// The folder below which `uid` has the runtime folders of VMs; absolute, need not exist.
/// XDG_RUNTIME_DIR counts only where it is nobody else's, which `skipped` tells.
std::string find_runtime_folder(std::uint32_t uid, std::vector<std::string>* skipped = nullptr);

/// The same where that one's path is too long for a socket.
std::string find_short_runtime_folder(std::uint32_t uid);

/// 32 hex digits of fresh randomness.
std::string random_digits();

/// What only a virtiofs share needs of `host`: its virtiofsd, and what that may do.
void probe_virtiofsd(Host& host);

/// Whether QEMU starts the machine of these `arguments`, in which no vCPU runs: empty when it does,
/// else the last thing QEMU said of itself, or that it ended before it started anything. Takes
/// about 50 ms, at most ten seconds.
std::string try_machine(const std::string& qemu, const std::vector<std::string>& arguments);

/// Whether QEMU really starts a vCPU under KVM here: empty when it does, else the last thing QEMU
/// said. Takes about 50 ms.
std::string try_kvm(const std::string& qemu, const std::string& machine, const std::string& cpu);

}  // namespace vmr
