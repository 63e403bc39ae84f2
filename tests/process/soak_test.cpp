// SPDX-License-Identifier: MIT
// Many lives of the launcher, and violent ends at any moment, with fake programs.
#include "support/soak.hpp"

#include "support/fake_host.hpp"
#include "support/guest.hpp"

#include <doctest/doctest.h>

#include <chrono>
#include <csignal>
#include <random>
#include <sched.h>
#include <thread>

using namespace vmr::test;

namespace {

Launcher::Variables two_shares(const FakeHost& host) {
  return join(FakeHost::virtiofs_share(1, host / "one"), FakeHost::virtiofs_share(2, host / "two"));
}

/// Whether the exit status is the one that the log explains.
bool is_defined(const Finished& seen) {
  const auto says = [&](const std::string& words) { return seen.log.find(words) != seen.log.npos; };
  switch (seen.status) {
    case 0:
      return !says("[ERROR]");
    case 1:
      return says("[ERROR] QEMU died");
    case 4:
      return says("[ERROR] virtiofsd-1 died") || says("[ERROR] virtiofsd-2 died");
    default:
      return false;
  }
}

}  // namespace

TEST_CASE("soak: 500 starts and ends leave nothing open and nothing in memory") {
  const FakeHost host;
  soak(host.settings(join(two_shares(host),
                          {{"FAKE_QEMU", "poweroff"}, {"NO_CONSOLE", "1"}, {"SSH_PORT", "0"}})),
       500);
  CHECK(host.starts_of("virtiofsd-2") == 500);
  CHECK(host.left_files() == std::vector<std::string>{});
}

TEST_CASE("soak: a child that is killed at any moment leads to a defined end 200 times") {
  for (unsigned seed = 1; seed <= 200; ++seed) {
    CAPTURE(seed);
    std::mt19937 random(seed);
    const FakeHost host;
    Launcher launcher(host.settings(
        join(two_shares(host),
             {{"FAKE_QEMU", "report"}, {"FAKE_REPORT", "1 ok /mnt/one\n2 ok /mnt/two\ndone\n"}})));
    std::vector<pid_t> children;
    while (children.size() < 3) {
      children = launcher.child_pids();
      ::sched_yield();
    }
    const auto victim = children.at(random() % children.size());
    const int signal = std::array{SIGKILL, SIGSEGV, SIGTERM}.at(random() % 3);
    // The moment is what is tried, not something to wait for.
    std::this_thread::sleep_for(std::chrono::microseconds(random() % 30'000));
    ::kill(victim, signal);
    const auto seen = host.finish(launcher);
    CAPTURE(signal);
    CAPTURE(seen.status);
    CAPTURE(seen.log);
    CHECK(is_defined(seen));
  }
}
