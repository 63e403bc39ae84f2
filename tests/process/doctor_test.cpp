// SPDX-License-Identifier: MIT
// `vm-runner doctor` with the real probes: the programs are fakes where nothing else is said.
#include "build_paths.hpp"
#include "host/probe.hpp"
#include "host/probe_doctor.hpp"
#include "host/programs.hpp"
#include "support/diagnosis.hpp"
#include "support/fake_host.hpp"
#include "support/text_file.hpp"

#include <boost/json.hpp>
#include <doctest/doctest.h>
#include <fmt/format.h>

#include <algorithm>
#include <csignal>
#include <fcntl.h>
#include <filesystem>
#include <fstream>
#include <grp.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

using namespace vmr::test;

namespace fs = std::filesystem;
namespace json = boost::json;

TEST_CASE("doctor finds nothing wrong where run works") {
  const FakeHost host;
  const auto diagnosis = diagnose(host, FakeHost::virtiofs_share(1, host / "one"));
  CHECK(diagnosis.status == 0);
  CHECK(diagnosis.about("QEMU", "start") ==
        "ok the machine 'q35', 2 CPUs, 64 MiB starts under tcg");
  CHECK(diagnosis.about("virtiofsd", "program") ==
        fmt::format("ok {}, version 1.13.2, the one written in Rust", FAKE_VIRTIOFSD));
  CHECK(diagnosis.about("guest", "name") ==
        fmt::format("ok no VM named 'vm' runs; its sockets will be in {}/vm-runner",
                    host.runtime_folder()));
  CHECK(diagnosis.about("shares", "#1 in the guest") ==
        "ok /mnt/one over virtiofs, read-write, tag 'one', sandbox 'none'");
  CHECK(host.starts_of("qemu") == 0);
  CHECK(
      host.run(join({{"FAKE_QEMU", "report,poweroff"}}, FakeHost::virtiofs_share(1, host / "one")))
          .status == 0);
}

TEST_CASE("doctor tells every wrong setting and has the status of run") {
  const FakeHost host;
  const Launcher::Variables wrong = {{"MEMORY", "x"}, {"FILESYSTEM_SOURCE", host / "kernel"}};
  const auto diagnosis = diagnose(host, wrong);
  CHECK(diagnosis.status == 2);
  CHECK(diagnosis.about("settings", "setting") ==
        "fail MEMORY='x': not an amount of memory; from MEMORY (environment)");
  CHECK(diagnosis.about("shares", "setting") ==
        fmt::format("fail FILESYSTEM_SOURCE='{}': not a directory; from FILESYSTEM_SOURCE "
                    "(environment)",
                    host / "kernel"));
  CHECK(host.run(wrong).status == 2);
}

TEST_CASE("doctor sees a port that is in use and a VM that runs") {
  const FakeHost host;
  const TakenPort port;
  const Launcher::Variables taken = {{"SSH_PORT", fmt::format("127.0.0.1:{}", port.number)}};
  const auto diagnosis = diagnose(host, taken);
  CHECK(diagnosis.status == 3);
  CHECK(diagnosis.about("ports", "setting") ==
        fmt::format("fail SSH_PORT='127.0.0.1:{}': the port is in use; from SSH_PORT (environment)",
                    port.number));
  CHECK(host.run(taken).status == 3);

  Launcher running(host.settings({{"FAKE_QEMU", "report"}}));
  REQUIRE(running.wait_for_log("The machine runs"));
  const auto second = [&] {
    Launcher launcher(host.settings(), {"doctor", "--format=json"});
    return launcher.finish();
  }();
  CHECK(second.status == 1);
  CHECK(second.output.find("a VM named 'vm' is already running") != std::string::npos);
  running.signal(SIGTERM);
  CHECK(host.finish(running).status == 0);
}

TEST_CASE("doctor works without any program, home and guest") {
  const FakeHost host;
  const Launcher::Variables nothing = {{"PATH", "/nonexistent"},
                                       {"HOME", "/nonexistent"},
                                       {"XDG_CONFIG_HOME", "/nonexistent"},
                                       {"BASE_IMAGE", ""},
                                       {"GUEST_PASSWORD", ""}};
  const auto diagnosis = diagnose(host, nothing);
  CHECK(diagnosis.about("QEMU", "setting") == "fail qemu-system-x86_64 is not in PATH");
  CHECK(diagnosis.about("QEMU", "program") == "");
}

TEST_CASE("doctor tells of images that QEMU could not open") {
  if (qemu_img().empty()) return;
  const FakeHost host;
  const auto base = host / "base, 'x'.qcow2";
  const auto top = host / "top\nimage.qcow2";
  make_image(base);
  make_image(top, {"-F", "qcow2", "-b", base});
  const auto whole = diagnose(host, {{"BASE_IMAGE", top}});
  CHECK(whole.status == 0);
  CHECK(whole.about("guest", "image") == "ok " + top + ", qcow2, 64 MiB");
  CHECK(whole.about("guest", "backing chain") == "ok " + top + " <- " + base);
  CHECK(whole.about("guest", "lock") == "ok no other process has it open for writing");

  {
    // As a QEMU that writes does: one byte a permission, 101 is the one to write.
    const vmr::UniqueFd writer(::open(top.c_str(), O_RDWR | O_CLOEXEC));
    struct flock lock {};
    lock.l_type = F_RDLCK;
    lock.l_whence = SEEK_SET;
    lock.l_start = 101;
    lock.l_len = 1;
    REQUIRE(::fcntl(writer.get(), F_OFD_SETLK, &lock) == 0);
    const auto locked = diagnose(host, {{"BASE_IMAGE", top}});
    CHECK(locked.status == 1);
    CHECK(locked.about("guest", "lock") ==
          "fail another process has '" + top + "' open: Failed to get shared \"write\" lock");
  }

  fs::rename(base, base + ".away");
  const auto broken = diagnose(host, {{"BASE_IMAGE", top}});
  CHECK(broken.status == 2);
  CHECK(broken.about("guest", "image") ==
        fmt::format("fail '{}' cannot be opened: '{}' behind it cannot be used", top, base));
}

TEST_CASE("doctor follows no name in a header of an image") {
  const FakeHost host;
  if (qemu_img().empty()) return;
  const auto disk = host / "disk.qcow2";
  const TakenPort server;
  make_image(disk, {"-u", "-F", "raw", "-b", fmt::format("nbd://127.0.0.1:{}/x", server.number),
                    "-o", "size=64M"});
  const auto address = diagnose(host, {{"BASE_IMAGE", disk}});
  CHECK(address.status == 2);
  CHECK(address.about("guest", "image") ==
        fmt::format("fail '{}' cannot be opened: its header names what is not opened", disk));
  CHECK_FALSE(server.was_asked());
  make_image(disk, {"-o", fmt::format("size=64M,data_file={}", host / "contents")});
  CHECK(diagnose(host, {{"BASE_IMAGE", disk}}).about("guest", "image") ==
        fmt::format("fail '{}' cannot be opened: its header names a data file, which is not opened",
                    disk));
}

TEST_CASE("doctor does not wait for programs that hang") {
  const FakeHost host;
  const auto program = host / "bin/qemu-img";
  write_text(program, "#!/bin/sh\nexec sleep 1000\n");
  fs::permissions(program, fs::perms::owner_all);
  write_text(host / "disk.raw", std::string(510, '\0') + "\x55\xaa");
  const auto diagnosis = diagnose(host, {{"BASE_IMAGE", host / "disk.raw"}});
  CHECK(diagnosis.status == 1);
  CHECK(diagnosis.about("guest", "image") ==
        fmt::format("fail '{}' cannot be opened: qemu-img does not answer", host / "disk.raw"));
}

TEST_CASE("doctor leaves a share and the folder it would make as they are") {
  const FakeHost host;
  const auto missing = host / "new";
  const auto diagnosis = diagnose(host, {{"FILESYSTEM_SOURCE", missing}});
  CHECK(diagnosis.status == 0);
  CHECK(diagnosis.about("shares", "#1 here").starts_with("note " + missing + ": missing, will be"));
  CHECK(
      diagnose(host, {{"FILESYSTEM_SOURCE", missing + "/share"}}).about("shares", "setting") ==
      fmt::format("fail FILESYSTEM_SOURCE='{0}/share': no such directory, and neither is '{0}', in "
                  "which it would be made; from FILESYSTEM_SOURCE (environment)",
                  missing));
  CHECK_FALSE(fs::exists(missing));
}

TEST_CASE("doctor refuses a runtime folder that run refuses, and leaves it as it is") {
  const FakeHost host;
  const auto folder = host.runtime_folder() + "/vm-runner";
  const auto check = [&](const std::string& problem) {
    Launcher doctor(host.settings(), {"doctor", "--format=json"});
    const auto finished = doctor.finish();
    const Diagnosis diagnosis{finished.status, json::parse(finished.output).as_object()};
    CHECK(diagnosis.status == 1);
    CHECK(diagnosis.about("guest", "runtime folder") == "fail " + problem);
    Launcher run(host.settings({{"FAKE_QEMU", "report,poweroff"}}));
    CHECK(run.finish().status == 1);
  };
  const auto alone = fmt::format(
      "cannot use the runtime folder {}: it is not a folder of user {} "
      "alone",
      folder, ::geteuid());
  fs::create_directory(folder);
  fs::permissions(folder, fs::perms::all);
  check(alone);
  fs::permissions(folder, fs::perms::owner_all);
  write_text(folder + "/vm", "");
  check(
      fmt::format("cannot use the runtime folder {}/vm: it is not a folder, or a symbolic link "
                  "to one",
                  folder));
  CHECK(fs::is_regular_file(folder + "/vm"));
  fs::remove(folder + "/vm");
  fs::create_directory(folder + "/vm");
  fs::permissions(folder + "/vm", fs::perms::all);
  check(fmt::format("cannot use the runtime folder {}/vm: others may write to it (mode 0777)",
                    folder));
  fs::remove_all(folder);
  fs::create_directory_symlink(host / "home", folder);
  check(alone);
  fs::remove(folder);
  write_text(folder, "");
  check(alone);
}

TEST_CASE("doctor sees a VM that is only starting, and does not disturb it") {
  const FakeHost host;
  const auto folder = host.runtime_folder() + "/vm-runner/vm";
  fs::create_directories(folder);
  const vmr::UniqueFd lock(::open(folder.c_str(), O_RDONLY | O_CLOEXEC));
  REQUIRE(::flock(lock.get(), LOCK_EX | LOCK_NB) == 0);
  Launcher doctor(host.settings(), {"doctor", "--format=json"});
  const auto finished = doctor.finish();
  CHECK(finished.status == 1);
  const Diagnosis diagnosis{finished.status, json::parse(finished.output).as_object()};
  CHECK(diagnosis.about("guest", "runtime folder") ==
        fmt::format("fail a VM named 'vm' is already running (pid {})", ::getpid()));
}

TEST_CASE("doctor and run refuse to make a source among the kernel's own files") {
  const FakeHost host;
  struct Row {
    std::string parent;
    std::string below;
    std::string file_system;
  };
  for (const auto& row : std::vector<Row>{{"/proc", "/new", "proc"}, {"/sys", "/a/new", "sysfs"}}) {
    const auto source = row.parent + row.below;
    const Launcher::Variables share = {{"FILESYSTEM_SOURCE", source}};
    CHECK(vmr::probe_folder(source).file_system == row.file_system);
    const auto diagnosis = diagnose(host, share);
    CHECK(diagnosis.status == 3);
    const auto start = fmt::format(
        "fail FILESYSTEM_SOURCE='{}': the directory is missing and cannot be made: {}: ", source,
        row.parent);
    const auto told = diagnosis.about("shares", "setting");
    CHECK(told.starts_with(start));
    // Others than root may not write there anyway; in a container /sys may be mounted read-only.
    const bool may_write = ::access(row.parent.c_str(), W_OK | X_OK) == 0;
    const auto reason = fmt::format("a file system of the kernel's own ({})", row.file_system);
    CHECK((told.find(reason) != told.npos) == may_write);
    CHECK(host.run(share).status == 3);
    CHECK(host.starts_of("qemu") == 0);
  }
}

TEST_CASE("doctor and run refuse to keep a disk's changes among the kernel's own files") {
  const FakeHost host;
  write_text(host / "disk", std::string(510, '\0') + "\x55\xaa" + std::string(4096, '\0'));
  for (const auto* folder : {"/proc", "/sys"}) {
    const Launcher::Variables settings = {{"BASE_IMAGE", host / "disk"}, {"TMPDIR", folder}};
    CHECK(diagnose(host, settings).status == 3);
    CHECK(host.run(settings).status == 3);
  }
}

TEST_CASE("the real QEMU is blamed for nothing, and its words on own arguments are told") {
  const auto qemu = vmr::find_in_path("qemu-system-x86_64");
  if (qemu.empty()) {
    MESSAGE("SKIPPED: there is no QEMU here");
    return;
  }
  const std::vector<std::string> machine = {"-machine", "none"};
  const auto words_on = [&](std::vector<std::string> more) {
    more.insert(more.begin(), machine.begin(), machine.end());
    return vmr::try_machine(qemu, more);
  };
  CHECK(words_on({}) == "");
  CHECK(words_on({"-frob"}) == "qemu-system-x86_64: -frob: invalid option");
  CHECK(words_on({"-device", "nonsense"}) ==
        "qemu-system-x86_64: -device nonsense: 'nonsense' is not a valid device model name");
  const std::string ended = "QEMU ended at once, with success, and started nothing";
  CHECK(words_on({"-version"}) == ended);
  CHECK(words_on({"-h"}) == ended);
  CHECK(words_on({"-device", "help"}) == ended);
}

TEST_CASE("doctor works for an ordinary user") {
  if (::geteuid() != 0) {
    MESSAGE("SKIPPED: only root can become another user");
    return;
  }
  const FakeHost host;
  for (const auto* name : {"run", "home", "log"}) fs::permissions(host / name, fs::perms::all);
  fs::permissions(host / ".", fs::perms::owner_all | fs::perms::others_all);
  StartDetails details;
  details.before_exec = [] {
    if (::setgroups(0, nullptr) != 0 || ::setgid(65534) != 0 || ::setuid(65534) != 0) ::_exit(98);
  };
  const auto diagnosis = diagnose(host, {}, details);
  CHECK(diagnosis.status == 0);
  CHECK(diagnosis.about("machine", "place").ends_with("as user 65534:65534"));
  CHECK(diagnosis.about("privileges", "capabilities") == "ok none; an ordinary user needs none");

  std::ifstream first_port("/proc/sys/net/ipv4/ip_unprivileged_port_start");
  int first = 0;
  if (!(first_port >> first) || first < 1024) return;  // any user may have every port here
  const auto low = diagnose(host, {{"SSH_PORT", "1"}}, details);
  CHECK(low.status == 3);
  CHECK(low.about("ports", "setting") ==
        "fail SSH_PORT='1': the port cannot be had: Permission denied; from SSH_PORT "
        "(environment)");
}

TEST_CASE("the real QEMU of this machine tells what it has") {
  const auto qemu = vmr::find_in_path("qemu-system-x86_64");
  if (qemu.empty()) {
    MESSAGE("SKIPPED: there is no QEMU here");
    return;
  }
  const auto facts = vmr::probe_qemu(qemu);
  CHECK(facts.version.find('.') != std::string::npos);
  CHECK(std::find(facts.accelerators.begin(), facts.accelerators.end(), "tcg") !=
        facts.accelerators.end());
  CHECK(facts.has_virtiofs == true);
  CHECK(facts.has_ninep == true);
  const auto process = vmr::probe_process();
  CHECK(process.capabilities.size() + process.no_capabilities.size() == 41);
  CHECK(process.memory_available > 0);
}

TEST_CASE("a file system tells its kind and whether it takes extended attributes") {
  const TemporaryFolder folder;
  const auto facts = vmr::probe_folder(folder / "not/there");
  CHECK(facts == vmr::probe_folder(folder.path()));
  CHECK_FALSE(facts.file_system.empty());
  CHECK(facts.free_mib > 0);
  CHECK(vmr::probe_folder("/proc/self").xattrs == vmr::FolderFacts::Xattrs::refused);
}
