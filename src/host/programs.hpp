// SPDX-License-Identifier: MIT
// Finding the programs that are started.
#pragma once

#include "host/host.hpp"

#include <optional>
#include <string>
#include <string_view>

namespace vmr {

/// The absolute path that a file in vhost-user's folders (QEMU's docs/interop/vhost-user.json)
/// gives for a program of type "fs"; empty for any other `text`.
std::string described_program(std::string_view text);

/// The absolute path of an executable `name` in PATH; empty when there is none.
std::string find_in_path(const std::string& name);

/// Finds virtiofsd as libvirt does: vhost-user JSON files, then the usual places, then PATH, and
/// asks it what it can. On failure `problem` says why, in libvirt's words.
std::optional<VirtiofsdFacts> find_virtiofsd(const std::string& home, std::string& problem);

}  // namespace vmr
