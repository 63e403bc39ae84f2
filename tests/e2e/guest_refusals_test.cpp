// SPDX-License-Identifier: MIT
// What a guest cannot mount, in its own words and with the fix.
#include "config/variables.hpp"
#include "support/guest.hpp"

#include <doctest/doctest.h>

#include <sys/stat.h>

using namespace vmr::test;

namespace {

using Lines = std::vector<std::string>;

/// A virtiofs and a 9p share: /mnt/v and /mnt/p.
Launcher::Variables both_drivers(const TemporaryFolder& host) {
  return join(share(1, {{"SOURCE", host / "v"}}),
              share(2, {{"SOURCE", host / "p"}, {"DRIVER", "9p"}}));
}

}  // namespace

TEST_CASE("a kernel without the file system is named with the other driver") {
  const TemporaryFolder host;
  const auto seen =
      boot(join(both_drivers(host), {{"CMDLINE", "module_blacklist=9p,virtiofs"}}), "say booted\n");
  CHECK(seen.status == 0);
  CHECK(seen.said == Lines{"booted"});
  CHECK(seen.log_with("[ERROR]") ==
        Lines{"[ERROR] Filesystem #1: not mounted in the guest at /mnt/v: mount: mounting v on "
              "/mnt/v failed: No such device (the guest's kernel has no virtiofs (Linux 5.4 and "
              "later do): use a newer guest, or FILESYSTEM_DRIVER=9p)",
              "[ERROR] Filesystem #2: not mounted in the guest at /mnt/p: mount: mounting p on "
              "/mnt/p failed: No such device (the guest's kernel has no 9p (Debian's cloud kernels "
              "do not): use a guest with linux-image-amd64, or FILESYSTEM2_DRIVER=virtiofs)"});
}

TEST_CASE("a busy folder and a share that is mounted elsewhere are named") {
  const TemporaryFolder host;
  // The boothook again, as at a reboot of a guest that has changed.
  const auto seen = boot(both_drivers(host),
                         "umount /mnt/v /mnt/p\n"
                         "mount -t tmpfs own /mnt/v\n"
                         "mkdir /elsewhere\n"
                         "mount -t 9p -o trans=virtio p /elsewhere\n"
                         "/run/boothook\n");
  CHECK(seen.status == 0);
  CHECK(seen.log_with("[ERROR]") ==
        Lines{"[ERROR] Filesystem #1: not mounted in the guest at /mnt/v: the folder is busy: "
              "tmpfs is mounted there (choose another folder with FILESYSTEM_MOUNT)",
              "[ERROR] Filesystem #2: not mounted in the guest at /mnt/p: mount: mounting p on "
              "/mnt/p failed: Device or resource busy (9pnet_virtio: no channels available for "
              "device p) (the guest has mounted this share elsewhere, and 9p allows it once: take "
              "that out of its /etc/fstab or user-data, or name that folder with "
              "FILESYSTEM2_MOUNT)"});
}

TEST_CASE("a tag that the guest's mount takes for something else is no false proof") {
  const TemporaryFolder host;
  const auto seen = boot(join(share(1, {{"SOURCE", host / "a"}, {"TARGET", "-o"}}),
                              share(2, {{"SOURCE", host / "b"}, {"TARGET", "#x"}})),
                         "say $(grep -c virtiofs /proc/mounts)\n");
  CHECK(seen.said == Lines{"0"});
  const auto errors = seen.log_with("[ERROR]");
  REQUIRE(errors.size() == 2);
  for (int number = 1; number <= 2; ++number) {
    const auto& error = errors.at(static_cast<std::size_t>(number - 1));
    CHECK(error.find(vmr::share_variable(number, "TARGET")) != error.npos);
  }
}

TEST_CASE("a share that the machine does not show is named") {
  const TemporaryFolder host;
  const auto seen = boot(both_drivers(host),
                         "umount /mnt/v /mnt/p\n"
                         "for driver in virtiofs 9pnet_virtio; do\n"
                         "  cd /sys/bus/virtio/drivers/$driver\n"
                         "  for device in virtio*; do echo $device >unbind; done\n"
                         "done\n"
                         "cd /\n"
                         "/run/boothook\n");
  CHECK(seen.status == 0);
  CHECK(seen.log_with("[ERROR]") ==
        Lines{"[ERROR] Filesystem #1: not mounted in the guest at /mnt/v: mount: mounting v on "
              "/mnt/v failed: Invalid argument (virtio-fs: tag <v> not found) (the guest sees no "
              "share of this tag: does EXTRA_ARGS change the machine?)",
              "[ERROR] Filesystem #2: not mounted in the guest at /mnt/p: mount: mounting p on "
              "/mnt/p failed: No such file or directory (9pnet_virtio: no channels available for "
              "device p) (the guest sees no share of this tag: does EXTRA_ARGS change the "
              "machine?)"});
}

TEST_CASE("what the guest's user cannot write is told before boot and 9p mapped mends it") {
  const TemporaryFolder host;
  const auto source = host / "roots";
  REQUIRE(::mkdir(source.c_str(), 0755) == 0);
  // A bare kernel has no guest.toml that says root logs in.
  const auto settings = join({{"BASE_IMAGE", ""},
                              {"KERNEL", tiny_guest() + "/vmlinux"},
                              {"INITRD", tiny_guest() + "/initrd.img"},
                              {"CMDLINE", "console=ttyS0 quiet panic=-1"}},
                             share(1, {{"SOURCE", source}}));
  const std::string script =
      "su guest -c 'echo hello >/mnt/roots/file' 2>&1 | while read -r line; "
      "do say $line; done\n";

  const auto refused = boot(settings, script);
  CHECK(refused.log_with("[WARN]") ==
        Lines{"[WARN] Filesystem #1: the guest's user 1000 cannot write there: " + source +
              " belongs to 0:0 with mode 0755; adjust its owner or mode on the host, or use "
              "FILESYSTEM_DRIVER=9p with FILESYSTEM_ACCESSMODE=mapped"});
  CHECK(refused.said == Lines{"sh: can't create /mnt/roots/file: Permission denied"});

  const auto mended =
      boot(join(settings, share(1, {{"DRIVER", "9p"}, {"ACCESSMODE", "mapped"}})), script);
  CHECK(mended.log_with("[WARN]") == Lines{});
  CHECK(mended.said == Lines{});
  CHECK(read_file(source + "/file") == "hello\n");
}

TEST_CASE("a guest without cloud-init costs a warning and a way to mount by hand") {
  const TemporaryFolder host;
  // Without the init that reads the seed.
  const auto settings = join(tiny_settings(), both_drivers(host));
  const auto seen =
      observe(run_launcher(join(settings, {{"CMDLINE", "rdinit=/bin/busybox -- poweroff -f"}})));
  CHECK_MESSAGE(seen.status == 0, seen.console);
  CHECK(seen.log_with("[WARN]") ==
        Lines{"[WARN] The guest did not say before it powered off whether its shares are mounted: "
              "it is slow, or it does not run cloud-init (by hand, in the guest: mount -t virtiofs "
              "-o rw -- v /mnt/v)"});
  CHECK(seen.log_with("[ERROR]") == Lines{});
}
