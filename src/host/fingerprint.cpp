// SPDX-License-Identifier: MIT
#include "host/fingerprint.hpp"

#include <boost/uuid/name_generator_sha1.hpp>
#include <boost/uuid/uuid_io.hpp>
#include <fmt/format.h>

#include <algorithm>

namespace vmr {
namespace {

/// Files up to this size are read as a whole; of larger ones so much of the beginning, where images
/// have their tables and disks their first file system.
constexpr std::uint64_t head_size = (1U << 20) + (128U << 10);
constexpr std::uint64_t whole_size = 4U << 20;
constexpr std::uint64_t parts = 256;
constexpr std::size_t part_size = 4096;

}  // namespace

std::string fingerprint_of(const ReadAt& read, std::uint64_t size) {
  std::string bytes;
  if (size <= whole_size) {
    bytes = read(0, size);
  } else {
    bytes = read(0, head_size);
    const auto step = (size - head_size - part_size) / parts;
    for (std::uint64_t i = 1; i < parts; ++i) bytes += read(head_size + i * step, part_size);
    bytes += read(size - part_size, part_size);
  }
  const boost::uuids::name_generator_sha1 digest(boost::uuids::ns::oid());
  return fmt::format("{}-{}", size, boost::uuids::to_string(digest(bytes)));
}

}  // namespace vmr
