// SPDX-License-Identifier: MIT
// Whether a machine can be started from a file, by what the file is.
#pragma once

#include "config/words.hpp"
#include "host/host.hpp"
#include "spec/problems.hpp"

#include <optional>
#include <string>
#include <string_view>

namespace vmr {

/// Why a file cannot be used as what it was given for, and what to do about it.
struct WrongFile {
  std::string reason;  ///< "a VMware disk (vmdk), which has to be converted"
  std::string hint;    ///< with the command that helps, where there is one

  bool operator==(const WrongFile&) const = default;
};

/// The file at `path` as a disk. With `has_kernel` QEMU starts a kernel, so that it needs nothing
/// to boot. None: it can be used, or nobody looked into it.
std::optional<WrongFile> check_disk(const std::string& path, const FileContents& contents,
                                    bool has_kernel);

/// The file as a kernel that QEMU starts by itself.
std::optional<WrongFile> check_kernel(const std::string& path, const FileContents& contents,
                                      Architecture architecture);

/// The file as the initrd of `kernel`; whoever is not Linux may take anything.
std::optional<WrongFile> check_initrd(const std::string& path, const FileContents& contents,
                                      const FileContents& kernel);

/// Refuses the file at `path`, which a setting names, or by `key` the guest.toml at `toml_origin`,
/// where that is not empty.
void refuse_file(const Given<std::string>& given, std::string_view key, const std::string& path,
                 const std::string& toml_origin, const WrongFile& wrong, Findings& findings);

}  // namespace vmr
