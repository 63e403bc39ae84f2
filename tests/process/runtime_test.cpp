// SPDX-License-Identifier: MIT
// The whole launcher with fake programs: its folder, its name, and its own violent end.
#include "support/fake_host.hpp"
#include "support/guest.hpp"
#include "support/processes.hpp"
#include "support/text_file.hpp"

#include <doctest/doctest.h>
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <fstream>
#include <optional>
#include <sched.h>
#include <unistd.h>

using namespace vmr::test;

namespace {

using Lines = std::vector<std::string>;

const Lines plain_log = {"[INFO] The machine runs (accelerator=tcg)",
                         "[INFO] The guest powered off"};

/// Whether the process comes to an end and is waited for by its parent, in ten seconds.
bool is_reaped(pid_t pid) {
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(10);
  while (std::chrono::steady_clock::now() < deadline) {
    if (::kill(pid, 0) != 0) return true;
    ::sched_yield();
  }
  return false;
}

/// The program of a process: the first word of its command line.
std::string program_of(pid_t pid) {
  std::ifstream file(fmt::format("/proc/{}/cmdline", pid));
  std::string program;
  std::getline(file, program, '\0');
  return program;
}

}  // namespace

TEST_CASE("launch: the second VM of one name is refused and the first goes on") {
  const FakeHost host;
  Launcher first(host.settings({{"GUEST_NAME", "twin"}}));
  REQUIRE(first.wait_for_log("The machine runs"));
  CHECK(host.left_files() == Lines{"vm-runner", "vm-runner/twin", "vm-runner/twin/control.sock"});

  // Whatever else would be said of it, a share, a password, a port or a mistake.
  const Launcher::Variables twin = {{"GUEST_NAME", "twin"}};
  const std::vector<Launcher::Variables> seconds = {
      twin, join(twin, {{"GUEST_PASSWORD", ""}, {"SSH_PORT", "2299"}}),
      join(twin, FakeHost::virtiofs_share(1, host / "one")), join(twin, {{"MEMORY", "none"}})};
  for (const auto& second : seconds) {
    const auto refused = run_launcher(host.settings(second));
    CHECK(refused.status == 1);
    CHECK(refused.log == fmt::format("error: a VM named 'twin' is already running (pid {})\n"
                                     "  hint:  stop it, or set another GUEST_NAME\n",
                                     first.pid()));
  }
  const auto other = run_launcher(host.settings({{"FAKE_QEMU", "poweroff"}}));
  CHECK(other.status == 0);
  CHECK(lines_of(other.log) == plain_log);

  first.signal(SIGTERM);
  CHECK(host.finish(first).status == 0);
  const auto next = host.run({{"GUEST_NAME", "twin"}, {"FAKE_QEMU", "poweroff"}});
  CHECK(next.status == 0);
  CHECK(lines_of(next.log) == plain_log);
}

TEST_CASE("launch: killed while QEMU starts the launcher takes all processes with it") {
  const FakeHost host;
  std::optional<Gate> gate(std::in_place, host, "qemu");
  const auto settings =
      join(FakeHost::virtiofs_share(1, host / "one"), FakeHost::virtiofs_share(2, host / "two"));
  Launcher launcher(host.settings(join(settings, {{"FAKE_QEMU", "slow"}})));
  gate->wait();
  launcher.signal(SIGKILL);
  CHECK(launcher.finish().status == 1000 + SIGKILL);
  CHECK(reap_all_children() == "1009 1009 1009");

  gate.reset();

  // Nobody could remove the sockets; the next launcher of this name does.
  const auto left = host.left_files();
  CHECK(std::count(left.begin(), left.end(), "vm-runner/vm/virtiofsd-2.sock") == 1);
  CHECK(std::count(left.begin(), left.end(), "vm-runner/vm/seed.iso") == 1);
  const auto next = host.run({{"FAKE_QEMU", "poweroff"}});
  CHECK(next.status == 0);
  CHECK(lines_of(next.log) == plain_log);
}

TEST_CASE(
    "launch: killed while the machine runs the launcher leaves no process and no file but its "
    "socket") {
  const FakeHost host;
  const auto settings =
      join(FakeHost::virtiofs_share(1, host / "one"), FakeHost::virtiofs_share(2, host / "two"));
  Launcher launcher(host.settings(
      join(settings, {{"FAKE_QEMU", "ignore-term"}, {"FAKE_VIRTIOFSD", "ignore-term,stay"}})));
  REQUIRE(launcher.wait_for_log("The machine runs"));
  launcher.signal(SIGKILL);
  CHECK(launcher.finish().status == 1000 + SIGKILL);
  CHECK(reap_all_children() == "1009 1009 1009");
  CHECK(host.left_files() == Lines{"vm-runner", "vm-runner/vm", "vm-runner/vm/control.sock"});
}

TEST_CASE("launch: in a container it has 8 s to stop, and as PID 1 it reaps orphans") {
  // A mount of its own, as every engine makes it, tells a container from a namespace.
  const Lines new_namespace = {"/usr/bin/unshare", "--pid", "--fork", "--kill-child",
                               "--mount-proc"};
  auto probe = new_namespace;
  probe.emplace_back("/bin/true");
  if (!works_here(probe)) {
    MESSAGE("SKIPPED: no new pid namespace can be made here");
    return;
  }
  auto wrapper = new_namespace;
  wrapper.insert(
      wrapper.end(),
      {"/bin/sh", "-c", "mount --bind /etc/hosts /etc/hosts; (sleep 1000 &); exec \"$@\"", "sh"});
  const FakeHost host;
  auto settings = host.settings(
      join(FakeHost::virtiofs_share(1, host / "one"), {{"FAKE_QEMU", "echo-console,report"}}));
  settings.erase("STOP_TIMEOUT");
  Launcher outside(settings, {}, {wrapper, {}});
  REQUIRE(outside.wait_for_log("The machine runs"));
  REQUIRE(outside.child_pids().size() == 1);
  const auto all = outside.descendant_pids();
  const auto orphan =
      std::find_if(all.begin(), all.end(), [](pid_t pid) { return program_of(pid) == "sleep"; });
  REQUIRE(orphan != all.end());
  ::kill(*orphan, SIGKILL);
  CHECK(is_reaped(*orphan));

  ::kill(outside.child_pids().front(), SIGTERM);
  const auto seen = host.finish(outside);
  CHECK(seen.status == 0);
  CHECK(seen.output == "console: hello\n");
  const Observed log = observe(seen);
  CHECK(log.log_with("Stopping") ==
        Lines{"[INFO] Stopping (SIGTERM): the guest has 8 s to power off"});
  CHECK(log.log.back() == "[INFO] The guest powered off");
}

TEST_CASE("launch: a runtime folder that cannot be written to is an error") {
  const FakeHost host;
  const auto folder = host.runtime_folder() + "/vm-runner";
  const StartDetails read_only = {
      {"/usr/bin/unshare", "--mount", "/bin/sh", "-c",
       "mkdir \"$0\" && mount -t tmpfs -o ro none \"$0\" && exec \"$@\"", folder},
      {}};
  if (!works_here({"/usr/bin/unshare", "--mount", "/bin/mount", "-t", "tmpfs", "none",
                   host.runtime_folder()})) {
    MESSAGE("SKIPPED: nothing can be mounted here");
    return;
  }
  Launcher launcher(host.settings({{"FAKE_QEMU", "poweroff"}}), {}, read_only);
  const auto seen = launcher.finish();
  CHECK(seen.status == 1);
  CHECK(seen.log ==
        "error: cannot use the runtime folder " + folder + "/vm\n  cause: Read-only file system\n");
  CHECK(host.starts_of("qemu") == 0);
}

TEST_CASE("launch: a file in the place of the runtime folder is an error") {
  const FakeHost host;
  const auto path = host.runtime_folder() + "/vm-runner";
  write_text(path, "keep me");
  const auto seen = run_launcher(host.settings({{"FAKE_QEMU", "poweroff"}}));
  CHECK(seen.status == 1);
  CHECK(seen.log == fmt::format("error: cannot use the runtime folder {0}\n"
                                "  cause: it is not a folder of user {1} alone\n"
                                "  hint:  remove {0}\n",
                                path, ::geteuid()));
  CHECK(read_text(path) == "keep me");
  CHECK(host.starts_of("qemu") == 0);
}
