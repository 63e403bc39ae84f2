// SPDX-License-Identifier: MIT
#include "spec/limits.hpp"

#include "support/hosts.hpp"
#include "support/judge.hpp"

#include <doctest/doctest.h>

namespace vmr::test {
namespace {

/// Warnings about these settings on `host`, whose /share is there.
Argv limits_of(const Strings& settings, const Host& host) {
  return {find_limits(spec_of(settings, host), host)};
}

Host wide_host() {
  auto host = docker_host();
  host.open_files_limit = 16384;
  return host;
}

}  // namespace

TEST_CASE("a memory limit that is narrower than the guest's memory and QEMU's") {
  auto host = wide_host();
  CHECK(limits_of({"MEMORY=1024"}, host) == Argv{});
  host.memory_limit = 1536;
  CHECK(limits_of({"MEMORY=1024"}, host) == Argv{});
  CHECK(limits_of({"MEMORY=1025"}, host) ==
        Argv{{"MEMORY is 1025 MiB, and this process may use 1536 MiB with all that it starts: the "
              "kernel kills QEMU once the guest uses more; set the limit (docker run --memory, "
              "systemd's MemoryMax) to 1537 MiB or MEMORY lower"}});
}

TEST_CASE("few open files matter to shares") {
  auto host = wide_host();
  const Strings share = {"FILESYSTEM_SOURCE=/share"};
  CHECK(limits_of(share, host) == Argv{});
  host.open_files_limit = 1024;
  CHECK(limits_of({}, host) == Argv{});
  CHECK(limits_of(share, host) ==
        Argv{{"a process may have 1024 files open here, and each file that the guest knows in a "
              "share takes one: listings may be cut short and files seem empty; raise the limit "
              "(docker run --ulimit nofile=1048576, ulimit -Hn, systemd's LimitNOFILE)"}});
}

TEST_CASE(
    "a source whose file system has no extended attributes for what the share keeps in them") {
  auto host = wide_host();
  host.files["/share"].lacks_user_attributes = true;
  const std::string start =
      "Filesystem #1: the file system of '/share' has no extended attributes of users";
  const Argv none;
  const Argv mapped{{start +
                     ", in which 'mapped' keeps owners and modes: the guest can make nothing "
                     "there; put the source on ext4, xfs or btrfs, or use another ACCESSMODE"}};
  const Argv refused{{start +
                      ": what the guest sets (XATTR, POSIX_ACL) is refused; put the source on "
                      "ext4, xfs or btrfs, or leave them out"}};
  struct Row {
    Strings settings;
    Argv warnings;
  };
  const std::vector<Row> rows = {
      {{}, none},
      {{"FILESYSTEM_DRIVER=9p"}, none},
      {{"FILESYSTEM_DRIVER=9p", "FILESYSTEM_ACCESSMODE=squash"}, none},
      {{"FILESYSTEM_DRIVER=9p", "FILESYSTEM_ACCESSMODE=mapped"}, mapped},
      {{"FILESYSTEM_DRIVER=9p", "FILESYSTEM_ACCESSMODE=mapped", "FILESYSTEM_READONLY=1"}, none},
      {{"FILESYSTEM_XATTR=1"}, refused},
      {{"FILESYSTEM_POSIX_ACL=1"}, refused},
  };
  for (const auto& [settings, warnings] : rows) {
    auto all = settings;
    all.emplace_back("FILESYSTEM_SOURCE=/share");
    CHECK(limits_of(all, host) == warnings);
    host.files["/share"].lacks_user_attributes = false;
    CHECK(limits_of(all, host) == none);
    host.files["/share"].lacks_user_attributes = true;
  }
}

}  // namespace vmr::test
