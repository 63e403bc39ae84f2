// SPDX-License-Identifier: MIT
// The disks among the user's own QEMU arguments that are plain files.
#pragma once

#include "base/qemu_words.hpp"

#include <optional>
#include <string>
#include <vector>

namespace vmr {

/// A file that QEMU opens for one of the user's own disks.
struct OwnDrive {
  std::string path;  ///< as it is given: a relative one starts at QEMU's working directory
  bool is_read_only = false;
  std::string format{};  ///< as it is given; empty: QEMU finds out

  bool operator==(const OwnDrive&) const = default;
};

/// Whether QEMU opens the file of this very name: not for "nbd:…", "json:{…}", "fat:…". Pure.
bool is_plain_file(const std::string& name);

/// The disk that an option is (`-drive file=…`, `-drive file.driver=file,…`, `-hda`, `-cdrom`, …),
/// if all that it opens is the file or device of that name. Pure.
std::optional<OwnDrive> read_own_drive(const std::string& name, const std::string& value);

/// The plain disks of a command line, in its order. Pure.
std::vector<OwnDrive> find_own_drives(const std::vector<std::string>& words);

}  // namespace vmr
