// SPDX-License-Identifier: MIT
#include "host/file_contents.hpp"

#include "host/capture.hpp"
#include "host/programs.hpp"
#include "support/temporary_folder.hpp"
#include "support/text_file.hpp"

#include <doctest/doctest.h>
#include <fmt/format.h>

#include <filesystem>
#include <sys/stat.h>
#include <utility>
#include <vector>

namespace vmr::test {
namespace {

using Kind = FileContents::Kind;
using namespace std::string_literals;

ReadAt reader_of(const std::string& bytes) {
  return [&bytes](std::uint64_t offset, std::size_t size) {
    return offset < bytes.size() ? bytes.substr(offset, size) : std::string();
  };
}

FileContents contents_of(const std::string& bytes) {
  return classify(reader_of(bytes), bytes.size());
}

/// Zeros with `bytes` somewhere in them.
std::string with(std::size_t offset, const std::string& bytes, std::size_t size = 128 << 10) {
  std::string file(size, '\0');
  return file.replace(offset, bytes.size(), bytes);
}

/// Number by number, the lowest byte first.
std::string numbers(std::initializer_list<std::uint32_t> words) {
  std::string bytes;
  for (const auto word : words) {
    for (int shift = 0; shift < 32; shift += 8) bytes += static_cast<char>(word >> shift);
  }
  return bytes;
}

/// A 64-bit ELF file for x86 with one note.
std::string elf_with_note(const std::string& name, std::uint32_t type) {
  auto file = with(0,
                   "\x7f"
                   "ELF\2\1\1"s,
                   4096);
  file.replace(18, 2, "\x3e\0"s);
  file.replace(32, 8, numbers({64, 0}));
  file.replace(54, 4, "\x38\0\1\0"s);
  file.replace(64, 56, numbers({4, 0, 512, 0, 0, 0, 0, 0, 20, 0, 20, 0, 4, 0}));
  return file.replace(512, 20, numbers({4, 4, type}) + name + '\0' + numbers({1}));
}

TEST_CASE("a file is told by its bytes") {
  const auto multiboot = numbers({0x1badb002, 3, 0 - (0x1badb002U + 3)});
  const std::vector<std::pair<std::string, FileContents>> rows = {
      {"", {Kind::empty}},
      {with(0, ""), {Kind::blank}},
      {"\1\2\3 no text", {Kind::unknown}},
      // Disks.
      {with(510, "\x55\xaa"), {Kind::disk}},
      {with(512, "EFI PART"), {Kind::disk}},
      {with(4096, "EFI PART"), {Kind::disk}},
      {with(1080, "\x53\xef"), {Kind::file_system, "ext4"}},
      {with(1080, "\x53\xef").replace(510, 2, "\x55\xaa"), {Kind::disk}},
      {with(0, "XFSB"), {Kind::file_system, "XFS"}},
      {with(65600, "_BHRfS_M"), {Kind::file_system, "btrfs"}},
      {with(0, "hsqs"), {Kind::file_system, "squashfs"}},
      {with(1024, "\xe2\xe1\xf5\xe0"), {Kind::file_system, "EROFS"}},
      {with(512, "LABELONE"), {Kind::file_system, "LVM"}},
      {with(32769, "CD001"), {Kind::iso}},
      {with(32769, "CD001").replace(510, 2, "\x55\xaa"), {Kind::iso}},
      {with(4086, "SWAPSPACE2"), {Kind::swap}},
      // Other formats.
      {with(0, "QFI\xfb\0\0\0\1"s), {Kind::qcow1}},
      {with(0, "QED\0"s), {Kind::qed}},
      {with(0, "KDMV"), {Kind::vmdk}},
      {"# Disk DescriptorFile\nversion=1\n", {Kind::vmdk}},
      {"version=1\nCID=1\n", {Kind::vmdk}},
      {"# a\r\n  \r\n\n#\0b\nversion=3\r\n"s, {Kind::vmdk}},
      {"# a\nversion=4\n", {Kind::text}},
      {"# a\nversion=1", {Kind::text}},
      {"a\nversion=1\n", {Kind::text}},
      {with(64, "\x7f\x10\xda\xbe"), {Kind::vdi}},
      {with(0, "conectix"), {Kind::vhd}},
      {with(510, "\x55\xaa") + with(0, "conectix", 512), {Kind::vhd}},
      {with(0, "vhdxfile"), {Kind::vhdx}},
      {with(0, "WithoutFreeSpace"), {Kind::parallels}},
      {"#!/bin/sh\n#V2.0 Format\n...", {Kind::cloop}},
      {with(0, "") + with(0, "koly", 512), {Kind::dmg}},
      // To unpack.
      {"\x1f\x8b\x08", {Kind::gzip}},
      {"\xfd"
       "7zXZ\0"s,
       {Kind::xz}},
      {"\x28\xb5\x2f\xfd", {Kind::zstd}},
      {"BZh9", {Kind::bzip2}},
      {"\x04\x22\x4d\x18", {Kind::lz4}},
      {"PK\x03\x04", {Kind::zip}},
      {"7z\xbc\xaf\x27\x1c", {Kind::seven_zip}},
      {with(257, "ustar").replace(0, 5, "a.img"), {Kind::tar}},
      {with(257, "ustar").replace(0, 5, "a.ovf"), {Kind::ova}},
      {"070701", {Kind::cpio}},
      // Kernels.
      {with(510, "\x55\xaa").replace(0x202, 4, "HdrS"), {Kind::linux_x86}},
      {with(56, "ARMd"), {Kind::linux_arm64}},
      {with(0, "MZ").replace(56, 4, "ARMd"), {Kind::linux_arm64}},
      {with(4096, multiboot), {Kind::multiboot}},
      {with(0, "MZ"), {Kind::efi_program}},
      {elf_with_note("Xen", 18), {Kind::elf_pvh}},
      {elf_with_note("Xen", 17), {Kind::elf}},
      {elf_with_note("GNU", 18), {Kind::elf}},
      {elf_with_note("Xen", 18).replace(18, 1, "\xb7"), {Kind::elf_arm64}},
      // What came instead.
      {"<!DOCTYPE html><p>", {Kind::html}},
      {"\n  <HTML>", {Kind::html}},
      {"<?xml version='1.0'?><html xmlns='x'>", {Kind::html}},
      {"\xef\xbb\xbf<?xml version='1.0'?><Error>", {Kind::xml}},
      {"version https://git-lfs.github.com/spec/v1\noid sha256:", {Kind::lfs_pointer}},
      {"404: Not Found", {Kind::text}},
      {"{\"error\": \"ü\"}\n", {Kind::text}}};
  for (const auto& [bytes, expected] : rows) {
    CAPTURE(bytes.substr(0, 40));
    CAPTURE(expected.detail);
    const auto found = contents_of(bytes);
    CHECK(static_cast<int>(found.kind) == static_cast<int>(expected.kind));
    CHECK(found.detail == expected.detail);
  }
}

TEST_CASE("a header that names places far away, or nothing but ends, is read to an end") {
  const auto elf = elf_with_note("Xen", 18);
  for (std::size_t size = 0; size < 600; ++size) contents_of(elf.substr(0, size));
  auto far = elf;
  far.replace(32, 8, std::string(8, '\xff'));
  CHECK(contents_of(far) == FileContents{Kind::elf});
  far = elf;
  far.replace(72, 8, std::string(8, '\xff'));
  CHECK(contents_of(far) == FileContents{Kind::elf});
}

TEST_CASE("a format that QEMU would find at the start counts before what else is in the file") {
  const std::vector<std::pair<std::string, FileContents>> rows = {
      {"QED\0"s, {Kind::qed}},
      {"KDMV", {Kind::vmdk}},
      {"COWD", {Kind::vmdk}},
      {"#\nversion=1\nRW 8 FLAT \"/etc/shadow\" 0\n", {Kind::vmdk}},
      {with(64, "\x7f\x10\xda\xbe", 68), {Kind::vdi}},
      {"vhdxfile", {Kind::vhdx}},
      {"WithouFreSpacExt", {Kind::parallels}},
      {"#!/bin/sh\n#V2.0 Format\n", {Kind::cloop}},
      {"Bochs Virtual HD Image", {Kind::bochs}},
      {"LUKS\xba\xbe", {Kind::file_system, "LUKS"}}};
  for (const auto& [start, contents] : rows) {
    CAPTURE(start);
    auto file = with(510,
                     "\x55\xaa"
                     "EFI PART");
    file.replace(0, start.size(), start);
    CHECK(contents_of(file) == contents);
    CHECK(contents_of(file + with(0, "conectix", 512)) == contents);
    CHECK(contents_of(file + with(0, "koly", 512)) == contents);
  }
  // Of two, the one that names other files.
  CHECK(contents_of(with(64, "\x7f\x10\xda\xbe").replace(0, 4, "COWD")) ==
        FileContents{Kind::vmdk});
  const auto comment = "#" + std::string(63, 'x') + "\x7f\x10\xda\xbe\nversion=1\n";
  CHECK(contents_of(comment) == FileContents{Kind::vmdk});
}

TEST_CASE("images of qemu-img's formats are told") {
  const auto program = find_in_path("qemu-img");
  if (program.empty()) {
    MESSAGE("SKIPPED: there is no qemu-img here");
    return;
  }
  const TemporaryFolder folder;
  const std::vector<std::pair<std::string, Kind>> formats = {
      {"qcow2", Kind::qcow2}, {"qcow", Kind::qcow1}, {"qed", Kind::qed},
      {"vmdk", Kind::vmdk},   {"vdi", Kind::vdi},    {"vpc", Kind::vhd},
      {"vhdx", Kind::vhdx},   {"raw", Kind::blank},  {"parallels", Kind::parallels}};
  for (const auto& [format, kind] : formats) {
    const auto path = folder / format;
    CAPTURE(format);
    REQUIRE(capture({program, "create", "-q", "-f", format, path, "8M"}).ok);
    CHECK(static_cast<int>(read_contents(path).kind) == static_cast<int>(kind));
  }
  for (const auto* options : {"compat=0.10", "extended_l2=on,cluster_size=128k", "refcount_bits=1",
                              "cluster_size=512", "preallocation=metadata"}) {
    const auto path = folder / "options";
    CAPTURE(options);
    REQUIRE(capture({program, "create", "-q", "-f", "qcow2", "-o", options, path, "100M"}).ok);
    CHECK(read_contents(path) == FileContents{Kind::qcow2});
  }
  const auto fixed = folder / "fixed";
  REQUIRE(capture({program, "create", "-q", "-f", "vpc", "-o", "subformat=fixed", fixed, "8M"}).ok);
  CHECK(read_contents(fixed) == FileContents{Kind::vhd});
}

TEST_CASE("how large the disk in an image is, its header or its file tells") {
  const TemporaryFolder folder;
  const auto path = folder / "image";
  auto header = "QFI\xfb\0\0\0\3"s + std::string(104, '\0');
  write_text(path, header.replace(24, 8, "\0\0\0\1\2\3\4\5"s));
  CHECK(virtual_size_of(path, "qcow2") == 0x102030405);
  CHECK(virtual_size_of(path, "raw") == 512);
  write_text(path, std::string(1024, 'r'));
  CHECK(virtual_size_of(path, "raw") == 1024);
  CHECK(virtual_size_of(path, "qcow2") == 0);
  CHECK(virtual_size_of(folder / "missing", "raw") == 0);
}

TEST_CASE("a qcow2 image that is cut short or damaged is told") {
  const auto program = find_in_path("qemu-img");
  if (program.empty()) {
    MESSAGE("SKIPPED: there is no qemu-img here");
    return;
  }
  const TemporaryFolder folder;
  std::string data(3 << 20, '\0');
  for (std::size_t i = 0; i < data.size(); ++i) data[i] = static_cast<char>(i * 7 + i / 512);
  write_text(folder / "raw", data);
  for (const auto* more : {"", "-c"}) {
    std::vector<std::string> argv = {program, "convert", "-f", "raw", "-O", "qcow2"};
    if (*more != '\0') argv.emplace_back(more);
    argv.insert(argv.end(), {folder / "raw", folder / "whole"});
    REQUIRE(capture(argv).ok);
    const auto whole = read_text(folder / "whole");
    CHECK(contents_of(whole) == FileContents{Kind::qcow2});
    CHECK(contents_of(whole.substr(0, 50)) ==
          FileContents{Kind::broken_qcow2, "cut short: its header is not whole"});
    for (const auto size : {std::size_t{4096}, whole.size() / 2, whole.size() - (256 << 10)}) {
      const auto found = contents_of(whole.substr(0, size));
      CHECK(found.kind == Kind::broken_qcow2);
      CHECK(found.detail.starts_with("cut short: "));
    }
  }
  const auto whole = read_text(folder / "whole");
  const std::vector<std::tuple<std::size_t, std::string, std::string>> damages = {
      {7, "\x07", "its version is 7, which QEMU does not know"},
      {23, "\x50", "its header is damaged: the cluster size"},
      {35, "\1", "encrypted, and nobody can give its password"},
      {18, "\xff\xff", "its header is damaged: the backing file"},
      {36, std::string(4, '\0'), "its header is damaged: the first table is too small"},
      {47, "\1", "its header is damaged: the first table"},
      {79, "\2", "QEMU has marked it as corrupt"},
      {72, "\1", "it has features that QEMU does not know"},
      {103, "\1", "its header is damaged: its own length"},
      {40, std::string("\0\0\0\x7f\0\0\0\0", 8), "cut short: the first table is not in it"}};
  for (const auto& [offset, bytes, problem] : damages) {
    auto damaged = whole;
    damaged.replace(offset, bytes.size(), bytes);
    CHECK(contents_of(damaged) == FileContents{Kind::broken_qcow2, problem});
  }
  // What is in another file this one cannot lack; that is refused for itself.
  auto elsewhere = whole.substr(0, whole.size() / 2);
  elsewhere[79] = '\4';
  CHECK(contents_of(elsewhere) == FileContents{Kind::qcow2});
}

TEST_CASE("a volume has its label") {
  const auto label_of = [](const std::string& bytes) { return read_label(reader_of(bytes)); };
  const auto iso = with(32768,
                        "\1"
                        "CD001\1");
  CHECK(label_of(std::string(iso).replace(32808, 8, "cidata  ")) == "cidata");
  CHECK(label_of(std::string(iso).replace(32808, 32, std::string(32, 'x'))) ==
        std::string(32, 'x'));
  CHECK(label_of(iso) == "");
  CHECK(label_of(iso.substr(0, 32800)) == "");
  const auto sector = with(510, "\x55\xaa", 4096);
  CHECK(label_of(std::string(sector).replace(54, 5, "FAT12").replace(43, 11, "CIDATA     ")) ==
        "CIDATA");
  CHECK(label_of(std::string(sector).replace(82, 5, "FAT32").replace(71, 11, "cidata     ")) ==
        "cidata");
  CHECK(label_of(sector) == "");
  CHECK(label_of("") == "");
}

TEST_CASE("what is no file is not read") {
  const TemporaryFolder folder;
  REQUIRE(::mkfifo((folder / "fifo").c_str(), 0600) == 0);
  for (const auto& path :
       {folder / "fifo", folder.path(), folder / "none", std::string("/dev/zero")}) {
    CHECK(read_contents(path) == FileContents{});
  }
}

}  // namespace
}  // namespace vmr::test
