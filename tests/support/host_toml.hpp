// SPDX-License-Identifier: MIT
#pragma once

#include "host/host.hpp"

#include <string_view>

namespace vmr::test {

/// The host that `text` describes: what it does not mention is as on docker_host(), or on the
/// host that `like` names (docker, debian-12, ordinary-user). Throws on a key or word it does not
/// know.
///
///     like = "ordinary-user"
///     uid = 1000                      # is_pid_1, own_network, home, working_folder,
///     runtime_folder, qemu,
///                                     # qemu_problem, guest_problem, user_data, free_ssh_port, …
///     kvm = "missing"                 # or no-permission, opens
///     kvm_reason = "/dev/kvm: …"
///     abilities = ["chroot"]          # all that are allowed
///     virtiofsd = {path = "/v", family = "c", can = []}    # or readonly, sandbox-none,
///                                                          # file-handles, translation;
///                                                          # false: none
///     guest = {disk = "/d.img", disk_format = "raw"}       # false: none
///     [files]
///     "/share" = "folder"             # or root-folder, file, other, unreadable-folder,
///                                     # unreadable-file, read-only-mount, missing
Host read_host(std::string_view text);

}  // namespace vmr::test
