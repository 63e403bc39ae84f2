// SPDX-License-Identifier: MIT
#pragma once

#include "config/config.hpp"
#include "host/host.hpp"

#include <string>
#include <vector>

namespace vmr {

/// What is at the path, without a look into it.
FileFacts probe_file(const std::string& path);

/// Looks at every file that `config` names and that QEMU would open, the images behind a disk
/// included, and puts what it finds in the place of `host`'s files. Its guest and folders are known
/// by now.
void probe_files(const Config& config, Host& host);

/// Looks at those of `paths`, absolute ones, that `host` does not know yet.
void probe_also(const std::vector<std::string>& paths, Host& host);

}  // namespace vmr
