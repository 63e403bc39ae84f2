// SPDX-License-Identifier: MIT
// What is kept beside a persistent disk: the images that it was made over.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace vmr {

/// An image as it was when a persistent disk was made over it.
struct RecordedImage {
  std::string path;  ///< absolute
  std::string format;
  std::string fingerprint;  ///< of its contents; empty: nobody looked

  bool operator==(const RecordedImage&) const = default;
};

struct DiskRecord {
  bool is_copy = false;               ///< the disk has all of them in it, and needs none
  std::string digest;                 ///< of the first, by the guest.toml it was in; may be empty
  std::vector<RecordedImage> images;  ///< from the nearest on
  // Of a copy whose guest boots a kernel directly: what belongs to its modules.
  std::string kernel;
  std::string initrd;
  std::string cmdline;

  bool operator==(const DiskRecord&) const = default;
};

/// The file with the record of the persistent disk at `path`.
std::string record_path_of(const std::string& path);

/// The text of the file: a line of shell words for each fact, so that paths may hold every byte.
std::string print_disk_record(const DiskRecord& record);

/// None when `text` is no such record.
std::optional<DiskRecord> read_disk_record(std::string_view text);

}  // namespace vmr
