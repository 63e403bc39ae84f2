// SPDX-License-Identifier: MIT
// Tells what a file is by its own bytes.
#pragma once

#include "host/host.hpp"
#include "host/qcow2_header.hpp"

#include <cstdint>
#include <string>

namespace vmr {

/// What a file of `size` bytes is. Reads some hundred kilobytes at most.
FileContents classify(const ReadAt& read, std::uint64_t size);

/// A file that stays open to be read in places; `read` gives nothing when it cannot be opened, or
/// is neither a regular file nor a block device, of which a read may not return.
struct OpenedFile {
  ReadAt read;
  std::uint64_t size = 0;
  bool is_open = false;
};
OpenedFile open_to_read(const std::string& path);

/// How many bytes the disk in an image has, whose format is "qcow2" or "raw"; 0: that cannot be
/// told.
std::uint64_t virtual_size_of(const std::string& path, const std::string& format);

/// The name of a volume of ISO 9660 or FAT; empty: it has none, or is another.
std::string read_label(const ReadAt& read);

/// The same as classify() and read_label(), of the file at `path`; `unread` when it cannot be
/// opened.
FileContents read_contents(const std::string& path);

}  // namespace vmr
