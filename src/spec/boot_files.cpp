// SPDX-License-Identifier: MIT
#include "spec/boot_files.hpp"

#include "base/shell_words.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <initializer_list>
#include <string_view>

namespace vmr {
namespace {

using Kind = FileContents::Kind;
using Kinds = std::initializer_list<Kind>;

/// What QEMU starts as a kernel.
constexpr Kinds for_x86 = {Kind::linux_x86, Kind::elf_pvh, Kind::multiboot};
constexpr Kinds for_arm = {Kind::linux_arm64, Kind::elf_arm64, Kind::uboot};
/// What Linux takes as an initrd.
constexpr Kinds for_initrd = {Kind::unread, Kind::cpio,  Kind::gzip, Kind::xz,   Kind::lzma,
                              Kind::zstd,   Kind::bzip2, Kind::lz4,  Kind::lzop, Kind::file_system};

/// What a kind is called, and what makes something useful of it.
struct KindText {
  Kind kind;
  std::string_view name;
  std::string_view format{};  ///< for qemu-img, which converts it
  std::string_view unpack{};  ///< the command that unpacks it, without its name
  std::string_view ending{};  ///< that the command wants the name to have
};

constexpr std::array kinds = {
    KindText{Kind::empty, "an empty file"},
    KindText{Kind::blank, "a file of zeros"},
    KindText{Kind::unknown, "of an unknown kind"},
    KindText{Kind::disk, "a disk image"},
    KindText{Kind::file_system, "a file system"},
    KindText{Kind::iso, "a CD or DVD image (ISO)"},
    KindText{Kind::swap, "a swap area"},
    KindText{Kind::qcow2, "a qcow2 disk image"},
    KindText{Kind::broken_qcow2, "a broken qcow2 disk image"},
    KindText{Kind::qcow1, "a disk image of the old qcow format, version 1", "qcow"},
    KindText{Kind::qed, "a QED disk image", "qed"},
    KindText{Kind::vmdk, "a VMware disk image (vmdk)", "vmdk"},
    KindText{Kind::vdi, "a VirtualBox disk image (vdi)", "vdi"},
    KindText{Kind::vhd, "a Virtual PC or Azure disk image (vhd)", "vpc"},
    KindText{Kind::vhdx, "a Hyper-V disk image (vhdx)", "vhdx"},
    KindText{Kind::parallels, "a Parallels disk image", "parallels"},
    KindText{Kind::cloop, "a compressed loop image (cloop)", "cloop"},
    KindText{Kind::dmg, "a macOS disk image (dmg)", "dmg"},
    KindText{Kind::bochs, "a Bochs disk image", "bochs"},
    KindText{Kind::gzip, "compressed with gzip", "", "gzip -dk", ".gz"},
    KindText{Kind::xz, "compressed with xz", "", "xz -dk", ".xz"},
    KindText{Kind::lzma, "compressed with lzma", "", "xz -dk", ".lzma"},
    KindText{Kind::zstd, "compressed with zstd", "", "zstd -dk", ".zst"},
    KindText{Kind::bzip2, "compressed with bzip2", "", "bzip2 -dk", ".bz2"},
    KindText{Kind::lz4, "compressed with lz4", "", "lz4 -dk", ".lz4"},
    KindText{Kind::lzop, "compressed with lzop", "", "lzop -dk", ".lzo"},
    KindText{Kind::zip, "a zip archive", "", "unzip"},
    KindText{Kind::seven_zip, "a 7z archive", "", "7z x"},
    KindText{Kind::rar, "a RAR archive", "", "unrar x"},
    KindText{Kind::tar, "a tar archive", "", "tar xf"},
    KindText{Kind::ova, "a virtual appliance (OVA), an archive of disks", "", "tar xf"},
    KindText{Kind::cpio, "a cpio archive"},
    KindText{Kind::linux_x86, "a Linux kernel for x86"},
    KindText{Kind::linux_arm64, "a Linux kernel for aarch64"},
    KindText{Kind::multiboot, "a Multiboot kernel for x86"},
    KindText{Kind::uboot, "an image for U-Boot"},
    KindText{Kind::elf_pvh, "a kernel for x86 (ELF, PVH)"},
    KindText{Kind::elf_arm64, "a kernel or program for aarch64 (ELF)"},
    KindText{Kind::elf, "a program (ELF) without an entry for QEMU (PVH)"},
    KindText{Kind::efi_program, "a program for EFI or Windows"},
    KindText{Kind::html, "a web page (HTML)"},
    KindText{Kind::xml, "an XML document"},
    KindText{Kind::lfs_pointer, "a pointer of Git LFS, not the file itself"},
    KindText{Kind::text, "a text"}};

const KindText& text_of(Kind kind) {
  const auto* found = std::find_if(kinds.begin(), kinds.end(),
                                   [&](const KindText& text) { return text.kind == kind; });
  return found == kinds.end() ? kinds[2] : *found;
}

bool is_one_of(Kind kind, Kinds others) {
  return std::find(others.begin(), others.end(), kind) != others.end();
}

std::string name_of(const FileContents& contents) {
  const bool has_name = contents.kind == Kind::file_system && !contents.detail.empty();
  if (has_name) return fmt::format("a file system ({})", contents.detail);
  return std::string(text_of(contents.kind).name);
}

/// `path` with the ending .qcow2 in place of its own.
std::string converted_name(const std::string& path) {
  const auto dot = path.rfind('.');
  const auto slash = path.rfind('/');
  const bool has_ending = dot != path.npos && (slash == path.npos || dot > slash + 1);
  const auto stem = has_ending ? path.substr(0, dot) : path;
  return stem + ".qcow2" == path ? stem + ".converted.qcow2" : stem + ".qcow2";
}

std::string unpack_command(const std::string& path, const KindText& text) {
  const auto quoted = shell_quote(path);
  const bool is_tar = path.find(".tar.") != path.npos || path.ends_with(".tgz");
  if (is_tar) return "tar xf " + quoted;
  if (text.ending.empty() || path.ends_with(text.ending)) {
    return fmt::format("{} {}", text.unpack, quoted);
  }
  // These programs refuse a name without their ending.
  const auto tool = text.unpack.substr(0, text.unpack.find(' '));
  return fmt::format("{} -dc {} > {}", tool, quoted, shell_quote(path + ".unpacked"));
}

/// What helps whatever the file was meant for; empty: nothing does.
std::string hint_for(const std::string& path, const FileContents& contents) {
  const auto& text = text_of(contents.kind);
  if (!text.unpack.empty()) {
    return fmt::format("unpack it, and name what comes out: {}", unpack_command(path, text));
  }
  switch (contents.kind) {
    case Kind::html:
      return "a web page came instead of the file: download it again, from the address of the "
             "file itself";
    case Kind::xml:
      return "download the file again if this is a server's answer; a libvirt domain is for "
             "'vm-runner import'";
    case Kind::lfs_pointer:
      return "run 'git lfs pull' in its repository";
    case Kind::empty:
      return "download or copy it again";
    default:
      return {};
  }
}

constexpr std::string_view make_empty_disk = "qemu-img create -f qcow2 disk.qcow2 20G";

WrongFile wrong_disk(const std::string& path, const FileContents& contents) {
  const auto& text = text_of(contents.kind);
  if (!text.format.empty()) {
    return {
        fmt::format("{}: only qcow2 and raw disk images are started", text.name),
        fmt::format("convert it, and name the new file: qemu-img convert -p -f {} -O qcow2 {} {}",
                    text.format, shell_quote(path), shell_quote(converted_name(path)))};
  }
  if (contents.kind == Kind::broken_qcow2) {
    return {fmt::format("a qcow2 image that cannot be used: {}", contents.detail),
            fmt::format("copy or download it again, or see what is wrong: qemu-img check {}",
                        shell_quote(path))};
  }
  if (contents.kind == Kind::iso) {
    return {fmt::format("{}, not a disk", text.name),
            fmt::format("name a disk image (a 'cloud image' starts at once); to install from this "
                        "one, make an empty disk ({}), name that with PERSIST=1, and set "
                        "EXTRA_ARGS=\"-boot d -cdrom {}\"",
                        make_empty_disk, shell_quote(path))};
  }
  if (contents.kind == Kind::file_system) {
    return {
        fmt::format("{} without a partition table or boot loader, which does not start by "
                    "itself",
                    name_of(contents)),
        "set KERNEL (and INITRD, CMDLINE='root=/dev/vda …') to start it, or name the image of a "
        "whole disk"};
  }
  if (contents.kind == Kind::blank) {
    return {"nothing but zeros, so that there is nothing to start",
            fmt::format("name a disk image with a system on it; for an empty disk to install on, "
                        "use qcow2: {}",
                        make_empty_disk)};
  }
  auto hint = hint_for(path, contents);
  if (hint.empty()) hint = "name a qcow2 or raw image of a disk";
  const bool is_unknown = contents.kind == Kind::unknown;
  return {fmt::format("{}{}", text.name,
                      is_unknown ? ": neither qcow2, nor has it a partition table or file system"
                                 : ", not a disk image"),
          hint};
}

}  // namespace

std::optional<WrongFile> check_disk(const std::string& path, const FileContents& contents,
                                    bool has_kernel) {
  if (is_one_of(contents.kind, {Kind::unread, Kind::qcow2, Kind::disk})) return std::nullopt;
  // A kernel may bring its root in an initrd, and use or format a disk that is only data.
  const bool is_data = is_one_of(contents.kind, {Kind::file_system, Kind::iso, Kind::blank});
  if (has_kernel && is_data) return std::nullopt;
  return wrong_disk(path, contents);
}

std::optional<WrongFile> check_kernel(const std::string& path, const FileContents& contents,
                                      Architecture architecture) {
  const bool is_arm = architecture == Architecture::aarch64;
  if (contents.kind == Kind::unread) return std::nullopt;
  if (is_one_of(contents.kind, is_arm ? for_arm : for_x86)) return std::nullopt;
  // There QEMU unpacks it.
  if (is_arm && contents.kind == Kind::gzip) return std::nullopt;
  const auto machine = word_for(architecture);
  if (is_one_of(contents.kind, is_arm ? for_x86 : for_arm)) {
    return WrongFile{fmt::format("{}, and the machine is {}", name_of(contents), machine),
                     "name a kernel of that architecture, or set ARCH"};
  }
  auto hint = hint_for(path, contents);
  if (hint.empty()) {
    hint = is_arm ? "name a kernel that QEMU can start: an Image, as in /boot/vmlinuz-*"
                  : "name a kernel that QEMU can start: a bzImage, as in /boot/vmlinuz-*, or a "
                    "vmlinux with PVH";
  }
  return WrongFile{fmt::format("{}, not a kernel", name_of(contents)), hint};
}

std::optional<WrongFile> check_initrd(const std::string& path, const FileContents& contents,
                                      const FileContents& kernel) {
  if (is_one_of(kernel.kind, {Kind::unread, Kind::multiboot, Kind::elf_arm64})) return std::nullopt;
  if (is_one_of(contents.kind, for_initrd)) return std::nullopt;
  auto hint = hint_for(path, contents);
  if (hint.empty()) hint = "name the initrd that belongs to the kernel, as in /boot/initrd.img-*";
  return WrongFile{fmt::format("{}, not an initrd", name_of(contents)), hint};
}

void refuse_file(const Given<std::string>& given, std::string_view key, const std::string& path,
                 const std::string& toml_origin, const WrongFile& wrong, Findings& findings) {
  if (toml_origin.empty()) {
    findings.refuse(given, wrong.reason, wrong.hint);
  } else {
    findings.problems.push_back(
        {fmt::format("{}='{}': {}", key, path, wrong.reason), toml_origin, wrong.hint});
  }
}

}  // namespace vmr
