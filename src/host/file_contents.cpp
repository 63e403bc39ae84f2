// SPDX-License-Identifier: MIT
#include "host/file_contents.hpp"

#include "base/ascii.hpp"
#include "base/unique_fd.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <fcntl.h>
#include <memory>
#include <optional>
#include <string_view>
#include <sys/stat.h>
#include <unistd.h>

namespace vmr {
namespace {

using namespace std::string_view_literals;
using Kind = FileContents::Kind;

/// Bytes that stand at a fixed place of a file of a kind.
struct Mark {
  std::size_t offset;
  std::string_view bytes;
  Kind kind;
  std::string_view detail{};
};

/// Formats that QEMU knows by their first bytes, whatever follows: those whose images name other
/// files come first.
constexpr std::array image_marks = {
    Mark{0, "QED\0"sv, Kind::qed},
    Mark{0, "KDMV", Kind::vmdk},
    Mark{0, "COWD", Kind::vmdk},
    Mark{0, "# Disk DescriptorFile", Kind::vmdk},
};
constexpr std::array lone_image_marks = {
    Mark{64, "\x7f\x10\xda\xbe", Kind::vdi},
    Mark{0, "conectix", Kind::vhd},
    Mark{0, "vhdxfile", Kind::vhdx},
    Mark{0, "WithoutFreeSpace", Kind::parallels},
    Mark{0, "WithouFreSpacExt", Kind::parallels},
    Mark{0, "#!/bin/sh\n#V2.0 Format\n", Kind::cloop},
    Mark{0, "Bochs Virtual HD Image", Kind::bochs},
    Mark{0, "LUKS\xba\xbe", Kind::file_system, "LUKS"},
};

/// What no disk, kernel or file system begins with by chance. The first that fits counts.
constexpr std::array first_marks = {
    Mark{0, "\x1f\x8b", Kind::gzip},
    Mark{0, "\xfd\x37zXZ\0"sv, Kind::xz},
    Mark{0, "\x5d\0\0"sv, Kind::lzma},
    Mark{0, "\x28\xb5\x2f\xfd", Kind::zstd},
    Mark{0, "BZh", Kind::bzip2},
    Mark{0, "\x04\x22\x4d\x18", Kind::lz4},
    Mark{0, "\x02\x21\x4c\x18", Kind::lz4},
    Mark{0, "\x89LZO\0"sv, Kind::lzop},
    Mark{0, "PK\x03\x04", Kind::zip},
    Mark{0, "PK\x05\x06", Kind::zip},
    Mark{0, "7z\xbc\xaf\x27\x1c", Kind::seven_zip},
    Mark{0, "Rar!\x1a\x07", Kind::rar},
    Mark{0, "070701", Kind::cpio},
    Mark{0, "070702", Kind::cpio},
    Mark{0, "070707", Kind::cpio},
    Mark{0, "\xc7\x71", Kind::cpio},
    Mark{257, "ustar", Kind::tar},
    Mark{32769, "CD001", Kind::iso},
    Mark{32769, "BEA01", Kind::iso},
    Mark{0x202, "HdrS", Kind::linux_x86},
    Mark{56, "ARM\x64", Kind::linux_arm64},
    Mark{0, "\x27\x05\x19\x56", Kind::uboot},
    Mark{512, "EFI PART", Kind::disk},
    Mark{4096, "EFI PART", Kind::disk},
};

/// What only a file without a boot sector is.
constexpr std::array last_marks = {
    Mark{0, "MZ", Kind::efi_program},
    Mark{512, "PM\0\0"sv, Kind::disk},
    Mark{4086, "SWAPSPACE2", Kind::swap},
    Mark{4086, "SWAP-SPACE", Kind::swap},
    Mark{1080, "\x53\xef", Kind::file_system, "ext4"},
    Mark{0, "XFSB", Kind::file_system, "XFS"},
    Mark{65600, "_BHRfS_M", Kind::file_system, "btrfs"},
    Mark{0, "hsqs", Kind::file_system, "squashfs"},
    Mark{1024, "\xe2\xe1\xf5\xe0", Kind::file_system, "EROFS"},
    Mark{1024, "\x10\x20\xf5\xf2", Kind::file_system, "F2FS"},
    Mark{4120, "\xc6\x85\x73\xf6\x4e\x1a\x45\xca", Kind::file_system, "bcachefs"},
    Mark{4120, "\xc6\x85\x73\xf6\x66\xce\x90\xa9", Kind::file_system, "bcachefs"},
    Mark{0, "\x45\x3d\xcd\x28", Kind::file_system, "cramfs"},
    Mark{0, "-rom1fs-", Kind::file_system, "romfs"},
    Mark{1040, "\x7f\x13", Kind::file_system, "minix"},
    Mark{1040, "\x8f\x13", Kind::file_system, "minix"},
    Mark{1040, "\x68\x24", Kind::file_system, "minix"},
    Mark{1040, "\x78\x24", Kind::file_system, "minix"},
    Mark{1048, "\x5a\x4d", Kind::file_system, "minix"},
    Mark{32768, "JFS1", Kind::file_system, "JFS"},
    Mark{65588, "ReIsEr", Kind::file_system, "ReiserFS"},
    Mark{1030, "\x34\x34", Kind::file_system, "NILFS2"},
    Mark{66908, "\x19\x01\x54\x19", Kind::file_system, "UFS"},
    Mark{512, "LABELONE", Kind::file_system, "LVM"},
    Mark{4096, "\xfc\x4e\x2b\xa9", Kind::file_system, "MD RAID"},
};

constexpr std::size_t head_size = 72 << 10;

bool has_at(std::string_view head, std::size_t offset, std::string_view bytes) {
  return offset + bytes.size() <= head.size() && head.substr(offset, bytes.size()) == bytes;
}

template <std::size_t size>
std::optional<FileContents> find_mark(const std::array<Mark, size>& marks, std::string_view head) {
  for (const auto& mark : marks) {
    if (has_at(head, mark.offset, mark.bytes))
      return FileContents{mark.kind, std::string(mark.detail)};
  }
  return std::nullopt;
}

/// An archive whose first member is the description of a virtual appliance.
bool is_appliance(std::string_view head) {
  const auto name = head.substr(0, std::min(head.find('\0'), std::size_t{100}));
  return name.ends_with(".ovf");
}

/// Whether an x86 ELF file has the note by which QEMU finds the entry of a kernel.
bool has_pvh_note(const std::string& head, const ReadAt& read) {
  constexpr std::uint64_t note_segment = 4;
  constexpr std::uint64_t entry_note = 18;
  constexpr std::size_t longest = 64 << 10;
  const bool is_64 = head.at(4) == 2;
  const auto headers = little_endian(head, is_64 ? 32 : 28, is_64 ? 8 : 4);
  const auto entry = little_endian(head, is_64 ? 54 : 42, 2);
  const auto count = std::min<std::uint64_t>(little_endian(head, is_64 ? 56 : 44, 2), 64);
  const auto table = read(headers, entry * count);
  for (std::size_t at = 0; entry != 0 && at + entry <= table.size(); at += entry) {
    if (little_endian(table, at, 4) != note_segment) continue;
    const auto place = little_endian(table, at + (is_64 ? 8 : 4), is_64 ? 8 : 4);
    const auto size = little_endian(table, at + (is_64 ? 32 : 16), is_64 ? 8 : 4);
    const auto notes = read(place, std::min<std::uint64_t>(size, longest));
    for (std::size_t note = 0; note + 12 <= notes.size();) {
      const auto name_size = little_endian(notes, note, 4);
      const auto value_size = little_endian(notes, note + 4, 4);
      const bool is_entry = little_endian(notes, note + 8, 4) == entry_note;
      if (is_entry && has_at(notes, note + 12, "Xen\0"sv)) return true;
      note += 12 + (name_size + 3) / 4 * 4 + (value_size + 3) / 4 * 4;
    }
  }
  return false;
}

Kind kind_of_program(const std::string& head, const ReadAt& read) {
  const auto machine = little_endian(head, 18, 2);
  if (machine == 183) return Kind::elf_arm64;
  const bool is_x86 = machine == 3 || machine == 62;
  return is_x86 && has_pvh_note(head, read) ? Kind::elf_pvh : Kind::elf;
}

/// A header whose three numbers have the sum 0, in the first 8 KiB.
bool has_multiboot_header(const std::string& head) {
  constexpr std::uint64_t magic = 0x1badb002;
  const auto end = std::min<std::size_t>(head.size(), 8192);
  for (std::size_t at = 0; at + 12 <= end; at += 4) {
    if (little_endian(head, at, 4) != magic) continue;
    const auto sum = magic + little_endian(head, at + 4, 4) + little_endian(head, at + 8, 4);
    if ((sum & 0xffffffff) == 0) return true;
  }
  return false;
}

/// What text is; nothing when it is none.
std::optional<FileContents> read_text(std::string_view head) {
  constexpr std::size_t enough = 4096;
  constexpr std::string_view byte_order_mark = "\xef\xbb\xbf";
  head = head.substr(0, enough);
  if (head.starts_with("\xff\xfe") || head.starts_with("\xfe\xff")) return FileContents{Kind::text};
  const bool is_text = std::all_of(head.begin(), head.end(), [](char c) {
    const auto byte = static_cast<unsigned char>(c);
    return byte >= 0x20 || (byte >= '\t' && byte <= '\r') || byte == 0x1b;
  });
  if (!is_text) return std::nullopt;
  if (head.starts_with(byte_order_mark)) head.remove_prefix(byte_order_mark.size());
  const auto start = head.find_first_not_of(" \t\r\n");
  const auto words = ascii_lower(start == head.npos ? head : head.substr(start));
  if (words.starts_with("version https://git-lfs")) return FileContents{Kind::lfs_pointer};
  if (words.starts_with("<!doctype html") || words.find("<html") != words.npos) {
    return FileContents{Kind::html};
  }
  if (words.starts_with("<head") || words.starts_with("<body")) return FileContents{Kind::html};
  return FileContents{words.starts_with('<') ? Kind::xml : Kind::text};
}

/// Whether QEMU takes it for the text that names the files of a VMDK image: its first line is a
/// version. Those that are blank or a comment, in which anything may be, do not count.
bool is_vmdk_descriptor(std::string_view head) {
  for (auto end = head.find('\n'); end != head.npos; end = head.find('\n')) {
    auto line = head.substr(0, end);
    head.remove_prefix(end + 1);
    if (line.ends_with('\r')) line.remove_suffix(1);
    if (line.starts_with('#') || line.find_first_not_of(' ') == line.npos) continue;
    return line == "version=1" || line == "version=2" || line == "version=3";
  }
  return false;
}

/// What QEMU's own look at the first bytes would find; nothing where it would see a raw disk.
std::optional<FileContents> find_image_format(std::string_view head) {
  if (auto found = find_mark(image_marks, head)) return found;
  if (is_vmdk_descriptor(head)) return FileContents{Kind::vmdk};
  return find_mark(lone_image_marks, head);
}

bool is_blank(std::string_view bytes) {
  return bytes.find_first_not_of('\0') == bytes.npos;
}

/// What no fixed place of the file tells.
FileContents classify_rest(const std::string& head, const ReadAt& read) {
  constexpr std::string_view boot_mark = "\x55\xaa";
  if (head.starts_with("\x7f"
                       "ELF") &&
      head.size() > 64)
    return {kind_of_program(head, read)};
  if (has_at(head, 510, boot_mark)) return {Kind::disk};
  if (const auto found = find_mark(last_marks, head)) return *found;
  if (has_multiboot_header(head)) return {Kind::multiboot};
  if (is_blank(head)) return {Kind::blank};
  return read_text(head).value_or(FileContents{Kind::unknown});
}

}  // namespace

FileContents classify(const ReadAt& read, std::uint64_t size) {
  if (size == 0) return {Kind::empty};
  const auto head = read(0, head_size);
  if (head.empty()) return {};
  if (head.starts_with("QFI\xfb")) {
    const auto header = read_qcow2_header(read, size);
    if (!header.is_qcow2) return {Kind::qcow1};
    if (!header.problem.empty()) return {Kind::broken_qcow2, header.problem};
    return {Kind::qcow2};
  }
  if (auto found = find_image_format(head)) return *found;
  // Formats that have their mark at the end only.
  constexpr std::size_t sector = 512;
  const auto tail = size < sector ? std::string() : read(size - sector, sector);
  if (tail.starts_with("conectix")) return {Kind::vhd};
  if (tail.starts_with("koly")) return {Kind::dmg};
  if (const auto found = find_mark(first_marks, head)) {
    return found->kind == Kind::tar && is_appliance(head) ? FileContents{Kind::ova} : *found;
  }
  return classify_rest(head, read);
}

OpenedFile open_to_read(const std::string& path) {
  // What could block is not opened, and no device that a look could disturb.
  struct stat facts {};
  if (::stat(path.c_str(), &facts) != 0) return {};
  if (!S_ISREG(facts.st_mode) && !S_ISBLK(facts.st_mode)) return {};
  auto file = std::make_shared<UniqueFd>(::open(path.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC));
  if (!*file) return {};
  const auto size = ::lseek(file->get(), 0, SEEK_END);
  if (size < 0) return {};
  ReadAt read = [file](std::uint64_t offset, std::size_t wanted) {
    std::string bytes(wanted, '\0');
    std::size_t done = 0;
    while (done < wanted) {
      const auto got = ::pread(file->get(), bytes.data() + done, wanted - done,
                               static_cast<off_t>(offset + done));
      if (got < 0 && errno == EINTR) continue;
      if (got <= 0) break;
      done += static_cast<std::size_t>(got);
    }
    bytes.resize(done);
    return bytes;
  };
  return {std::move(read), static_cast<std::uint64_t>(size), true};
}

std::uint64_t virtual_size_of(const std::string& path, const std::string& format) {
  const auto file = open_to_read(path);
  if (!file.is_open) return 0;
  if (format == "qcow2") return read_qcow2_header(file.read, file.size).virtual_size;
  // QEMU sees whole sectors of a raw one.
  constexpr std::uint64_t sector = 512;
  return (file.size + sector - 1) / sector * sector;
}

std::string read_label(const ReadAt& read) {
  const auto without_filling = [](std::string label) {
    label.resize(std::min(label.find('\0'), label.size()));
    return label.erase(label.find_last_not_of(' ') + 1);
  };
  constexpr std::size_t size = 72;
  const auto volume = read(32768, size);
  if (volume.size() == size && has_at(volume, 0,
                                      "\x01"
                                      "CD001")) {
    return without_filling(volume.substr(40));
  }
  const auto sector = read(0, 512);
  if (!has_at(sector, 510, "\x55\xaa")) return {};
  constexpr std::size_t longest = 11;
  if (has_at(sector, 54, "FAT1")) return without_filling(sector.substr(43, longest));
  if (has_at(sector, 82, "FAT32")) return without_filling(sector.substr(71, longest));
  return {};
}

FileContents read_contents(const std::string& path) {
  const auto file = open_to_read(path);
  if (!file.is_open) return {};
  auto contents = classify(file.read, file.size);
  contents.label = read_label(file.read);
  return contents;
}

}  // namespace vmr
