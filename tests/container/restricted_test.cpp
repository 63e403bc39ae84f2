// SPDX-License-Identifier: MIT
// Containers that may less than Docker's defaults: each works, or is refused with the flag that
// helps.
#include "support/container.hpp"
#include "support/guest.hpp"

#include <doctest/doctest.h>

#include <sys/stat.h>
#include <unistd.h>

using namespace vmr::test;

namespace {

using Words = std::vector<std::string>;

/// A guest that writes as root into a share that belongs to `owner`.
vmr::Captured write_in(const TemporaryFolder& work, uid_t owner, const Words& options) {
  const auto share = work / "share";
  REQUIRE(::mkdir(share.c_str(), 0755) == 0);
  REQUIRE(::chown(share.c_str(), owner, owner) == 0);
  Words words = {"-e", "ACCEL=tcg", "-v", share + ":/share"};
  words.insert(words.end(), options.begin(), options.end());
  return boot_in_container(work, "echo hello >/mnt/share/by-root\n", words);
}

void check_writes(uid_t owner, const Words& options) {
  const TemporaryFolder work;
  const auto run = write_in(work, owner, options);
  INFO(run.output << run.errors);
  CHECK(run.ok);
  CHECK(read_file(work / "share/by-root") == "hello\n");
}

/// The flags of a container whose root file system cannot be written, not even /run and /tmp.
Words read_only() {
  Words flags = {"--read-only"};
  // Podman mounts some folders over it by itself.
  if (says(run_docker({"run", "--help"}), "--read-only-tmpfs")) {
    flags.emplace_back("--read-only-tmpfs=false");
  }
  return flags;
}

}  // namespace

TEST_CASE("without capabilities virtiofs is refused with the flags that bring them back") {
  if (!has_docker()) return;
  const TemporaryFolder work;
  const auto refused = write_in(work, 0, {"--cap-drop", "ALL"});
  INFO(refused.output << refused.errors);
  CHECK_FALSE(refused.ok);
  CHECK(says(refused,
             "error: FILESYSTEM_DRIVER='virtiofs': virtiofsd needs the capabilities CHOWN, "
             "DAC_OVERRIDE, FOWNER, FSETID, SETGID, SETUID, SETPCAP, MKNOD, SETFCAP, "
             "SYS_CHROOT\n"
             "  from:  FILESYSTEM_DRIVER (default)\n"
             "  hint:  give them back (--cap-add CHOWN --cap-add DAC_OVERRIDE --cap-add FOWNER "
             "--cap-add FSETID --cap-add SETGID --cap-add SETUID --cap-add SETPCAP --cap-add MKNOD "
             "--cap-add SETFCAP --cap-add SYS_CHROOT), or run as another user (--user), or use "
             "FILESYSTEM_DRIVER=9p\n"));
  check_writes(
      0, {"--cap-drop", "ALL", "-e", "FILESYSTEM_DRIVER=9p", "-e", "FILESYSTEM_ACCESSMODE=mapped"});
  check_writes(0, {"--cap-drop", "ALL", "-e", "FILESYSTEM_DRIVER=auto"});
}

TEST_CASE("an ordinary user of the container shares its own folder over both drivers") {
  if (!has_docker()) return;
  const Words user = {"--user", "1000:1000",      "--cap-drop",
                      "ALL",    "--security-opt", "no-new-privileges"};
  check_writes(1000, user);
  auto mapped = user;
  mapped.insert(mapped.end(), {"-e", "FILESYSTEM_DRIVER=9p", "-e", "FILESYSTEM_ACCESSMODE=mapped"});
  check_writes(1000, mapped);
}

TEST_CASE("a root file system that cannot be written is enough") {
  if (!has_docker()) return;
  check_writes(0, read_only());
  auto as_user = read_only();
  as_user.insert(as_user.end(), {"--user", "1000:1000"});
  check_writes(1000, as_user);
}

TEST_CASE("with remapped users root in the container makes files of its number outside") {
  if (!has_docker()) return;
  if (!says(run_docker({"run", "--help"}), "--uidmap")) {
    MESSAGE("SKIPPED: this Docker command cannot remap the users of one container");
    return;
  }
  for (const std::string driver : {"virtiofs", "9p"}) {
    CAPTURE(driver);
    const TemporaryFolder work;
    const auto run = write_in(work, 100000,
                              {"--uidmap", "0:100000:65536", "--gidmap", "0:100000:65536", "-e",
                               "FILESYSTEM_DRIVER=" + driver});
    INFO(run.output << run.errors);
    CHECK(run.ok);
    CHECK(describe_file(work / "share/by-root") == "100000:100000 0644 'hello\n'");
  }
}

TEST_CASE("the changes of a disk need a place that can be written") {
  if (!has_docker()) return;
  auto words = read_only();
  words.insert(words.begin(), {"run", "--rm"});
  words.insert(words.end(), {"-e", "SSH_PORT=0", built_image()});
  const auto refused = run_docker(words);
  INFO(refused.errors);
  CHECK_FALSE(refused.ok);
  CHECK(says(refused,
             "error: QEMU keeps the changes of the disk in /var/tmp, which cannot be written\n"
             "  hint:  mount something there (docker run --tmpfs /var/tmp)"));
}

TEST_CASE("what a QEMU that is not root can make is as documented") {
  if (!has_docker()) return;
  const TemporaryFolder work;
  const std::string script = R"sh(
try() { sh -c "$2" >/dev/null 2>/tmp/said && say "$1 ok" || say "$1 $(sed 's/.*: //' /tmp/said)"; }
for share in share p m s; do
  cd /mnt/$share
  try "$share root makes" 'echo x >by-root'
  try "$share root chowns" 'chown 1234:1235 by-root'
  try "$share user makes" "su guest -c 'echo x >by-user'"
done
)sh";
  const auto source = [&](const std::string& name) {
    REQUIRE(::mkdir((work / name).c_str(), 0755) == 0);
    REQUIRE(::chown((work / name).c_str(), 1000, 1000) == 0);
    return (work / name) + ":/" + name;
  };
  const auto run = boot_in_container(work, script, {"--user", "1000:1000",
                                                    "-v",     source("share"),
                                                    "-v",     source("p"),
                                                    "-e",     "FILESYSTEM2_SOURCE=/p",
                                                    "-e",     "FILESYSTEM2_DRIVER=9p",
                                                    "-v",     source("m"),
                                                    "-e",     "FILESYSTEM3_SOURCE=/m",
                                                    "-e",     "FILESYSTEM3_DRIVER=9p",
                                                    "-e",     "FILESYSTEM3_ACCESSMODE=mapped",
                                                    "-v",     source("s"),
                                                    "-e",     "FILESYSTEM4_SOURCE=/s",
                                                    "-e",     "FILESYSTEM4_DRIVER=9p",
                                                    "-e",     "FILESYSTEM4_ACCESSMODE=squash"});
  INFO(run.output << run.errors);
  CHECK(run.ok);
  const auto said = observe({0, run.output, run.errors}).said;
  CHECK(said == Words{"share root makes ok", "share root chowns Operation not permitted",
                      "share user makes ok", "p root makes Operation not permitted",
                      "p root chowns No such file or directory", "p user makes ok",
                      "m root makes ok", "m root chowns ok", "m user makes ok", "s root makes ok",
                      "s root chowns Operation not permitted", "s user makes ok"});
  for (const auto* file : {"share/by-root", "share/by-user", "p/by-user", "s/by-root"}) {
    CHECK(describe_file(work / file) == "1000:1000 0644 'x\n'");
  }
  CHECK(describe_file(work / "m/by-root") ==
        "1000:1000 0644 'x\n' guest-uid=1234 guest-gid=1235 guest-mode=0644");
}
