// SPDX-License-Identifier: MIT
// The whole launcher with fake programs: each way to ask for the end, and each way not to comply.
#include "base/unique_fd.hpp"
#include "build_paths.hpp"
#include "support/fake_host.hpp"
#include "support/guest.hpp"

#include <doctest/doctest.h>

#include <chrono>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <sys/syscall.h>
#include <thread>
#include <unistd.h>

using namespace vmr;
using namespace vmr::test;

namespace {

using Lines = std::vector<std::string>;
using Settings = Launcher::Variables;

/// Sends `signals`, each after what the one before has led to, to a machine that runs.
Finished stop(const FakeHost& host, const Settings& settings, const std::vector<int>& signals) {
  Launcher launcher(host.settings(settings));
  REQUIRE(launcher.wait_for_log("The machine runs"));
  std::string effect = "Stopping (";
  for (const int signal : signals) {
    launcher.signal(signal);
    CHECK(launcher.wait_for_log(effect));
    effect = "Asked to stop again (";
  }
  return host.finish(launcher);
}

/// The log of a machine from the moment that it runs, without QEMU's own words.
Lines steps(const Finished& finished) {
  Lines lines;
  bool runs = false;
  for (const auto& line : lines_of(finished.log)) {
    if (runs && line.find("[WARN] qemu: ") != 0) lines.push_back(line);
    runs = runs || line == "[INFO] The machine runs (accelerator=tcg)";
  }
  return lines;
}

/// Settings of a share whose virtiofsd sends the launcher the signal `name` when it is looked at.
Settings share_of_one_that_sends(const FakeHost& host, const std::string& name) {
  const auto sending = host / "virtiofsd-that-sends";
  const auto config = host / "config";
  std::filesystem::create_directories(config + "/qemu/vhost-user");
  std::ofstream(sending) << "#!/bin/sh\nkill -" << name << " $PPID\nexec " << FAKE_VIRTIOFSD
                         << " \"$@\"\n";
  std::filesystem::permissions(sending, std::filesystem::perms::owner_all);
  std::ofstream(config + "/qemu/vhost-user/10.json")
      << R"({"type": "fs", "binary": ")" << sending << "\"}";
  return join(FakeHost::virtiofs_share(1, host / "source"), {{"XDG_CONFIG_HOME", config}});
}

std::chrono::seconds seconds_since(std::chrono::steady_clock::time_point start) {
  return std::chrono::duration_cast<std::chrono::seconds>(std::chrono::steady_clock::now() - start);
}

}  // namespace

TEST_CASE("stop: each signal that asks for the end presses the power button") {
  const std::map<int, std::string> names = {
      {SIGTERM, "SIGTERM"}, {SIGINT, "SIGINT"}, {SIGHUP, "SIGHUP"}, {SIGQUIT, "SIGQUIT"}};
  const FakeHost host;
  for (const auto& [signal, name] : names) {
    CAPTURE(name);
    const auto seen = stop(host, {}, {signal});
    CHECK(seen.status == 0);
    CHECK(steps(seen) == Lines{"[INFO] Stopping (" + name + "): the guest has 90 s to power off",
                               "[INFO] The guest powered off"});
  }
}

TEST_CASE("stop: a guest that does not power off in time is ended by quit") {
  const FakeHost host;
  const auto seen =
      stop(host, {{"FAKE_QEMU", "ignore-powerdown"}, {"STOP_TIMEOUT", "1"}}, {SIGTERM});
  CHECK(seen.status == 5);
  CHECK(steps(seen) ==
        Lines{"[INFO] Stopping (SIGTERM): the guest has 1 s to power off",
              "[WARN] The guest did not power off in time: QEMU is told to quit (0.2 s left)",
              "[ERROR] The guest did not stop in time and was killed"});
}

TEST_CASE("stop: a QEMU that does not quit is ended by SIGTERM") {
  const FakeHost host;
  const auto seen =
      stop(host, {{"FAKE_QEMU", "ignore-powerdown,ignore-quit"}, {"STOP_TIMEOUT", "1"}}, {SIGTERM});
  CHECK(seen.status == 5);
  CHECK(steps(seen) ==
        Lines{"[INFO] Stopping (SIGTERM): the guest has 1 s to power off",
              "[WARN] The guest did not power off in time: QEMU is told to quit (0.2 s left)",
              "[WARN] QEMU does not answer: SIGTERM (0.2 s left)",
              "[ERROR] The guest did not stop in time and was killed"});
}

TEST_CASE("stop: a QEMU that ignores SIGTERM is ended by SIGKILL within the budget") {
  const FakeHost host;
  const auto settings =
      join(FakeHost::virtiofs_share(1, host / "one"),
           {{"FAKE_QEMU", "ignore-powerdown,ignore-quit,ignore-term"}, {"STOP_TIMEOUT", "1"}});
  const auto start = std::chrono::steady_clock::now();
  const auto seen = stop(host, settings, {SIGTERM});
  CHECK(seconds_since(start).count() < 20);
  CHECK(seen.status == 5);
  CHECK(steps(seen) ==
        Lines{"[INFO] Stopping (SIGTERM): the guest has 1 s to power off",
              "[WARN] The guest did not power off in time: QEMU is told to quit (0.2 s left)",
              "[WARN] QEMU does not answer: SIGTERM (0.2 s left)",
              "[WARN] QEMU does not end: SIGKILL (0.1 s left)",
              "[ERROR] The guest did not stop in time and was killed"});
}

TEST_CASE("stop: a second request does not wait for the guest") {
  const FakeHost host;
  const auto seen = stop(host, {{"FAKE_QEMU", "ignore-powerdown"}}, {SIGTERM, SIGINT});
  CHECK(seen.status == 5);
  CHECK(steps(seen) == Lines{"[INFO] Stopping (SIGTERM): the guest has 90 s to power off",
                             "[WARN] Asked to stop again (SIGINT): not waiting any longer",
                             "[ERROR] The guest did not stop in time and was killed"});
}

TEST_CASE("stop: a second request does not wait for QEMU either") {
  const FakeHost host;
  const auto start = std::chrono::steady_clock::now();
  const auto seen =
      stop(host, {{"FAKE_QEMU", "ignore-powerdown,ignore-quit,ignore-term"}}, {SIGTERM, SIGTERM});
  CHECK(seconds_since(start).count() < 30);
  CHECK(seen.status == 5);
  CHECK(steps(seen) == Lines{"[INFO] Stopping (SIGTERM): the guest has 90 s to power off",
                             "[WARN] Asked to stop again (SIGTERM): not waiting any longer",
                             "[WARN] QEMU does not answer: SIGTERM (2.0 s left)",
                             "[WARN] QEMU does not end: SIGKILL (1.0 s left)",
                             "[ERROR] The guest did not stop in time and was killed"});
}

TEST_CASE("stop: a guest that powers off by itself meanwhile has stopped well") {
  const FakeHost host;
  Gate gate(host, "qemu");
  Launcher launcher(host.settings({{"FAKE_QEMU", "ignore-powerdown,poweroff"}}));
  REQUIRE(launcher.wait_for_log("The machine runs"));
  launcher.signal(SIGTERM);
  REQUIRE(launcher.wait_for_log("Stopping"));
  gate.open();
  const auto seen = host.finish(launcher);
  CHECK(seen.status == 0);
  CHECK(steps(seen) == Lines{"[INFO] Stopping (SIGTERM): the guest has 90 s to power off",
                             "[INFO] The guest powered off"});
}

TEST_CASE("stop: who asks again while all is cleared away does not change how it ended") {
  const FakeHost host;
  Launcher launcher(host.settings());
  REQUIRE(launcher.wait_for_log("The machine runs"));
  const UniqueFd target(static_cast<int>(::syscall(SYS_pidfd_open, launcher.pid(), 0)));
  launcher.signal(SIGTERM);
  REQUIRE(launcher.wait_for_log("The guest powered off"));
  const std::jthread impatient([&](const std::stop_token& stop) {
    while (!stop.stop_requested() &&
           ::syscall(SYS_pidfd_send_signal, target.get(), SIGTERM, nullptr, 0) == 0) {
    }
  });
  const auto seen = host.finish(launcher);
  CHECK(seen.status == 0);
}

TEST_CASE("stop: a QEMU that is slow to give back the guest's memory ends in order") {
  const FakeHost host;
  const Lines powered_off = {"[INFO] Stopping (SIGTERM): the guest has 1 s to power off",
                             "[INFO] The guest powered off"};
  const auto asked = stop(host, {{"FAKE_QEMU", "linger"}, {"STOP_TIMEOUT", "1"}}, {SIGTERM});
  CHECK(asked.status == 0);
  CHECK(steps(asked) == powered_off);

  const auto by_itself = host.run({{"FAKE_QEMU", "linger,poweroff"}, {"STOP_TIMEOUT", "1"}});
  CHECK(by_itself.status == 0);
  CHECK(steps(by_itself) == Lines{"[INFO] The guest powered off"});

  Launcher launcher(host.settings({{"FAKE_QEMU", "linger,ignore-powerdown"}}));
  REQUIRE(launcher.wait_for_log("The machine runs"));
  Launcher client(host.settings(), {"stop", "--now"});
  CHECK(client.finish().status == 0);
  const auto now = host.finish(launcher);
  CHECK(now.status == 0);
  CHECK(steps(now) == Lines{"[WARN] Stopping (vm-runner stop) without waiting for the guest"});
}

TEST_CASE("stop: a signal that was ignored at the start stays so but SIGTERM") {
  const FakeHost host;
  for (const int signal : {SIGHUP, SIGINT, SIGQUIT}) {
    CAPTURE(signal);
    const StartDetails ignoring{{}, [signal] {
                                  std::signal(signal, SIG_IGN);
                                  std::signal(SIGTERM, SIG_IGN);
                                }};
    Launcher launcher(host.settings(), {}, ignoring);
    REQUIRE(launcher.wait_for_log("The machine runs"));
    // Of two that are there the one with the lower number arrives first, and SIGTERM's is the
    // highest.
    launcher.signal(signal);
    launcher.signal(SIGTERM);
    const auto seen = host.finish(launcher);
    CHECK(seen.status == 0);
    CHECK(steps(seen) == Lines{"[INFO] Stopping (SIGTERM): the guest has 90 s to power off",
                               "[INFO] The guest powered off"});
  }
}

TEST_CASE("stop: a signal that is ignored and comes while the host is looked at is dropped") {
  const StartDetails under_nohup{{}, [] { std::signal(SIGHUP, SIG_IGN); }};
  const FakeHost host;
  Launcher launcher(host.settings(share_of_one_that_sends(host, "HUP")), {}, under_nohup);
  REQUIRE(launcher.wait_for_log("The machine runs"));
  launcher.signal(SIGTERM);
  const auto seen = host.finish(launcher);
  CHECK(seen.status == 0);
  CHECK(observe(seen).log_with("Stopping") ==
        Lines{"[INFO] Stopping (SIGTERM): the guest has 90 s to power off"});
}

TEST_CASE("stop: before the machine runs QEMU is ended at once") {
  const FakeHost host;
  Gate gate(host, "qemu");
  Launcher launcher(host.settings({{"FAKE_QEMU", "slow"}}));
  gate.wait();
  launcher.signal(SIGTERM);
  REQUIRE(launcher.wait_for_log("Stopping"));
  gate.open();
  const auto seen = host.finish(launcher);
  CHECK(seen.status == 0);
  const Observed log = observe(seen);
  CHECK(log.log_with("[INFO]") == Lines{"[INFO] Stopping before the machine runs (SIGTERM)"});
  CHECK(log.log_with("[ERROR]") == Lines{});
}

TEST_CASE("stop: a QEMU that hangs before the machine runs is killed") {
  const FakeHost host;
  Gate gate(host, "qemu");
  const auto settings = join(FakeHost::virtiofs_share(1, host / "one"), {{"FAKE_QEMU", "slow"}});
  Launcher launcher(host.settings(settings));
  gate.wait();
  launcher.signal(SIGINT);
  const auto seen = host.finish(launcher);
  CHECK(seen.status == 0);
  const auto lines = lines_of(seen.log);
  REQUIRE(lines.size() == 3);
  CHECK(Lines(lines.begin() + 1, lines.end()) ==
        Lines{"[INFO] Stopping before the machine runs (SIGINT)",
              "[WARN] QEMU does not end: SIGKILL"});
}

TEST_CASE("stop: a signal that comes while the host is looked at is not lost") {
  const FakeHost host;
  const auto seen = host.run(share_of_one_that_sends(host, "TERM"));
  CAPTURE(seen.log);
  CHECK(seen.status == 0);
  CHECK(seen.log.find("[INFO] Stopping before the machine runs (SIGTERM)\n") != seen.log.npos);
}
