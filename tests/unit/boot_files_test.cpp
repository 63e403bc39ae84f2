// SPDX-License-Identifier: MIT
#include "spec/boot_files.hpp"

#include "support/hosts.hpp"
#include "support/judge.hpp"

#include <doctest/doctest.h>

namespace vmr::test {
namespace {

using Kind = FileContents::Kind;

FileFacts file_of(FileContents contents) {
  auto facts = regular_file();
  facts.contents = std::move(contents);
  return facts;
}

/// As if BASE_IMAGE named a disk with these contents.
Host host_with_disk(const std::string& path, FileContents contents) {
  auto host = docker_host();
  host.guest = GuestImage{"d", "", "", path, "raw", "", ""};
  host.files[path] = file_of(std::move(contents));
  host.files["/k"] = file_of({Kind::linux_x86});
  return host;
}

/// What is said of a disk at `path`, with the command that helps.
std::string said_of(const std::string& path, FileContents contents) {
  const auto wrong = check_disk(path, contents, false);
  return wrong ? wrong->reason + " -> " + wrong->hint : "";
}

TEST_CASE("a disk that is none is refused with what it is and the command that helps") {
  CHECK(judge({"BASE_IMAGE=/my vm.vmdk"}, host_with_disk("/my vm.vmdk", {Kind::vmdk})) ==
        Verdict{{{"BASE_IMAGE='/my vm.vmdk': a VMware disk image (vmdk): only qcow2 and raw disk "
                  "images are started",
                  "BASE_IMAGE (environment)",
                  "convert it, and name the new file: qemu-img convert -p -f vmdk -O qcow2 "
                  "'/my vm.vmdk' '/my vm.qcow2'"}},
                {}});
}

TEST_CASE("what is said of a disk, by what it is") {
  const std::vector<std::tuple<std::string, FileContents, std::string>> rows = {
      {"/d/x.y/noending",
       {Kind::vhd},
       "a Virtual PC or Azure disk image (vhd): only qcow2 and raw disk images are started -> "
       "convert it, and name the new file: qemu-img convert -p -f vpc -O qcow2 /d/x.y/noending "
       "/d/x.y/noending.qcow2"},
      {"/d.qcow2",
       {Kind::qed},
       "a QED disk image: only qcow2 and raw disk images are started -> convert it, and name the "
       "new file: qemu-img convert -p -f qed -O qcow2 /d.qcow2 /d.converted.qcow2"},
      {"/d.img.xz",
       {Kind::xz},
       "compressed with xz, not a disk image -> unpack it, and name what comes out: xz -dk "
       "/d.img.xz"},
      {"/d.img",
       {Kind::gzip},
       "compressed with gzip, not a disk image -> unpack it, and name what comes out: gzip -dc "
       "/d.img > /d.img.unpacked"},
      {"/d.tar.zst",
       {Kind::zstd},
       "compressed with zstd, not a disk image -> unpack it, and name what comes out: tar xf "
       "/d.tar.zst"},
      {"/it's.zip",
       {Kind::zip},
       "a zip archive, not a disk image -> unpack it, and name what comes out: unzip "
       "'/it'\\''s.zip'"},
      {"/d.ova",
       {Kind::ova},
       "a virtual appliance (OVA), an archive of disks, not a disk image -> unpack it, and name "
       "what comes out: tar xf /d.ova"},
      {"/d.img",
       {Kind::html},
       "a web page (HTML), not a disk image -> a web page came instead of the file: download it "
       "again, from the address of the file itself"},
      {"/d.img",
       {Kind::lfs_pointer},
       "a pointer of Git LFS, not the file itself, not a disk image -> run 'git lfs pull' in its "
       "repository"},
      {"/d.img", {Kind::empty}, "an empty file, not a disk image -> download or copy it again"},
      {"/d.img", {Kind::text}, "a text, not a disk image -> name a qcow2 or raw image of a disk"},
      {"/d.img",
       {Kind::unknown},
       "of an unknown kind: neither qcow2, nor has it a partition table or file system -> name a "
       "qcow2 or raw image of a disk"},
      {"/d.img",
       {Kind::swap},
       "a swap area, not a disk image -> name a qcow2 or raw image of a disk"},
      {"/d.qcow2",
       {Kind::broken_qcow2, "cut short: contents are missing"},
       "a qcow2 image that cannot be used: cut short: contents are missing -> copy or download it "
       "again, or see what is wrong: qemu-img check /d.qcow2"},
      {"/a b.iso",
       {Kind::iso},
       "a CD or DVD image (ISO), not a disk -> name a disk image (a 'cloud image' starts at once); "
       "to install from this one, make an empty disk (qemu-img create -f qcow2 disk.qcow2 20G), "
       "name that with PERSIST=1, and set EXTRA_ARGS=\"-boot d -cdrom '/a b.iso'\""},
      {"/d.raw",
       {Kind::file_system, "ext4"},
       "a file system (ext4) without a partition table or boot loader, which does not start by "
       "itself -> set KERNEL (and INITRD, CMDLINE='root=/dev/vda …') to start it, or name the "
       "image "
       "of a whole disk"},
      {"/d.raw",
       {Kind::blank},
       "nothing but zeros, so that there is nothing to start -> name a disk image with a system on "
       "it; for an empty disk to install on, use qcow2: qemu-img create -f qcow2 disk.qcow2 20G"},
      {"/d", {Kind::disk}, ""},
      {"/d", {Kind::qcow2}, ""},
      {"/d", {}, ""}};
  for (const auto& [path, contents, expected] : rows) CHECK(said_of(path, contents) == expected);
}

TEST_CASE("beside a kernel a disk may be only data") {
  for (const auto& contents : {FileContents{Kind::file_system, "ext4"}, FileContents{Kind::iso},
                               FileContents{Kind::blank}}) {
    CHECK(judge({"BASE_IMAGE=/d", "KERNEL=/k"}, host_with_disk("/d", contents)) == Verdict{});
  }
  CHECK(check_disk("/d", {Kind::swap}, true));
  CHECK(check_disk("/d", {Kind::unknown}, true));
}

TEST_CASE("a file of a guest.toml is refused at its line") {
  auto host = host_with_disk("/g/d", {Kind::vdi});
  host.guest->kernel = "/g/k";
  host.guest->initrd = "/g/i";
  host.guest->kernel_origin = "kernel (/g/guest.toml:1)";
  host.guest->initrd_origin = "initrd (/g/guest.toml:2)";
  host.guest->disk_origin = "disk (/g/guest.toml:3)";
  host.files["/g/k"] = file_of({Kind::linux_arm64});
  host.files["/g/i"] = file_of({Kind::lfs_pointer});
  CHECK(judge({"BASE_IMAGE=/g"}, host) ==
        Verdict{{{"kernel='/g/k': a Linux kernel for aarch64, and the machine is x86_64",
                  "kernel (/g/guest.toml:1)", "name a kernel of that architecture, or set ARCH"},
                 {"initrd='/g/i': a pointer of Git LFS, not the file itself, not an initrd",
                  "initrd (/g/guest.toml:2)", "run 'git lfs pull' in its repository"},
                 {"disk='/g/d': a VirtualBox disk image (vdi): only qcow2 and raw disk images are "
                  "started",
                  "disk (/g/guest.toml:3)",
                  "convert it, and name the new file: qemu-img convert -p -f vdi -O qcow2 /g/d "
                  "/g/d.qcow2"}},
                {}});
}

TEST_CASE("a kernel that is none is refused with what it is") {
  auto host = docker_host();
  host.files["/k"] = file_of({Kind::text});
  CHECK(judge({"KERNEL=/k"}, host) ==
        Verdict{{{"KERNEL='/k': a text, not a kernel", "KERNEL (environment)",
                  "name a kernel that QEMU can start: a bzImage, as in /boot/vmlinuz-*, or a "
                  "vmlinux with PVH"}},
                {}});
  const auto x86 = Architecture::x86_64;
  const auto arm = Architecture::aarch64;
  for (const auto kind : {Kind::linux_x86, Kind::elf_pvh, Kind::multiboot}) {
    CHECK_FALSE(check_kernel("/k", {kind}, x86));
    CHECK(check_kernel("/k", {kind}, arm));
  }
  for (const auto kind : {Kind::linux_arm64, Kind::elf_arm64, Kind::gzip, Kind::uboot}) {
    CHECK_FALSE(check_kernel("/k", {kind}, arm));
    CHECK(check_kernel("/k", {kind}, x86));
  }
  for (const auto kind : {Kind::elf, Kind::efi_program, Kind::qcow2, Kind::iso, Kind::empty,
                          Kind::unknown, Kind::cpio, Kind::blank}) {
    CHECK(check_kernel("/k", {kind}, x86));
  }
}

TEST_CASE("an initrd that is none is refused with what it is") {
  const FileContents linux_kernel{Kind::linux_x86};
  for (const auto kind : {Kind::cpio, Kind::gzip, Kind::xz, Kind::zstd, Kind::lz4, Kind::bzip2,
                          Kind::lzma, Kind::lzop, Kind::file_system, Kind::unread}) {
    CHECK_FALSE(check_initrd("/i", {kind}, linux_kernel));
  }
  for (const auto kind : {Kind::empty, Kind::html, Kind::linux_x86, Kind::qcow2, Kind::unknown}) {
    CHECK(check_initrd("/i", {kind}, linux_kernel));
    CHECK_FALSE(check_initrd("/i", {kind}, {Kind::multiboot}));
  }
  CHECK(check_initrd("/i", {Kind::linux_x86}, linux_kernel) ==
        WrongFile{"a Linux kernel for x86, not an initrd",
                  "name the initrd that belongs to the kernel, as in /boot/initrd.img-*"});
}

}  // namespace
}  // namespace vmr::test
