// SPDX-License-Identifier: MIT
// Hosts to check and plan against.
#pragma once

#include "host/host.hpp"

namespace vmr::test {

/// A Debian 13 container run with Docker's defaults and `--device /dev/kvm`: root, PID 1, chroot
/// is allowed, unshare is not; the Rust virtiofsd; a default guest; `/share` is a folder.
Host docker_host();

/// Root on a Debian 12 machine: everything is allowed; the C virtiofsd of QEMU 7.2; `/share`.
Host debian_12_host();

/// An ordinary user on a Debian 13 machine with user namespaces; `/share` and `/home/me/src`.
Host ordinary_user();

FileFacts folder();
FileFacts regular_file();

}  // namespace vmr::test
