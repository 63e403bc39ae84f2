// SPDX-License-Identifier: MIT
// A real guest that writes to its console and ports as fast as it can and reads nothing.
#include "support/guest.hpp"
#include "support/peak_memory.hpp"

#include <doctest/doctest.h>

#include <csignal>

using namespace vmr::test;

TEST_CASE("a guest that floods its console and its ports costs little memory and log") {
  const TemporaryFolder host;
  const TextFile user_data(
      guest_script("say quiet\n"
                   "sleep 1\n"
                   "cd /dev/virtio-ports\n"
                   "(yes '1 ok /mnt/s' | head -c 2097152\n"
                   " head -c 8388608 /dev/zero\n"
                   " head -c 2097152 /dev/urandom) >org.vm-runner.shares &\n"
                   "(yes '{\"return\": {\"pid\": 1}}' | head -c 2097152\n"
                   " head -c 4194304 /dev/zero | tr '\\0' '['\n"
                   " head -c 2097152 /dev/urandom) >org.qemu.guest_agent.0 &\n"
                   "yes \"$(head -c 300 /dev/zero | tr '\\0' x)\" | head -c 1048576\n"
                   "wait\n"
                   "printf '\\n1 ok /mnt/s\\n' >org.vm-runner.shares\n"
                   "i=0; while [ $i -lt 500 ]; do : >org.qemu.guest_agent.0; i=$((i + 1)); done\n"
                   "say all is sent\n"));
  Launcher launcher(join(join(tiny_settings(), share(1, {{"SOURCE", host / "s"}})),
                         {{"CLOUD_INIT_USER_DATA", user_data.path()},
                          {"CMDLINE", "tiny.stay"},
                          {"LOG_VERBOSE", "1"}}));
  REQUIRE(launcher.wait_for_output("SAY: quiet"));
  const auto quiet = peak_memory(launcher.pid());
  REQUIRE(launcher.wait_for_output("SAY: all is sent"));
  const auto growth = peak_memory(launcher.pid()) - quiet;
  MESSAGE(quiet, " KiB and ", growth, " KiB more");
  CHECK(growth < most_memory_growth);

  const Launcher::Variables settings = {{"XDG_RUNTIME_DIR", launcher.runtime_folder()}};
  CHECK(Launcher(settings, {"status", "--healthy"}).finish().status == 0);
  launcher.signal(SIGTERM);
  const auto seen = launcher.finish();
  CHECK(seen.status == 0);
  CHECK(seen.log.size() < longest_hostile_log);
  CHECK(observe(seen).log_with("mounted in the guest at").size() == 20);
}
