// SPDX-License-Identifier: MIT
// FILESYSTEM_OWNER with the Rust virtiofsd, as root and as an ordinary user.
#include "support/container.hpp"
#include "support/guest.hpp"

#include <doctest/doctest.h>
#include <fmt/format.h>

#include <sys/stat.h>
#include <unistd.h>

using namespace vmr::test;

namespace {

/// Makes and changes files as root and as user 1000, and says what the guest sees of them.
constexpr const char* script = R"sh(
cd /mnt/share
say "source $(stat -c %u:%g .)"
umask 022
echo root >by-root
mkdir folder
ln -s nowhere link
chown 1234:1235 by-root && say "chown worked"
su guest -c "
  umask 022
  echo guest >by-guest
  chmod 600 by-guest
  echo more >>from-host
"
for name in by-root by-guest folder link from-host; do say "$name $(stat -c %u:%g $name)"; done
)sh";

/// A share that `owner` owns on the host, with a file in it.
void make_share(const TemporaryFolder& work, uid_t owner) {
  const auto share = work / "share";
  REQUIRE(::mkdir(share.c_str(), 0755) == 0);
  write_text(share + "/from-host", "host\n");
  REQUIRE(::chmod((share + "/from-host").c_str(), 0644) == 0);
  for (const auto& path : {share, share + "/from-host"}) {
    REQUIRE(::chown(path.c_str(), owner, owner) == 0);
  }
}

void check_share(const TemporaryFolder& work, const vmr::Captured& run, int owner, int seen) {
  INFO(run.output << run.errors);
  CHECK(run.ok);
  CHECK_FALSE(says(run, "cannot write there"));
  CHECK(says(run, "SAY: chown worked"));
  for (const auto* name : {"source", "by-root", "by-guest", "folder", "link", "from-host"}) {
    CHECK(says(run, fmt::format("SAY: {} {}:{}", name, seen, seen)));
  }
  const auto on_host = [&](const char* name) { return describe_file(work / "share/" + name); };
  CHECK(on_host("by-root") == fmt::format("{0}:{0} 0644 'root\n'", owner));
  CHECK(on_host("by-guest") == fmt::format("{0}:{0} 0600 'guest\n'", owner));
  CHECK(on_host("from-host") == fmt::format("{0}:{0} 0644 'host\nmore\n'", owner));
  CHECK(on_host("folder") == fmt::format("{0}:{0} 0755 ''", owner));
  CHECK(on_host("link") == fmt::format("{0}:{0} 0777 ''", owner));
}

}  // namespace

TEST_CASE("all that a guest does is its owner's on the host") {
  if (!has_docker()) return;
  const TemporaryFolder work;
  make_share(work, 501);
  // A bare kernel has no guest.toml that says root logs in.
  const auto run =
      boot_in_container(work, script,
                        {"-v", (work / "share") + ":/share", "-e", "FILESYSTEM_OWNER=501:501", "-e",
                         "BASE_IMAGE=", "-e", "KERNEL=/guest/vmlinux", "-e",
                         "INITRD=/guest/initrd.img", "-e", "CMDLINE=console=ttyS0 quiet panic=-1"});
  check_share(work, run, 501, 1000);
}

TEST_CASE("an ordinary user of any number can share a folder of their own") {
  if (!has_docker()) return;
  const TemporaryFolder work;
  make_share(work, 1001);
  const auto run = boot_in_container(
      work, script,
      {"--user", "1001:1001", "-v", (work / "share") + ":/share", "-e",
       "FILESYSTEM_OWNER=1001:1001", "-e", "BASE_IMAGE=", "-e", "KERNEL=/guest/vmlinux", "-e",
       "INITRD=/guest/initrd.img", "-e", "CMDLINE=console=ttyS0 quiet panic=-1"});
  check_share(work, run, 1001, 1000);
}

TEST_CASE("a masked proc leads to another sandbox instead of a dead virtiofsd") {
  if (!has_docker()) return;
  const TemporaryFolder work;
  make_share(work, 1000);
  const auto run = boot_in_container(work, "echo hello >/mnt/share/by-root\n",
                                     {"--user", "1000:1000", "--security-opt", "seccomp=unconfined",
                                      "-v", (work / "share") + ":/share"});
  INFO(run.output << run.errors);
  CHECK(run.ok);
  CHECK(read_file(work / "share/by-root") == "hello\n");
}
