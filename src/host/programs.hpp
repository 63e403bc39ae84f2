// SPDX-License-Identifier: MIT
// Finding the programs that are started.
#pragma once

#include "host/host.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace vmr {

/// The absolute path that a file in vhost-user's folders (QEMU's docs/interop/vhost-user.json)
/// gives for a program of type "fs"; empty for any other `text`.
std::string described_program(std::string_view text);

/// What is passed over since another user could choose it, each with the reason.
using Skipped = std::vector<std::string>;

/// Whether nobody but this user and root could choose what is at the absolute `path`; tells
/// `skipped`, where there is one, if somebody could.
bool is_trusted(const std::string& path, Skipped* skipped);

/// The absolute path of an executable `name` in PATH; empty when there is none. For root only one
/// that nobody else could have put there.
std::string find_in_path(const std::string& name, Skipped* skipped = nullptr);

/// Finds virtiofsd as libvirt does: vhost-user JSON files, then the usual places, then PATH, and
/// asks it what it can. On failure `problem` says why, in libvirt's words. What is below the home
/// counts only where nobody else could have put it there.
std::optional<VirtiofsdFacts> find_virtiofsd(const std::string& home, std::string& problem,
                                             Skipped* skipped = nullptr);

}  // namespace vmr
