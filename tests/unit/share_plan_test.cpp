// SPDX-License-Identifier: MIT
#include "plan/share_plan.hpp"

#include "support/hostile_values.hpp"
#include "support/hosts.hpp"
#include "support/judge.hpp"
#include "support/qemu_option_parser.hpp"

#include <doctest/doctest.h>

namespace vmr::test {
namespace {

Share virtiofs_share() {
  Share share;
  share.number = 2;
  share.tag = "data";
  share.source = "/srv/data";
  share.mount = "/mnt/data";
  share.sandbox = Sandbox::chroot;
  return share;
}

Share ninep_share(AccessMode accessmode = AccessMode::passthrough) {
  Share share = virtiofs_share();
  share.driver = Driver::ninep;
  share.accessmode = accessmode;
  return share;
}

Argv daemon_of(const Share& share, const Host& host) {
  return {plan_share(share, 0, host, "/run/vm-runner/vm").helper.value().argv};
}

Argv ninep_arguments(const Share& share) {
  const auto plan = plan_share(share, 0, docker_host(), "/run/vm-runner/vm");
  CHECK(plan.helper == std::nullopt);
  return {plan.qemu_arguments};
}

TEST_CASE("a virtiofs share is a daemon and a device that meet at a socket") {
  const auto share = virtiofs_share();
  const auto plan = plan_share(share, 0, docker_host(), "/run/x");
  CHECK(plan.share == share);
  REQUIRE(plan.helper);
  CHECK(plan.helper->name == "virtiofsd-2");
  CHECK(plan.helper->listeners == std::vector<Listener>{{3, "/run/x/virtiofsd-2.sock"}});
  CHECK(plan.connection == Connection{7, "/run/x/virtiofsd-2.sock"});
  CHECK(Argv{plan.qemu_arguments} ==
        Argv{{"-chardev", "socket,id=share2,fd=7", "-device",
              "vhost-user-fs-pci,chardev=share2,tag=data,queue-size=1024,addr=0x10.0,multifunction="
              "on"}});
}

TEST_CASE("the Rust virtiofsd") {
  CHECK(
      daemon_of(virtiofs_share(), docker_host()) ==
      Argv{{"/usr/libexec/virtiofsd", "--fd=3", "--shared-dir", "/srv/data", "--sandbox", "chroot",
            "--cache", "auto", "--inode-file-handles=never", "--killpriv-v2", "--modcaps=-setfcap",
            "--seccomp", "kill", "--thread-pool-size=0", "--rlimit-nofile=1000000"}});
}

TEST_CASE("eight shares are functions of one PCI slot") {
  const auto address = [](std::size_t position) {
    const auto share = position % 2 == 0 ? virtiofs_share() : ninep_share();
    const auto device = plan_share(share, position, docker_host(), "/r").qemu_arguments.at(3);
    return device.substr(device.find(",addr="));
  };
  CHECK(address(0) == ",addr=0x10.0,multifunction=on");
  CHECK(address(1) == ",addr=0x10.1");
  CHECK(address(7) == ",addr=0x10.7");
  CHECK(address(8) == ",addr=0x11.0,multifunction=on");
  CHECK(address(31) == ",addr=0x13.7");
  CHECK(address(32) == ",addr=0x14.0,multifunction=on,vectors=0");
  CHECK(address(most_shares - 1) == ",addr=0x1e.7,vectors=0");
}

TEST_CASE("the Rust virtiofsd acts as one owner") {
  auto share = virtiofs_share();
  share.owner = {501, 20};
  share.guest_owner = {1000, 1001};
  CHECK(daemon_of(share, docker_host()) ==
        Argv{{"/usr/libexec/virtiofsd", "--fd=3", "--shared-dir", "/srv/data", "--sandbox",
              "chroot", "--cache", "auto", "--inode-file-handles=never", "--killpriv-v2",
              "--translate-uid=squash-guest:0:501:4294967295", "--translate-uid=host:501:1000:1",
              "--translate-gid=squash-guest:0:20:4294967295", "--translate-gid=host:20:1001:1",
              "--modcaps=-setfcap", "--seccomp", "kill", "--thread-pool-size=0",
              "--rlimit-nofile=1000000"}});
}

TEST_CASE("the Rust virtiofsd with every option") {
  auto share = virtiofs_share();
  share.readonly = true;
  share.cache = CacheMode::none;
  share.sandbox = Sandbox::name_space;
  share.queue_size = 256;
  share.thread_pool_size = 8;
  share.xattr = true;
  share.posix_acl = true;
  share.privileged_files = true;
  auto host = docker_host();
  host.abilities.dac_read_search = true;
  host.open_files_limit = 4096;
  CHECK(daemon_of(share, host) ==
        Argv{{"/usr/libexec/virtiofsd", "--fd=3", "--shared-dir", "/srv/data", "--sandbox",
              "namespace", "--cache", "never", "--inode-file-handles=prefer", "--readonly",
              "--xattr", "--posix-acl", "--modcaps=-chown:-fowner:-fsetid:-mknod", "--seccomp",
              "kill", "--thread-pool-size=8", "--rlimit-nofile=4096"}});
  CHECK(Argv{plan_share(share, 0, host, "/r").qemu_arguments} ==
        Argv{{"-chardev", "socket,id=share2,fd=7", "-device",
              "vhost-user-fs-pci,chardev=share2,tag=data,queue-size=256,addr=0x10.0,multifunction="
              "on"}});
}

TEST_CASE("an older Rust virtiofsd gets only what it knows") {
  auto host = docker_host();
  host.virtiofsd->has_readonly = host.virtiofsd->has_file_handles = false;
  host.virtiofsd->has_modcaps = host.virtiofsd->has_killpriv_v2 = false;
  auto share = virtiofs_share();
  share.readonly = true;  // its source is mounted read-only
  CHECK(daemon_of(share, host) ==
        Argv{{"/usr/libexec/virtiofsd", "--fd=3", "--shared-dir", "/srv/data", "--sandbox",
              "chroot", "--cache", "auto", "--seccomp", "kill", "--thread-pool-size=0",
              "--rlimit-nofile=1000000"}});
}

TEST_CASE("the C virtiofsd") {
  CHECK(
      daemon_of(virtiofs_share(), debian_12_host()) ==
      Argv{{"/usr/lib/qemu/virtiofsd", "--fd=3", "-o", "source=/srv/data", "-o", "cache=auto", "-o",
            "sandbox=chroot", "-o", "no_xattr", "-o", "no_posix_acl", "-o", "announce_submounts",
            "-o", "modcaps=-setfcap", "--thread-pool-size=0", "--rlimit-nofile=1000000"}});
}

TEST_CASE("the C virtiofsd with every option") {
  auto share = virtiofs_share();
  share.readonly = true;  // its source is mounted read-only
  share.cache = CacheMode::none;
  share.sandbox = Sandbox::name_space;
  share.thread_pool_size = 8;
  share.xattr = true;
  share.posix_acl = true;
  share.privileged_files = true;
  CHECK(daemon_of(share, debian_12_host()) ==
        Argv{{"/usr/lib/qemu/virtiofsd", "--fd=3", "-o", "source=/srv/data", "-o", "cache=none",
              "-o", "sandbox=namespace", "-o", "xattr", "-o", "posix_acl", "-o",
              "announce_submounts", "-o", "modcaps=-chown:-fowner:-fsetid:-mknod",
              "--thread-pool-size=8", "--rlimit-nofile=1000000"}});
}

TEST_CASE("the C virtiofsd has no ACLs without extended attributes") {
  auto share = virtiofs_share();
  share.posix_acl = true;
  CHECK(daemon_of(share, debian_12_host()) ==
        Argv{{"/usr/lib/qemu/virtiofsd", "--fd=3", "-o", "source=/srv/data", "-o", "cache=auto",
              "-o", "sandbox=chroot", "-o", "xattr", "-o", "posix_acl", "-o", "announce_submounts",
              "-o", "modcaps=-setfcap", "--thread-pool-size=0", "--rlimit-nofile=1000000"}});
  share.privileged_files = true;
  CHECK(daemon_of(share, debian_12_host()) ==
        Argv{{"/usr/lib/qemu/virtiofsd", "--fd=3", "-o", "source=/srv/data", "-o", "cache=auto",
              "-o", "sandbox=chroot", "-o", "xattr", "-o", "posix_acl", "-o", "announce_submounts",
              "--thread-pool-size=0", "--rlimit-nofile=1000000"}});
}

TEST_CASE("a cache word for each virtiofsd") {
  struct Row {
    CacheMode cache;
    std::string c;
    std::string rust;
  };
  const std::vector<Row> rows = {{CacheMode::automatic, "cache=auto", "auto"},
                                 {CacheMode::none, "cache=none", "never"},
                                 {CacheMode::metadata, "cache=auto", "metadata"},
                                 {CacheMode::always, "cache=always", "always"}};
  for (const auto& row : rows) {
    auto share = virtiofs_share();
    share.cache = row.cache;
    CHECK(daemon_of(share, debian_12_host()).words.at(5) == row.c);
    CHECK(daemon_of(share, docker_host()).words.at(7) == row.rust);
  }
}

TEST_CASE("a 9p share") {
  CHECK(
      ninep_arguments(ninep_share()) ==
      Argv{{"-fsdev", "local,id=share2,path=/srv/data,security_model=passthrough,multidevs=remap",
            "-device", "virtio-9p-pci,fsdev=share2,mount_tag=data,addr=0x10.0,multifunction=on"}});
  CHECK(
      ninep_arguments(ninep_share(AccessMode::squash)) ==
      Argv{{"-fsdev", "local,id=share2,path=/srv/data,security_model=none,multidevs=remap",
            "-device", "virtio-9p-pci,fsdev=share2,mount_tag=data,addr=0x10.0,multifunction=on"}});
}

TEST_CASE("the modes of a mapped share always begin with a zero") {
  auto share = ninep_share(AccessMode::mapped);
  CHECK(
      ninep_arguments(share) ==
      Argv{{"-fsdev",
            "local,id=share2,path=/srv/data,security_model=mapped-xattr,multidevs=remap,"
            "fmode=0644,dmode=0755",
            "-device", "virtio-9p-pci,fsdev=share2,mount_tag=data,addr=0x10.0,multifunction=on"}});
  share.fmode = 0;
  share.dmode = 07;
  CHECK(ninep_arguments(share).words.at(1) ==
        "local,id=share2,path=/srv/data,security_model=mapped-xattr,multidevs=remap,fmode=0000,"
        "dmode=0007");
}

TEST_CASE("a 9p share with every option") {
  auto share = ninep_share(AccessMode::mapped);
  share.readonly = true;
  share.fmode = 0600;
  share.dmode = 0777;
  share.multidevs = Multidevs::warn;
  share.wrpolicy = WritePolicy::immediate;
  CHECK(
      ninep_arguments(share) ==
      Argv{{"-fsdev",
            "local,id=share2,path=/srv/data,security_model=mapped-xattr,multidevs=warn,"
            "fmode=0600,dmode=0777,writeout=immediate,readonly=on",
            "-device", "virtio-9p-pci,fsdev=share2,mount_tag=data,addr=0x10.0,multifunction=on"}});
}

TEST_CASE("hostile sources and tags do not break out of a 9p share") {
  for (const auto& name : hostile_names()) {
    CAPTURE(name);
    auto share = ninep_share();
    share.source = "/srv/" + name;
    share.tag = name;
    share.readonly = true;
    const auto arguments = ninep_arguments(share).words;
    REQUIRE(arguments.size() == 4);
    CHECK(parse_qemu_option(arguments.at(1), "driver") ==
          KeyValues{{"driver", "local"},
                    {"id", "share2"},
                    {"path", "/srv/" + name},
                    {"security_model", "passthrough"},
                    {"multidevs", "remap"},
                    {"readonly", "on"}});
    CHECK(parse_qemu_option(arguments.at(3), "driver") == KeyValues{{"driver", "virtio-9p-pci"},
                                                                    {"fsdev", "share2"},
                                                                    {"mount_tag", name},
                                                                    {"addr", "0x10.0"},
                                                                    {"multifunction", "on"}});
  }
}

TEST_CASE("hostile sources tags and folders do not break out of a virtiofs share") {
  for (const auto& name : hostile_names()) {
    CAPTURE(name);
    auto share = virtiofs_share();
    share.source = "/srv/" + name;
    share.tag = name;
    const auto folder = "/run/" + name;
    const auto plan = plan_share(share, 0, docker_host(), folder);
    REQUIRE(plan.qemu_arguments.size() == 4);
    CHECK(parse_qemu_option(plan.qemu_arguments.at(1), "backend") ==
          KeyValues{{"backend", "socket"}, {"id", "share2"}, {"fd", "7"}});
    CHECK(plan.connection == Connection{7, folder + "/virtiofsd-2.sock"});
    CHECK(parse_qemu_option(plan.qemu_arguments.at(3), "driver") ==
          KeyValues{{"driver", "vhost-user-fs-pci"},
                    {"chardev", "share2"},
                    {"tag", name},
                    {"queue-size", "1024"},
                    {"addr", "0x10.0"},
                    {"multifunction", "on"}});
    CHECK(daemon_of(share, docker_host()).words.at(3) == "/srv/" + name);
    CHECK(parse_fuse_options(daemon_of(share, debian_12_host()).words.at(3)) ==
          Strings{"source=/srv/" + name});
  }
}

}  // namespace
}  // namespace vmr::test
