// SPDX-License-Identifier: MIT
// How a machine ends: as asked, against its will, and when something is killed.
#include "support/guest.hpp"

#include <doctest/doctest.h>
#include <fmt/format.h>

#include <csignal>
#include <poll.h>
#include <string>
#include <sys/syscall.h>
#include <unistd.h>
#include <vector>

using namespace vmr::test;

namespace {

using Lines = std::vector<std::string>;

/// The tiny guest with a share of each kind, waiting for the power button.
class Machine {
 public:
  explicit Machine(const Launcher::Variables& variables = {})
      : launcher_(join(join(tiny_settings(), {{"CMDLINE", "tiny.stay"}}),
                       join(join(share(1, {{"SOURCE", host_ / "virtiofs"}}),
                                 share(2, {{"SOURCE", host_ / "9p"}, {"DRIVER", "9p"}})),
                            variables))) {
    REQUIRE(launcher_.wait_for_output("TINY: ready"));
  }

  Machine(const Machine&) = delete;
  Machine& operator=(const Machine&) = delete;

  Launcher& launcher() { return launcher_; }

  /// Waits for its end; the whole runtime folder is gone then.
  Observed finish() {
    const auto finished = launcher_.finish();
    CHECK(launcher_.left_files() == Lines{});
    return observe(finished);
  }

 private:
  TemporaryFolder host_;
  Launcher launcher_;
};

/// A descriptor that can be read when the process has ended.
vmr::UniqueFd watch(pid_t pid) {
  return vmr::UniqueFd(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0)));
}

bool ends(const vmr::UniqueFd& process) {
  pollfd waiting = {process.get(), POLLIN, 0};
  return ::poll(&waiting, 1, 10'000) == 1;
}

}  // namespace

TEST_CASE("a guest that is asked by SIGTERM powers off and its name is taken until then") {
  Machine machine;
  Launcher second(
      join(tiny_settings(), {{"XDG_RUNTIME_DIR", machine.launcher().runtime_folder()}}));
  const auto refused = second.finish();
  CHECK(refused.status == 1);
  CHECK(lines_of(refused.log).size() == 2);
  CHECK(refused.log.find(fmt::format("error: a VM named 'vm' is already running (pid {})\n"
                                     "  hint:  stop it, or set another GUEST_NAME\n",
                                     machine.launcher().pid())) != std::string::npos);

  machine.launcher().signal(SIGTERM);
  const auto seen = machine.finish();
  CHECK(seen.status == 0);
  CHECK(seen.log_with("Stopping") ==
        Lines{"[INFO] Stopping (SIGTERM): the guest has 90 s to power off"});
  CHECK(seen.log.back() == "[INFO] The guest powered off");
}

TEST_CASE("a guest that does not power off is killed when its time is over") {
  Machine machine(
      Launcher::Variables{{"CMDLINE", "tiny.stay tiny.ignore-powerdown"}, {"STOP_TIMEOUT", "2"}});
  machine.launcher().signal(SIGTERM);
  const auto seen = machine.finish();
  CHECK(seen.status == 5);
  CHECK(Lines(seen.log.end() - 3, seen.log.end()) ==
        Lines{"[INFO] Stopping (SIGTERM): the guest has 2 s to power off",
              "[WARN] The guest did not power off in time: QEMU is told to quit (0.5 s left)",
              "[ERROR] The guest did not stop in time and was killed"});
}

TEST_CASE("a second SIGINT does not wait for the guest") {
  Machine machine(Launcher::Variables{{"CMDLINE", "tiny.stay tiny.ignore-powerdown"}});
  machine.launcher().signal(SIGINT);
  REQUIRE(machine.launcher().wait_for_log("[INFO] Stopping (SIGINT)"));
  machine.launcher().signal(SIGINT);
  const auto seen = machine.finish();
  CHECK(seen.status == 5);
  CHECK(Lines(seen.log.end() - 3, seen.log.end()) ==
        Lines{"[INFO] Stopping (SIGINT): the guest has 90 s to power off",
              "[WARN] Asked to stop again (SIGINT): not waiting any longer",
              "[ERROR] The guest did not stop in time and was killed"});
}

TEST_CASE("nothing is left when the launcher is killed") {
  Machine machine;
  std::vector<vmr::UniqueFd> processes;
  for (const auto pid : machine.launcher().descendant_pids()) processes.push_back(watch(pid));
  REQUIRE(processes.size() >= 2);
  machine.launcher().signal(SIGKILL);
  for (const auto& process : processes) CHECK(ends(process));
  CHECK(machine.launcher().finish().status == 1000 + SIGKILL);
  // Nobody is there to remove the folder and the socket in it.
  CHECK(machine.launcher().left_files() == Lines{"vm-runner/vm", "vm-runner/vm/control.sock"});
}

TEST_CASE("a dead virtiofsd is reported and the machine is stopped") {
  Machine machine(Launcher::Variables{{"STOP_TIMEOUT", "4"}});
  ::kill(machine.launcher().child_pid("virtiofsd"), SIGKILL);
  const auto seen = machine.finish();
  CHECK(seen.status == 4);
  CHECK(seen.log_with("[ERROR]").size() >= 2);
  CHECK(seen.log_with("[ERROR]").front() == "[ERROR] virtiofsd-1 died (signal 9 (Killed))");
  CHECK(seen.log_with("Processes of the guest") ==
        Lines{"[ERROR] Processes of the guest that use /mnt/virtiofs (Filesystem #1) hang from "
              "now on; the machine is stopped"});
}

TEST_CASE("a dead QEMU is reported") {
  Machine machine;
  ::kill(machine.launcher().child_pid("qemu-system-x86_64"), SIGKILL);
  const auto seen = machine.finish();
  CHECK(seen.status == 1);
  CHECK(seen.log_with("[ERROR]") ==
        Lines{"[ERROR] QEMU died (signal 9 (Killed))",
              "[ERROR]   likely cause: somebody killed it: a person, or the kernel for want of "
              "memory",
              "[ERROR]   hint: look at the host's kernel log (dmesg)"});
}

TEST_CASE("a guest whose memory takes the kernel long to take back has powered off in order") {
  // The memory is shared, as HOTPLUG_SHARES makes it: a memory file, given back page by page.
  const auto seen = boot({{"MEMORY", "3584"}},
                         "mkdir /big && mount -t tmpfs -o size=2700m big /big\n"
                         "dd if=/dev/zero of=/big/file bs=1M count=2560 2>/dev/null\n"
                         "say \"$(stat -c %s /big/file)\"\n");
  CHECK(seen.said == Lines{"2684354560"});
  CHECK(seen.status == 0);
  CHECK(seen.log_with("[ERROR]") == Lines{});
  CHECK(seen.log.back() == "[INFO] The guest powered off");
}
