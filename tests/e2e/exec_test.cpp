// SPDX-License-Identifier: MIT
// `vm-runner exec` in the demo guest with its real agent, in one boot.
#include "support/guest.hpp"
#include "support/processes.hpp"

#include <doctest/doctest.h>
#include <fmt/format.h>

#include <csignal>
#include <fcntl.h>
#include <memory>
#include <random>
#include <thread>
#include <unistd.h>

using namespace vmr::test;

namespace {

using Lines = std::vector<std::string>;

/// Standard input from `fd`.
StartDetails input_from(int fd) {
  return {{}, [fd] { ::dup2(fd, STDIN_FILENO); }};
}

std::string random_bytes(std::size_t size) {
  std::independent_bits_engine<std::mt19937_64, 8, unsigned> bits(7);
  std::string bytes(size, '\0');
  for (char& byte : bytes) byte = static_cast<char>(bits());
  return bytes;
}

/// The demo guest, from the moment that its agent is there.
class Guest {
 public:
  Guest() : launcher_(settings()) {
    REQUIRE(launcher_.wait_for_log("the guest agent is there"));
    // Somebody has to read what the launcher says, or it waits.
    reading_ = std::thread([this] { launcher_.wait_for_log("never said"); });
  }
  ~Guest() {
    // It may be booting: twice is not to wait for it.
    launcher_.signal(SIGTERM);
    launcher_.signal(SIGINT);
    reading_.join();
    launcher_.finish();
    CHECK(launcher_.left_files() == Lines{});
  }
  Guest(const Guest&) = delete;
  Guest& operator=(const Guest&) = delete;

  [[nodiscard]] std::unique_ptr<Launcher> start(const Lines& command,
                                                const StartDetails& details = {}) const {
    Lines arguments = {"exec", "--"};
    arguments.insert(arguments.end(), command.begin(), command.end());
    return std::make_unique<Launcher>(
        Launcher::Variables{{"XDG_RUNTIME_DIR", launcher_.runtime_folder()}}, arguments, details);
  }

  [[nodiscard]] Finished exec(const Lines& command, const StartDetails& details = {}) const {
    return start(command, details)->finish();
  }

  [[nodiscard]] Finished sh(const std::string& script) const { return exec({"sh", "-c", script}); }

  /// With `input` in a file.
  [[nodiscard]] Finished exec_with(const std::string& input, const Lines& command) const {
    const TextFile file(input);
    const vmr::UniqueFd fd(::open(file.path().c_str(), O_RDONLY | O_CLOEXEC));
    return exec(command, input_from(fd.get()));
  }

  /// Those of this VM: beside its folder is the lock of QEMU's user, where the launcher is root.
  [[nodiscard]] Lines left_files() const {
    auto left = launcher_.left_files();
    std::erase_if(left, [](const auto& path) { return path.starts_with("vm-runner/.users"); });
    return left;
  }

 private:
  static Launcher::Variables settings() {
    return {{"BASE_IMAGE", debian_guest()},
            {"ACCEL", ""},
            {"MEMORY", "1024"},
            {"CPUS", "2"},
            {"NO_CONSOLE", "1"},
            {"LOG_VERBOSE", "1"}};
  }

  Launcher launcher_;
  std::thread reading_;
};

void check_statuses(const Guest& guest) {
  const auto both = guest.sh("echo out; echo err >&2; exit 7");
  CHECK(both.output == "out\n");
  CHECK(both.log == "err\n");
  CHECK(both.status == 7);
  CHECK(guest.exec({"true"}).status == 0);
  const auto killed = guest.sh("kill -9 $$");
  CHECK(killed.status == 137);
  CHECK(killed.log.empty());
  const auto missing = guest.exec({"no-such-command"});
  CHECK(missing.status == 127);
  CHECK(missing.log.ends_with(": no-such-command: not found\n"));
  CHECK(guest.exec({"/etc/passwd"}).status == 126);
  CHECK(guest.sh("echo err >/dev/stderr; cat /dev/stdin").log == "err\n");
  CHECK(guest.sh("echo $HOME; id -un; pwd").output == "/root\nroot\n/\n");
}

void check_bytes(const Guest& guest) {
  const auto bytes = random_bytes(8 << 20);
  CHECK((guest.exec_with(bytes, {"cat"}).output == bytes));
  const auto here = guest.exec_with(bytes, {"sha256sum"}).output;
  CHECK(here == guest.exec_with(bytes, {"sh", "-c", "cat >/tmp/f; sha256sum </tmp/f"}).output);
  const auto back = guest.sh("cat /tmp/f; sha256sum </tmp/f >&2");
  CHECK((back.output == bytes));
  CHECK(back.log == here);
  std::string every_byte;
  for (int c = 1; c < 256; ++c) every_byte += static_cast<char>(c);
  for (const auto& word : {std::string("it's \"$(x)\" %s\\n"), std::string("größe\n"), every_byte,
                           std::string(50'000, 'x')}) {
    CHECK(guest.exec({"printf", "%s", word}).output == word);
  }
}

void check_live_streams(const Guest& guest) {
  Pipe typed;
  const auto client = guest.start({"cat"}, input_from(typed.reading.get()));
  for (const std::string line : {"first\n", "second\n"}) {
    REQUIRE(::write(typed.writing.get(), line.data(), line.size()) ==
            static_cast<ssize_t>(line.size()));
    CHECK(client->wait_for_output(line));
  }
  // Another one meanwhile.
  CHECK(guest.exec({"echo", "two"}).output == "two\n");
  typed.writing.reset();
  CHECK(client->finish().output == "first\nsecond\n");
  const auto held = guest.sh("sleep 1000 & echo done");
  CHECK(held.output == "done\n");
  CHECK(held.status == 0);
}

void check_signals(const Guest& guest) {
  const auto client = guest.start({"sh", "-c", "echo ready; sleep 4321; exit"});
  REQUIRE(client->wait_for_output("ready\n"));
  CHECK(guest.exec({"pgrep", "-c", "-f", "sleep 4321"}).output == "2\n");
  client->signal(SIGINT);
  CHECK(client->finish().status == 130);
  CHECK(guest.exec({"pgrep", "-c", "-f", "sleep 4321"}).output == "0\n");

  const auto killed = guest.start({"sh", "-c", "echo $$; exec sleep 4321"});
  REQUIRE(killed->wait_for_output("\n"));
  killed->signal(SIGKILL);
  auto pid = killed->finish().output;
  pid.pop_back();
  CHECK(guest.exec({"timeout", "60", "tail", "--pid=" + pid, "-f", "/dev/null"}).status == 0);
}

void check_nothing_left(const Guest& guest) {
  // They go a moment after the command, which has three of the five itself.
  const std::string list = "cat /sys/class/virtio-ports/*/name";
  const auto names = lines_of(
      guest
          .exec({"timeout", "60", "sh", "-c",
                 "until [ $(" + list + " | wc -l) = 5 ]; do sleep 0.1; done; " + list + " | sort"})
          .output);
  REQUIRE(names.size() == 5);
  CHECK(names[0] == "org.qemu.guest_agent.0");
  for (std::size_t i = 1; i <= 3; ++i) CHECK(names[i].starts_with("org.vm-runner.exec."));
  CHECK(names[4] == "org.vm-runner.shares");
  CHECK(guest.left_files() == Lines{"vm-runner/vm", "vm-runner/vm/control.sock"});
}

}  // namespace

TEST_CASE("commands run in a Debian guest as if they ran here") {
  const Guest guest;
  check_statuses(guest);
  check_bytes(guest);
  check_live_streams(guest);
  check_signals(guest);
  check_nothing_left(guest);

  const auto cut_off = guest.sh("echo ready; reboot -f 2>/dev/null; sleep 1000");
  CHECK(cut_off.status == 1);
  CHECK(cut_off.output == "ready\n");
  CHECK(cut_off.log ==
        "error: the command was cut off\n  cause: the guest rebooted, or its agent ended\n");
}
