// SPDX-License-Identifier: MIT
// A guest that writes whatever it likes to its ports, as fast as it can: what the launcher pays for
// it. The sizes are in docs/security.md.
#include "build_paths.hpp"
#include "run/control_client.hpp"
#include "run/log_quota.hpp"
#include "support/fake_host.hpp"
#include "support/guest.hpp"
#include "support/peak_memory.hpp"
#include "support/wait_for_file.hpp"

#include <boost/json.hpp>
#include <doctest/doctest.h>

#include <csignal>
#include <fcntl.h>
#include <unistd.h>

using namespace vmr::test;

namespace {

/// In MiB; of less there would be nothing to see in a launcher's memory. A sanitizer reads slowly.
constexpr auto flood = SANITIZED ? "4" : "32";

/// A launcher whose guest becomes hostile when it is told to. Its log goes to a file.
class Attacked {
 public:
  explicit Attacked(const std::string& behaviour, const Launcher::Variables& more = {})
      : behaviour_(behaviour),
        launcher_(host_.settings(join(join(FakeHost::virtiofs_share(1, host_ / "one"),
                                           {{"FAKE_QEMU", behaviour}, {"FAKE_FLOOD", flood}}),
                                      join({{"LOG_VERBOSE", "1"}}, more))),
                  {}, {{}, [path = log_path()] {
                         ::dup2(::open(path.c_str(), O_WRONLY | O_CREAT, 0600), STDERR_FILENO);
                       }}) {
    gate_.wait();
    quiet_ = peak_memory(launcher_.pid());
  }

  /// Lets the guest begin.
  void begin() { gate_.open(); }

  /// Waits until all that `behaviour` sends is read.
  void wait_for(const std::string& behaviour) {
    REQUIRE(wait_for_file(host_ / ("log/" + behaviour)));
  }
  void wait() { wait_for(behaviour_); }

  /// The launcher still answers, and has stayed small.
  void check() {
    const vmr::ControlAddress address{"vm", host_.runtime_folder() + "/vm-runner/vm/control.sock"};
    CHECK_NOTHROW(vmr::ask_launcher(address, {{"request", "status"}}));
    const auto growth = peak_memory(launcher_.pid()) - quiet_;
    MESSAGE(behaviour_, ": ", quiet_, " KiB and ", growth, " KiB more");
    if (measures_memory) CHECK(growth < most_memory_growth);
  }

  /// Stops it; its log, which is short.
  std::string stop() {
    launcher_.signal(SIGTERM);
    CHECK(host_.finish(launcher_).status == 0);
    auto log = read_file(log_path());
    MESSAGE(behaviour_, ": ", log.size(), " bytes of log");
    CHECK(log.size() < longest_hostile_log);
    return log;
  }

  /// A connection to the console.
  [[nodiscard]] vmr::UniqueFd attach() const {
    const vmr::ControlAddress address{"vm", host_.runtime_folder() + "/vm-runner/vm/control.sock"};
    return vmr::ask_launcher(address, {{"request", "console"}}).connection;
  }

 private:
  [[nodiscard]] std::string log_path() const { return host_ / "launcher.log"; }

  FakeHost host_;
  Gate gate_{host_, "qemu"};
  std::string behaviour_;
  Launcher launcher_;
  std::size_t quiet_ = 0;
};

std::size_t count(const std::string& text, const std::string& words) {
  std::size_t found = 0;
  for (auto at = text.find(words); at != text.npos; at = text.find(words, at + 1)) ++found;
  return found;
}

}  // namespace

TEST_CASE("hostile guest: whatever it reports is read and a little of it logged") {
  Attacked vm("hostile-reports");
  vm.begin();
  vm.wait();
  vm.check();
  const auto log = vm.stop();
  // The share as it starts, the warning of its sandbox, and what the guest was heard to say.
  CHECK(count(log, "Filesystem #1: ") == 22);
  CHECK(log.find("not mounted in the guest at /mnt/one: \xef\xbf\xbd\\u009b no") != log.npos);
}

TEST_CASE("hostile guest: whatever its agent says is read and a little of it logged") {
  Attacked vm("hostile-agent");
  vm.begin();
  vm.wait();
  vm.check();
  CHECK(count(vm.stop(), "[DEBUG] agent < ") >= vmr::LogQuota::burst);
}

TEST_CASE("hostile guest: resets and an agent that comes and goes without end are told of seldom") {
  Attacked vm("hostile-events");
  vm.begin();
  vm.wait();
  vm.check();
  CHECK(count(vm.stop(), "[INFO] The guest restarts") <= 5);
}

TEST_CASE("hostile guest: a console that nobody reads costs nothing") {
  Attacked vm("hostile-console", {{"NO_CONSOLE", "1"}});
  vm.begin();
  vm.wait();
  vm.check();
  vm.stop();
}

TEST_CASE("hostile guest: viewers of its console that have stopped reading cost nothing") {
  Attacked vm("hostile-console", {{"NO_CONSOLE", "1"}});
  std::vector<vmr::UniqueFd> viewers;
  for (std::size_t i = 0; i < 8; ++i) viewers.push_back(vm.attach());
  vm.begin();
  vm.wait();
  vm.check();
  viewers.clear();
  vm.stop();
}

TEST_CASE("hostile guest: standard output that is not read holds its console up and nothing else") {
  Attacked vm("hostile-console,hostile-reports");
  vm.begin();
  vm.wait_for("hostile-reports");
  vm.check();
  vm.stop();
}
