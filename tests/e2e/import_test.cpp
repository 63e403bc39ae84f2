// SPDX-License-Identifier: MIT
// What `vm-runner import` prints of a libvirt domain is run: its disks and shares are in the guest.
#include "support/guest.hpp"
#include "support/temporary_folder.hpp"

#include <doctest/doctest.h>
#include <fmt/format.h>

#include <filesystem>

using namespace vmr::test;

namespace {

/// A domain of the tiny guest: two shares, and a disk on each bus, with paths that have to be
/// quoted.
std::string domain_of(const std::string& folder, const std::string& machine) {
  const auto guest = tiny_guest();
  return fmt::format(R"(<domain type='qemu'>
  <name>imported</name>
  <memory unit='MiB'>256</memory>
  <os>
    <type arch='x86_64' machine='{1}'>hvm</type>
    <kernel>{2}/vmlinux</kernel>
    <initrd>{2}/initrd.img</initrd>
    <cmdline>console=ttyS0 quiet panic=-1 rodata=off cryptomgr.notests</cmdline>
  </os>
  <devices>
    <disk><source file='{0}/base.img'/><target bus='virtio'/><transient/></disk>
    <disk><source file='{0}/a,b.img'/><target bus='virtio'/><readonly/></disk>
    <disk><source file='{0}/a,b.img'/><target bus='scsi'/><readonly/><serial>S,1</serial></disk>
    <disk><source file='{0}/base.img'/><target bus='sata'/><transient/></disk>
    <disk device='cdrom'><source file='{0}/a,b.img'/><target bus='sata'/></disk>
    <disk device='floppy'><source file='{0}/floppy.img'/><target bus='fdc'/></disk>
    <filesystem accessmode='mapped'><source dir='{0}/it&apos;s, ü'/><target dir='one'/></filesystem>
    <filesystem><driver type='virtiofs' queue='256'/><source dir='{0}/two'/><target dir='/two'/></filesystem>
    <interface type='user'><mac address='52:54:00:aa:bb:cc'/></interface>
    <interface type='user'><mac address='52:54:00:aa:bb:cd'/><model type='e1000e'/></interface>
  </devices>
</domain>
)",
                     folder, machine, guest);
}

void make_file(const std::string& path, std::uintmax_t size) {
  write_text(path, "");
  std::filesystem::resize_file(path, size);
}

}  // namespace

TEST_CASE("an imported domain boots with its disks and shares") {
  for (const std::string machine : {"q35", "pc"}) {
    CAPTURE(machine);
    const TemporaryFolder host;
    make_file(host / "base.img", 4096 * 1024);
    make_file(host / "a,b.img", 3072 * 1024);
    make_file(host / "floppy.img", 1440 * 1024);
    for (const std::string folder : {"it's, ü", "two"}) {
      std::filesystem::create_directories(host / folder);
    }
    write_text(host / "domain.xml", domain_of(host.path(), machine));
    const auto imported = run_launcher({}, {"import", host / "domain.xml"});
    REQUIRE_MESSAGE(imported.status == 0, imported.log);
    write_text(host / "vm.toml", imported.output);

    const TextFile user_data(
        guest_script("echo 1 >/mnt/one/file; echo 2 >/mnt/two/file\n"
                     "grep -E '^(one|/two) ' /proc/mounts | cut -d' ' -f1-3 | sort >/tmp/mounts\n"
                     "while read -r line; do say $line; done </tmp/mounts\n"
                     "say vda $(cat /sys/block/vda/size) vdc $(cat /sys/block/vdc/size) "
                     "$(cat /sys/block/vdc/ro)\n"));
    const auto seen = observe(
        run_launcher({{"CLOUD_INIT_USER_DATA", user_data.path()}}, {"run", host / "vm.toml"}));
    CHECK(seen.status == 0);
    CHECK(seen.log_with("[ERROR]") == std::vector<std::string>{});
    CHECK(seen.said == std::vector<std::string>{"/two /mnt/two virtiofs", "one /mnt/one 9p",
                                                "vda 8192 vdc 6144 1"});
    CHECK(read_file(host / "it's, ü/file") == "1\n");
    CHECK(read_file(host / "two/file") == "2\n");
  }
}
