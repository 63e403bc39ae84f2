// SPDX-License-Identifier: MIT
// The whole launcher with fake programs that fail.
#include "support/fake_host.hpp"
#include "support/guest.hpp"
#include "support/text_file.hpp"

#include <doctest/doctest.h>

#include <csignal>
#include <fcntl.h>
#include <filesystem>
#include <sys/stat.h>

using namespace vmr::test;

namespace {

namespace fs = std::filesystem;

using Lines = std::vector<std::string>;

const std::string runs = "[INFO] The machine runs (accelerator=tcg)";
const std::string powered_off = "[INFO] The guest powered off";
const std::string unreported =
    "[WARN] The guest did not say before it powered off whether its shares are mounted: it is "
    "slow, "
    "or it does not run cloud-init (by hand, in the guest: mount -t virtiofs -o rw -- one "
    "/mnt/one)";
std::string hang(const std::string& place) {
  return "[ERROR] Processes of the guest that use " + place +
         " hang from now on; the machine is stopped";
}
const Lines killed_by_somebody = {
    "[ERROR]   likely cause: somebody killed it: a person, or the kernel for want of memory",
    "[ERROR]   hint: look at the host's kernel log (dmesg)"};

/// The log without the lines about shares before boot.
Lines events(const Finished& finished) {
  Lines lines;
  for (const auto& line : lines_of(finished.log)) {
    if (line.find("-> guest tag") == line.npos) lines.push_back(line);
  }
  return lines;
}

Launcher::Variables two_shares(const FakeHost& host, const Launcher::Variables& more) {
  return join(
      join(FakeHost::virtiofs_share(1, host / "one"), FakeHost::virtiofs_share(2, host / "two")),
      more);
}

/// Whether KVM can be tried here; says so when not.
bool kvm_opens() {
  const vmr::UniqueFd kvm(::open("/dev/kvm", O_RDWR | O_CLOEXEC));
  if (!kvm) MESSAGE("SKIPPED: /dev/kvm does not open here");
  return static_cast<bool>(kvm);
}

}  // namespace

TEST_CASE("fault: without QEMU nothing is started") {
  const FakeHost host;
  const auto seen =
      host.run(join(FakeHost::virtiofs_share(1, host / "one"), {{"PATH", host / "home"}}));
  CHECK(seen.status == 3);
  CHECK(seen.log ==
        "error: qemu-system-x86_64 is not in PATH\n"
        "  hint:  install QEMU (Debian: apt install qemu-system-x86)\n");
  CHECK(host.starts_of("virtiofsd-1") == 0);
}

TEST_CASE("fault: a QEMU that cannot be executed ends what was started before it") {
  const FakeHost host;
  const auto qemu = host / "bin/qemu-system-x86_64";
  fs::remove(qemu);
  write_text(qemu, "#!/no/such/interpreter\n");
  ::chmod(qemu.c_str(), 0755);
  const auto seen = host.run(two_shares(host, {}));
  CHECK(seen.status == 1);
  CHECK(events(seen) ==
        Lines{"[ERROR] cannot start qemu: " + qemu + ": No such file or directory"});
}

TEST_CASE("fault: QEMU that exits at once is quoted") {
  const FakeHost host;
  const auto seen = host.run(two_shares(host, {{"FAKE_QEMU", "exit-at-once"}}));
  CHECK(seen.status == 1);
  CHECK(events(seen) == Lines{"[ERROR] QEMU died before the machine ran (exit status 1)",
                              "[ERROR]   qemu-system-x86_64: -fake: exits at once"});
}

TEST_CASE("fault: QEMU that aborts before the machine runs is quoted") {
  const FakeHost host;
  const auto seen = host.run({{"FAKE_QEMU", "abort"}});
  CHECK(seen.status == 1);
  CHECK(events(seen) ==
        Lines{"[ERROR] QEMU died before the machine ran (signal 6 (Aborted))",
              "[ERROR]   qemu-system-x86_64: error: failed to set MSR 0x48f to 0x7fefff00036dfb",
              "[ERROR]   qemu-system-x86_64: ../../target/i386/kvm/kvm.c:2893: kvm_buf_set_msrs: "
              "Assertion `ret == cpu->kvm_msr_buf->nmsrs' failed."});
  CHECK(host.starts_of("qemu") == 1);
}

TEST_CASE("fault: kvm in a path does not make a fault KVM's") {
  if (!kvm_opens()) return;
  const FakeHost host;
  const auto seen = host.run({{"FAKE_QEMU", "exit-at-once"},
                              {"FAKE_LAST_WORDS",
                               "-blockdev filename=/srv/kvm/disk.qcow2: "
                               "Could not open '/srv/kvm/disk.qcow2'"},
                              {"ACCEL", "auto"}});
  CHECK(seen.status == 1);
  CHECK(seen.log.find("KVM does not work") == seen.log.npos);
  CHECK(host.starts_of("qemu") == 1);
}

TEST_CASE("fault: KVM that aborts leads to TCG with one warning") {
  if (!kvm_opens()) return;
  const FakeHost host;
  const auto seen =
      host.run(two_shares(host, {{"ACCEL", "auto"}, {"FAKE_QEMU", "abort-kvm,poweroff"}}));
  CHECK(seen.status == 0);
  CHECK(events(seen) ==
        Lines{"[WARN] KVM does not work here, the guest runs under tcg instead, many times slower: "
              "QEMU died (signal 6 (Aborted)): qemu-system-x86_64: ../../target/i386/kvm/kvm.c:"
              "2893: kvm_buf_set_msrs: Assertion `ret == cpu->kvm_msr_buf->nmsrs' failed.",
              runs, powered_off, unreported});
  for (const auto* name : {"qemu", "virtiofsd-1", "virtiofsd-2"}) CHECK(host.starts_of(name) == 2);
}

TEST_CASE("fault: KVM that aborts while it is required ends with status 3") {
  if (!kvm_opens()) return;
  const FakeHost host;
  for (const auto& settings : {Launcher::Variables{{"ACCEL", "kvm"}},
                               Launcher::Variables{{"ACCEL", "auto"}, {"REQUIRE_KVM", "1"}}}) {
    const auto seen = host.run(join(settings, {{"FAKE_QEMU", "abort-kvm"}}));
    CHECK(seen.status == 3);
    const auto lines = events(seen);
    REQUIRE(lines.size() == 4);
    CHECK(lines.front() == "[ERROR] QEMU died before the machine ran (signal 6 (Aborted))");
    CHECK(lines.back() == "[ERROR] KVM does not work here; ACCEL=tcg runs without it, slowly");
  }
  CHECK(host.starts_of("qemu") == 2);
}

TEST_CASE("fault: an internal error under KVM leads to TCG and there to the end") {
  if (!kvm_opens()) return;
  const FakeHost host;
  const auto seen =
      host.run(two_shares(host, {{"ACCEL", "auto"}, {"FAKE_QEMU", "internal-error"}}));
  CHECK(seen.status == 1);
  CHECK(events(seen) ==
        Lines{"[INFO] The machine runs (accelerator=kvm)",
              "[WARN] KVM does not work here, the guest runs under tcg instead, many times slower: "
              "the machine stopped with 'internal-error'",
              runs, "[ERROR] The machine stopped: QEMU's run state is 'internal-error'"});
}

TEST_CASE("fault: a machine that broke and a QEMU that does not quit end all the same") {
  const FakeHost host;
  const auto seen = host.run({{"FAKE_QEMU", "internal-error,ignore-quit,ignore-term"}});
  CHECK(seen.status == 1);
  CHECK(events(seen) == Lines{runs,
                              "[ERROR] The machine stopped: QEMU's run state is 'internal-error'",
                              "[WARN] QEMU does not answer: SIGTERM (2.0 s left)",
                              "[WARN] QEMU does not end: SIGKILL (1.0 s left)"});
}

TEST_CASE("fault: a crash of QEMU while the guest runs ends with its last lines") {
  const FakeHost host;
  const auto seen = host.run(two_shares(host, {{"FAKE_QEMU", "flood,crash-after-start"}}));
  CHECK(seen.status == 1);
  const auto line = "qemu-system-x86_64: warning: " + std::string(99, '~');
  // Of a megabyte of warnings a few are kept.
  Lines expected(20, "[WARN] qemu: " + line);
  expected.push_back(runs);
  expected.emplace_back("[ERROR] QEMU died (signal 11 (Segmentation fault))");
  expected.insert(expected.end(), 20, "[ERROR]   " + line);
  CHECK(events(seen) == expected);
}

TEST_CASE("fault: a QEMU that somebody kills is reported") {
  const FakeHost host;
  Launcher launcher(host.settings(two_shares(host, {})));
  REQUIRE(launcher.wait_for_log(runs));
  ::kill(launcher.child_pid("qemu-system-x86_64"), SIGKILL);
  const auto seen = host.finish(launcher);
  CHECK(seen.status == 1);
  CHECK(events(seen) == Lines{runs, "[ERROR] QEMU died (signal 9 (Killed))", killed_by_somebody[0],
                              killed_by_somebody[1]});
}

TEST_CASE("fault: a kernel panic ends with status 1") {
  const FakeHost host;
  const auto seen = host.run({{"FAKE_QEMU", "panic"}});
  CHECK(seen.status == 1);
  CHECK(events(seen) ==
        Lines{runs, "[ERROR] The guest's kernel panicked (its last words are on the console)"});
}

TEST_CASE("fault: a slow QEMU is waited for") {
  const FakeHost host;
  const auto seen = host.run(two_shares(host, {{"FAKE_QEMU", "slow,poweroff"}}));
  CHECK(seen.status == 0);
  CHECK(events(seen) == Lines{runs, powered_off, unreported});
}

TEST_CASE("fault: a virtiofsd that is not executable is a problem before anything starts") {
  const FakeHost host;
  const auto program = host / "virtiofsd";
  write_text(program, "");
  write_text(host / "qemu/vhost-user/10-fake.json",
             R"({"type": "fs", "binary": ")" + program + "\"}");
  const auto seen = host.run(FakeHost::virtiofs_share(1, host / "one"));
  CHECK(seen.status == 3);
  CHECK(seen.log.find("virtiofsd binary '" + program + "' is not executable") != seen.log.npos);
  CHECK(host.starts_of("qemu") == 0);
}

TEST_CASE("fault: a virtiofsd that exits at once is blamed and not QEMU") {
  const FakeHost host;
  const auto seen = host.run(two_shares(host, {{"FAKE_VIRTIOFSD_2", "exit-at-once"}}));
  CHECK(seen.status == 4);
  CHECK(events(seen) == Lines{"[ERROR] virtiofsd-2 died before the machine ran (exit status 1)",
                              "[ERROR]   [ERROR virtiofsd] Error entering sandbox: Invented",
                              "[ERROR]   likely cause: this container does not let virtiofsd make "
                              "its sandbox",
                              "[ERROR]   hint: set FILESYSTEM_SANDBOX=auto, or "
                              "FILESYSTEM_DRIVER=9p"});
}

TEST_CASE("fault: a virtiofsd that may not unshare is quoted") {
  const FakeHost host;
  const auto seen =
      host.run(join(FakeHost::virtiofs_share(1, host / "one"), {{"FAKE_VIRTIOFSD", "unshare-eperm"},
                                                                {"FAKE_VIRTIOFSD_FAMILY", "c"},
                                                                {"FILESYSTEM_SANDBOX", "chroot"}}));
  CHECK(seen.status == 4);
  CHECK(
      events(seen) ==
      Lines{"[ERROR] virtiofsd-1 died before the machine ran (exit status 1)",
            "[ERROR]   unshare(CLONE_FS) failed with EPERM. If running in a container please "
            "check that the container runtime seccomp policy allows unshare.",
            "[ERROR]   likely cause: this container's seccomp profile forbids unshare, which this "
            "virtiofsd needs",
            "[ERROR]   hint: docker run --security-opt seccomp=docker/seccomp-virtiofs.json, or "
            "FILESYSTEM_DRIVER=9p"});
}

TEST_CASE("fault: one of two virtiofsds that dies later ends the machine in order") {
  const FakeHost host;
  Gate gate(host, "virtiofsd-2");
  Launcher launcher(host.settings(two_shares(host, {{"FAKE_VIRTIOFSD_2", "crash-later"}})));
  REQUIRE(launcher.wait_for_log(runs));
  gate.open();
  const auto seen = host.finish(launcher);
  CHECK(seen.status == 4);
  CHECK(events(seen) ==
        Lines{runs, "[ERROR] virtiofsd-2 died (signal 11 (Segmentation fault))",
              "[ERROR]   [INFO  virtiofsd] Waiting for vhost-user socket connection...",
              "[ERROR]   [INFO  virtiofsd] Client connected, servicing requests",
              hang("/mnt/two (Filesystem #2)"), "[INFO] The guest powered off"});
}

TEST_CASE("fault: a guest that hangs with its virtiofsd is ended within the budget") {
  const FakeHost host;
  Gate gate(host, "virtiofsd-1");
  Launcher launcher(host.settings(two_shares(host, {{"FAKE_VIRTIOFSD_1", "crash-later"},
                                                    {"FAKE_QEMU", "ignore-powerdown"},
                                                    {"STOP_TIMEOUT", "1"}})));
  REQUIRE(launcher.wait_for_log(runs));
  gate.open();
  const auto seen = host.finish(launcher);
  CHECK(seen.status == 4);
  const auto lines = events(seen);
  CHECK(Lines(lines.end() - 2, lines.end()) ==
        Lines{hang("/mnt/one (Filesystem #1)"),
              "[WARN] The guest did not power off in time: QEMU is told to quit (0.2 s left)"});
}

TEST_CASE("fault: a virtiofsd that does not end with QEMU is killed") {
  const FakeHost host;
  const auto seen = host.run(
      two_shares(host, {{"FAKE_QEMU", "poweroff"}, {"FAKE_VIRTIOFSD_1", "ignore-term,stay"}}));
  CHECK(seen.status == 0);
  CHECK(events(seen) == Lines{runs, powered_off, unreported});
}

TEST_CASE("fault: a virtiofsd that writes without end does not fill the log") {
  const FakeHost host;
  const auto seen =
      host.run(two_shares(host, {{"FAKE_QEMU", "poweroff"}, {"FAKE_VIRTIOFSD", "flood"}}));
  CHECK(seen.status == 0);
  CHECK(events(seen) == Lines{runs, powered_off, unreported});
}
