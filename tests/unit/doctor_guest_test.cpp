// SPDX-License-Identifier: MIT
// What `doctor` tells of limits, the guest and its shares.
#include "support/doctor.hpp"
#include "support/hosts.hpp"
#include "support/judge.hpp"

#include <doctest/doctest.h>

#include <string>

namespace vmr::test {
namespace {

const Strings one_share = {"FILESYSTEM_SOURCE=/share", "GUEST_PASSWORD=x"};

TEST_CASE("limits that are too low") {
  auto host = docker_host();
  host.open_files_limit = 1024;
  auto facts = docker_facts();
  facts.process.memory_limit = 1024;
  const auto limits_of = [&](const Strings& settings) {
    return Argv{checks_of(report_of(settings, host, facts), "limits")};
  };
  const std::string locked =
      "ok locked memory: 8192 KiB; none is locked, unless your own arguments ask for it";
  const std::string files =
      " open files: 1024 at most; virtiofsd keeps one open for each file that the guest knows -> ";
  CHECK(limits_of({"MEMORY=513"}) ==
        Argv{{"note" + files + "docker run --ulimit nofile=1048576:1048576",
              "warn memory: MEMORY is 513 MiB; the cgroup's limit is 1024 MiB, 14000 MiB are "
              "available; QEMU is killed when the guest and it use more -> docker run --memory "
              "1025m, or a smaller MEMORY",
              locked}});
  facts.surroundings = Surroundings::machine;
  facts.process.memory_limit.reset();
  facts.process.memory_available = 4095;
  CHECK(limits_of(one_share) ==
        Argv{{"warn" + files + "sudo prlimit --pid $$ --nofile=1048576:1048576",
              "warn memory: MEMORY is 4096 MiB; the cgroup has no limit, 4095 MiB are available; "
              "QEMU may be killed when the guest uses it all -> set MEMORY lower",
              locked}});
  facts.process.memory_limit = 1024;
  CHECK(limits_of({"MEMORY=512"}).words.at(1) ==
        "ok memory: MEMORY is 512 MiB; the cgroup's limit is 1024 MiB, 4095 MiB are available");
}

TEST_CASE("images that QEMU could not open") {
  auto facts = docker_facts();
  auto& image = facts.image.value();
  const auto guest_of = [&](const Strings& settings = {}) {
    auto report = report_of(settings, docker_host(), facts);
    auto failures = failures_of(report);
    failures.push_back(std::to_string(status_of(report)));
    return Argv{std::move(failures)};
  };
  image.lock = "Failed to get shared \"write\" lock";
  image.path = "/it's";
  CHECK(guest_of() ==
        Argv{{"guest lock: another process has '/it's' open: Failed to get shared "
              "\"write\" lock -> stop the VM that uses it (fuser -v '/it'\\''s' names "
              "the process), or use another image",
              "1"}});
  image.problem = "Could not open '/b': No such file or directory";
  CHECK(guest_of() ==
        Argv{{"guest image: '/it's' cannot be opened: Could not open '/b': No such file or "
              "directory -> put back the file that is named, or another image; where a file behind "
              "it has moved: qemu-img rebase -u -b NEW_PATH -F FORMAT IMAGE",
              "1"}});
  image = {};
  image.path = "/guest/disk.qcow2";
  CHECK(guest_of() == Argv{{"0"}});
  CHECK(
      guest_of({"PERSIST=1", "DATA_DIR=/data", "GUEST_PASSWORD=x"}) ==
      Argv{{"guest changes: the persistent disk cannot be made: qemu-img is not in PATH -> install "
            "it (Debian: apt install qemu-utils), or leave PERSIST out",
            "3"}});
}

TEST_CASE("where the changes of a disk go") {
  auto facts = docker_facts();
  auto& image = facts.image.value();
  image.chain = {"/guest/disk.qcow2", "/guest/base.raw"};
  facts.folders["/data"] = {"xfs", 1000, FolderFacts::Xattrs::work, "/data: Permission denied"};
  const Strings kept = {"PERSIST=1", "DATA_DIR=/data", "GUEST_PASSWORD=x"};
  const auto changes_of = [&](const Strings& settings) {
    return checks_of(report_of(settings, docker_host(), facts), "guest", "changes").front();
  };
  CHECK(changes_of(kept) ==
        "FAIL changes: the persistent disk '/data/vm.qcow2' cannot be made: /data: Permission "
        "denied -> set DATA_DIR to a folder that can be written");
  facts.folders["/data"].obstacle.clear();
  CHECK(changes_of(kept) ==
        "warn changes: kept in /data/vm.qcow2, 1000 MiB free (xfs); it will be made, a copy of the "
        "image -> make room, or set DATA_DIR to another folder");
  facts.folders["/data"].free_mib = 1024;
  image.path = "/data/vm.qcow2";
  CHECK(changes_of(kept) == "ok changes: kept in /data/vm.qcow2, 1.0 GiB free (xfs)");
  CHECK(Argv{checks_of(report_of(kept, docker_host(), facts), "guest", "backing chain")} ==
        Argv{{"ok backing chain: /guest/disk.qcow2 <- /guest/base.raw"}});
  CHECK(checks_of(report_of(kept, docker_host(), facts), "guest", "persistent disk").size() == 1);
  image.writable = false;
  CHECK(changes_of(kept) ==
        "FAIL changes: the persistent disk '/data/vm.qcow2' cannot be written -> change its owner "
        "or mode, or set DATA_DIR to another folder");
  facts.folders["/var/tmp"].free_mib = 12;
  CHECK(changes_of({}) ==
        "warn changes: dropped at the end; until then in /var/tmp, 12 MiB free (overlay) -> make "
        "room there, set TMPDIR to another folder, or keep them with PERSIST=1");
}

TEST_CASE("a name that is taken and a runtime folder that cannot be made") {
  auto facts = docker_facts();
  facts.folders["/run/vm-runner"].obstacle = "/run: Read-only file system";
  CHECK(Argv{failures_of(report_of({}, docker_host(), facts))} ==
        Argv{{"guest runtime folder: cannot use the runtime folder /run/vm-runner: /run: Read-only "
              "file system -> set XDG_RUNTIME_DIR to a folder of your own"}});
  facts.runtime_problem = Problem{"not yours", "", "remove it", ExitStatus::failed};
  CHECK(Argv{failures_of(report_of({}, docker_host(), facts))} ==
        Argv{{"guest runtime folder: not yours -> remove it"}});
  facts.is_running = true;
  const auto report = report_of({"GUEST_NAME=dev"}, docker_host(), facts);
  CHECK(Argv{failures_of(report)} ==
        Argv{{"guest name: a VM named 'dev' is already running -> stop it, or set another "
              "GUEST_NAME"}});
  CHECK(status_of(report) == 1);
}

TEST_CASE("what becomes of each share") {
  auto host = docker_host();
  host.files["/ro"] = {FileFacts::Kind::directory, true, true, {0, 0}, 0700};
  auto facts = docker_facts();
  facts.folders["/new"] = {"0x1234", 0, FolderFacts::Xattrs::unknown, ""};
  facts.folders["/ro"] = {"nfs", 2048, FolderFacts::Xattrs::refused, ""};
  const auto report =
      report_of({"FILESYSTEM_SOURCE=/share", "FILESYSTEM_OWNER=501:20", "FILESYSTEM2_SOURCE=/new",
                 "FILESYSTEM3_SOURCE=/ro", "FILESYSTEM3_DRIVER=9p", "FILESYSTEM3_ACCESSMODE=mapped",
                 "FILESYSTEM3_READONLY=1"},
                host, facts);
  CHECK(
      Argv{checks_of(report, "shares")} ==
      Argv{{"ok #1 here: /share: a folder of 1000:1000, mode 0755; ext4, 50.0 GiB free, extended "
            "attributes work",
            "ok #1 in the guest: /mnt/share over virtiofs, read-write, tag 'share', sandbox "
            "'chroot', all as 501:20",
            "warn #2 here: /new: missing, will be made; 0x1234, 0 MiB free, extended attributes "
            "are unknown -> make room there",
            "ok #2 in the guest: /mnt/new over virtiofs, read-write, tag 'new', sandbox 'chroot'",
            "warn #3 here: /ro: a folder of 0:0, mode 0700, mounted read-only; nfs, 2.0 GiB free, "
            "extended attributes do not work, which this share needs -> put the source on ext4, "
            "xfs or btrfs, or leave out what needs them (ACCESSMODE=mapped, XATTR, POSIX_ACL)",
            "ok #3 in the guest: /mnt/ro over 9p (mapped), read-only, tag 'ro'",
            "warn setting: Filesystem #1: FILESYSTEM_OWNER=501:20 cannot write there: /share "
            "belongs to 1000:1000 with mode 0755; set FILESYSTEM_OWNER=1000:1000, or adjust its "
            "owner "
            "or mode on the host, or use FILESYSTEM_DRIVER=9p with "
            "FILESYSTEM_ACCESSMODE=mapped",
            "warn setting: Filesystem #2: the guest's user 1000 cannot write there: /new belongs "
            "to 0:0 with mode 0755; set FILESYSTEM2_OWNER=0:0, or adjust its owner or mode on the "
            "host, or use "
            "FILESYSTEM2_DRIVER=9p with FILESYSTEM2_ACCESSMODE=mapped"}});
}

TEST_CASE("a source that is missing in a container was mostly not passed in") {
  auto facts = docker_facts();
  facts.folders["/a b"] = {"overlay", 2048, FolderFacts::Xattrs::work, ""};
  const auto line_in = [&](Surroundings where) {
    facts.surroundings = where;
    return checks_of(report_of({"FILESYSTEM_SOURCE=/a b"}, docker_host(), facts), "shares",
                     "#1 here")
        .front();
  };
  const std::string seen =
      "note #1 here: /a b: missing, will be made; overlay, 2.0 GiB free, extended attributes work";
  CHECK(line_in(Surroundings::machine) == seen);
  CHECK(line_in(Surroundings::docker) == seen + " -> docker run -v HOST_FOLDER:'/a b'");
  CHECK(line_in(Surroundings::kubernetes) == seen + " -> a volume with mountPath: /a b");
}

}  // namespace
}  // namespace vmr::test
