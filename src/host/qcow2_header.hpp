// SPDX-License-Identifier: MIT
// The header of a qcow2 image, which a guest may have written.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>

namespace vmr {

/// Up to `size` bytes of a file from `offset` on: fewer at its end, or where it cannot be read.
using ReadAt = std::function<std::string(std::uint64_t offset, std::size_t size)>;

/// A number of one to eight bytes at `offset`, the highest first; 0 where `bytes` ends before it.
std::uint64_t big_endian(const std::string& bytes, std::size_t offset, std::size_t size);
/// The same, the lowest first.
std::uint64_t little_endian(const std::string& bytes, std::size_t offset, std::size_t size);

struct Qcow2Header {
  bool is_qcow2 = false;           ///< of version 2 or later
  std::string problem;             ///< why QEMU could not use it: "cut short: …"; empty: it could
  std::uint64_t virtual_size = 0;  ///< of the disk in it, in bytes
  std::string backing;             ///< as the header names it; empty: nothing
  std::string backing_format;      ///< "qcow2", "raw", …; empty: not said
  bool has_data_file = false;      ///< its contents are in another file
  std::string data_file;           ///< as the header names that; empty: it does not
};

/// Reads and checks the header of a file of `size` bytes. Anything but qcow2 is not `is_qcow2`.
Qcow2Header read_qcow2_header(const ReadAt& read, std::uint64_t size);

}  // namespace vmr
