// SPDX-License-Identifier: MIT
#include "host/qcow2_header.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace vmr {
namespace {

constexpr std::uint64_t longest_name = 1023;
/// Entries of the first table that are looked at: those of 32 TiB and more.
constexpr std::uint64_t most_entries = 1U << 16;

/// Bits of the incompatible features of version 3.
constexpr std::uint64_t marked_corrupt = 1U << 1;
constexpr std::uint64_t external_data = 1U << 2;
constexpr std::uint64_t long_entries = 1U << 4;
constexpr std::uint64_t known_features = 0x1f;

/// Where an entry of a table says that a cluster or a table is.
constexpr std::uint64_t place_bits = 0x00fffffffffffe00;

/// A table of the image, which must be in the file as a whole.
bool is_within(std::uint64_t offset, std::uint64_t length, std::uint64_t size) {
  return offset <= size && length <= size - offset;
}

/// What is wrong with the fields of `header`, other than where its tables are.
std::string check_fields(const std::string& header) {
  const auto version = big_endian(header, 4, 4);
  const bool is_old = version == 2;
  if (!is_old && version != 3)
    return fmt::format("its version is {}, which QEMU does not know", version);
  if (header.size() < (is_old ? 72 : 104)) return "cut short: its header is not whole";
  const auto cluster_bits = big_endian(header, 20, 4);
  if (cluster_bits < 9 || cluster_bits > 21) return "its header is damaged: the cluster size";
  const auto cluster = std::uint64_t{1} << cluster_bits;
  if (big_endian(header, 32, 4) != 0) return "encrypted, and nobody can give its password";
  if (big_endian(header, 16, 4) > longest_name) return "its header is damaged: the backing file";
  if (big_endian(header, 8, 8) >= cluster && big_endian(header, 16, 4) != 0) {
    return "its header is damaged: the backing file";
  }
  if (big_endian(header, 40, 8) % cluster != 0) return "its header is damaged: the first table";
  if (big_endian(header, 48, 8) % cluster != 0)
    return "its header is damaged: the reference counts";
  if (is_old) return {};
  const auto features = big_endian(header, 72, 8);
  if ((features & ~known_features) != 0) return "it has features that QEMU does not know";
  if ((features & marked_corrupt) != 0) return "QEMU has marked it as corrupt";
  if (big_endian(header, 96, 4) > 6) return "its header is damaged: the reference counts";
  const auto length = big_endian(header, 100, 4);
  if (length < 104 || length > cluster) return "its header is damaged: its own length";
  return {};
}

/// Whether the table of clusters at `place` names one that a file of `size` bytes does not have.
bool names_missing_cluster(const std::string& header, const ReadAt& read, std::uint64_t place,
                           std::uint64_t size) {
  constexpr std::uint64_t compressed = std::uint64_t{1} << 62;
  const auto cluster_bits = big_endian(header, 20, 4);
  const auto compressed_place = (std::uint64_t{1} << (62 - (cluster_bits - 8))) - 1;
  const bool is_long = big_endian(header, 4, 4) >= 3 && (big_endian(header, 72, 8) & long_entries);
  const auto table = read(place, std::size_t{1} << cluster_bits);
  for (std::size_t at = 0; at + 8 <= table.size(); at += is_long ? 16 : 8) {
    const auto entry = big_endian(table, at, 8);
    const auto mask = (entry & compressed) != 0 ? compressed_place : place_bits;
    if ((entry & mask) >= size) return true;
  }
  return false;
}

/// What is wrong with the places of its tables in a file of `size` bytes. Not everything is looked
/// at: of the tables of clusters the one that was made last, which a file that is cut short lacks
/// first.
std::string check_tables(const std::string& header, const ReadAt& read, std::uint64_t size) {
  const auto cluster_bits = big_endian(header, 20, 4);
  const auto disk_size = big_endian(header, 24, 8);
  const auto entries = big_endian(header, 36, 4);
  const auto first_table = big_endian(header, 40, 8);
  const bool is_long = big_endian(header, 4, 4) >= 3 && (big_endian(header, 72, 8) & long_entries);
  const auto bits_of_entry = 2 * cluster_bits - (is_long ? 4 : 3);
  const auto covered = std::uint64_t{1} << bits_of_entry;
  const auto needed = disk_size / covered + (disk_size % covered != 0 ? 1 : 0);
  if (entries < needed) return "its header is damaged: the first table is too small";
  if (!is_within(first_table, entries * 8, size)) return "cut short: the first table is not in it";
  const auto counts = big_endian(header, 48, 8);
  const auto counts_size = big_endian(header, 56, 4) << cluster_bits;
  if (counts_size == 0) return "its header is damaged: the reference counts";
  if (!is_within(counts, counts_size, size)) return "cut short: the reference counts are not in it";
  const auto table = read(first_table, std::min(entries, most_entries) * 8);
  std::uint64_t last = 0;
  for (std::size_t at = 0; at + 8 <= table.size(); at += 8) {
    last = std::max(last, big_endian(table, at, 8) & place_bits);
  }
  if (last >= size || (last != 0 && names_missing_cluster(header, read, last, size))) {
    return "cut short: contents are missing";
  }
  return {};
}

constexpr std::uint64_t backing_format_extension = 0xe2792aca;
constexpr std::uint64_t data_file_extension = 0x44415441;

/// The first `longest` bytes of an extension, which stand between header and name; empty: none.
std::string read_extension(const std::string& header, const ReadAt& read, std::uint64_t wanted,
                           std::uint64_t longest) {
  constexpr std::uint64_t end_of_extensions = 0;
  constexpr int most_extensions = 32;
  auto at = big_endian(header, 4, 4) == 2 ? 72 : big_endian(header, 100, 4);
  for (int i = 0; i < most_extensions; ++i) {
    const auto extension = read(at, 8);
    const auto kind = big_endian(extension, 0, 4);
    const auto length = big_endian(extension, 4, 4);
    if (extension.size() < 8 || kind == end_of_extensions) break;
    if (kind == wanted) return read(at + 8, std::min(length, longest));
    at += 8 + (length + 7) / 8 * 8;
  }
  return {};
}

}  // namespace

std::uint64_t big_endian(const std::string& bytes, std::size_t offset, std::size_t size) {
  if (offset + size > bytes.size()) return 0;
  std::uint64_t number = 0;
  for (std::size_t i = 0; i < size; ++i) {
    number = number << 8 | static_cast<unsigned char>(bytes[offset + i]);
  }
  return number;
}

std::uint64_t little_endian(const std::string& bytes, std::size_t offset, std::size_t size) {
  if (offset + size > bytes.size()) return 0;
  std::uint64_t number = 0;
  for (std::size_t i = size; i > 0; --i) {
    number = number << 8 | static_cast<unsigned char>(bytes[offset + i - 1]);
  }
  return number;
}

Qcow2Header read_qcow2_header(const ReadAt& read, std::uint64_t size) {
  const auto header = read(0, 112);
  Qcow2Header facts;
  if (!header.starts_with("QFI\xfb") || big_endian(header, 4, 4) == 1) return facts;
  facts.is_qcow2 = true;
  facts.virtual_size = big_endian(header, 24, 8);
  facts.has_data_file =
      big_endian(header, 4, 4) >= 3 && (big_endian(header, 72, 8) & external_data) != 0;
  if (facts.has_data_file) {
    facts.data_file = read_extension(header, read, data_file_extension, longest_name);
  }
  const auto name_size = big_endian(header, 16, 4);
  if (name_size != 0 && name_size <= longest_name) {
    const auto name = read(big_endian(header, 8, 8), name_size);
    if (name.size() == name_size) facts.backing = name;
    facts.backing_format = read_extension(header, read, backing_format_extension, 15);
  }
  facts.problem = check_fields(header);
  // The tables of a version that nobody knows mean nothing, and of contents that are elsewhere they
  // do not tell whether these are whole.
  if (facts.problem.empty() && !facts.has_data_file)
    facts.problem = check_tables(header, read, size);
  return facts;
}

}  // namespace vmr
