// SPDX-License-Identifier: MIT
// What qemu-img is told of the guest's images: each by its path and format, as QEMU is told.
#pragma once

#include "base/qemu_option.hpp"
#include "spec/vm_spec.hpp"

#include <cstdint>
#include <string>
#include <vector>

namespace vmr {

/// Names `images`, each behind the one before it, as what is behind the block device of `option`.
void set_backing(QemuOption& option, const std::vector<DiskImage>& images);

/// Whether a copy is one of the file: what is compressed in it stays so.
bool is_copied_as_file(const Disk& disk);

/// What follows `qemu-img` to make `path`, the persistent disk of `disk`: a copy of all its images,
/// or an overlay with room for `virtual_size` bytes. Nothing is probed, and nothing else is opened;
/// for an overlay not even the image.
std::vector<std::string> words_to_make(const Disk& disk, const std::string& path,
                                       std::uint64_t virtual_size);

/// What follows `qemu-img` to tell, in JSON, how much room a copy of `disk` takes.
std::vector<std::string> words_to_measure(const Disk& disk);

}  // namespace vmr
