// SPDX-License-Identifier: MIT
// The whole launcher with fake programs on a terminal of its own: a user at the keyboard.
#include "support/terminal.hpp"

#include "run/control_client.hpp"
#include "support/fake_host.hpp"
#include "support/guest.hpp"

#include <doctest/doctest.h>

#include <csignal>
#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

using namespace vmr::test;

namespace {

using Lines = std::vector<std::string>;

const std::string welcome =
    "[INFO] The guest's console is here; Ctrl-] three times leaves it and stops the VM";
const std::string right_bracket = "\x1d";
const std::string twice_more = "[INFO] Ctrl-] twice more leaves the console and stops the VM";
const std::string once_more = "[INFO] Ctrl-] once more leaves the console and stops the VM";

/// With the standard error there too.
StartDetails all_streams(const Terminal& terminal) {
  auto details = terminal.details();
  details.before_exec = [others = details.before_exec] {
    others();
    ::dup2(STDOUT_FILENO, STDERR_FILENO);
  };
  return details;
}

}  // namespace

TEST_CASE("terminal: every key goes to the guest and three Ctrl-right-bracket leave") {
  const FakeHost host;
  Terminal terminal;
  const auto before = terminal.attributes();
  Launcher launcher(host.settings({{"FAKE_QEMU", "echo-console"}}), {}, terminal.details());
  REQUIRE(terminal.read_to("console: hello\r\n").empty());
  REQUIRE(launcher.wait_for_log("The machine runs"));
  CHECK(is_raw(terminal.attributes()));
  const Lines keys = {"a",           "\x03", "\x1a",        "\x1c", "\x04",        right_bracket,
                      right_bracket, "b",    right_bracket, "\x7f", right_bracket, right_bracket};
  for (const auto& key : keys) {
    CAPTURE(key);
    terminal.type(key);
    CHECK(terminal.read_to("console: " + key).empty());
  }
  terminal.type(right_bracket + "never sent");
  const auto seen = host.finish(launcher);
  CHECK(seen.status == 0);
  CHECK(lines_of(seen.log) ==
        Lines{welcome, "[INFO] The machine runs (accelerator=tcg)", twice_more, once_more,
              twice_more, twice_more, once_more,
              "[INFO] Stopping (the console was left): the guest has 90 s to power off",
              "[INFO] The guest powered off"});
  CHECK(are_equal(terminal.attributes(), before));
}

TEST_CASE("terminal: keys typed in one go leave as well and the last ones reach the guest") {
  const FakeHost host;
  Terminal terminal;
  Launcher launcher(
      host.settings({{"FAKE_QEMU", "echo-console,ignore-powerdown"}, {"STOP_TIMEOUT", "1"}}), {},
      terminal.details());
  REQUIRE(terminal.read_to("console: hello\r\n").empty());
  REQUIRE(launcher.wait_for_log("The machine runs"));
  terminal.type("xy" + right_bracket + right_bracket + right_bracket + "z");
  CHECK(terminal.read_to("console: xy" + right_bracket + right_bracket).empty());
  const auto seen = host.finish(launcher);
  CHECK(seen.status == 5);
  CHECK_FALSE(is_raw(terminal.attributes()));
}

TEST_CASE("terminal: it is as before when QEMU crashes") {
  const FakeHost host;
  Terminal terminal;
  const auto before = terminal.attributes();
  Launcher launcher(host.settings({}), {}, terminal.details());
  REQUIRE(launcher.wait_for_log("The machine runs"));
  CHECK(is_raw(terminal.attributes()));
  ::kill(launcher.child_pid("qemu-system-x86_64"), SIGSEGV);
  CHECK(host.finish(launcher).status == 1);
  CHECK(are_equal(terminal.attributes(), before));
}

TEST_CASE("terminal: it is as before when QEMU cannot be started") {
  const FakeHost host;
  Terminal terminal;
  const auto before = terminal.attributes();
  Launcher launcher(host.settings({{"FAKE_QEMU", "exit-at-once"}}), {}, terminal.details());
  CHECK(host.finish(launcher).status == 1);
  CHECK(are_equal(terminal.attributes(), before));
}

TEST_CASE("terminal: the second attempt has the console too and says so once") {
  const vmr::UniqueFd kvm(::open("/dev/kvm", O_RDWR | O_CLOEXEC));
  if (!kvm) {
    MESSAGE("SKIPPED: /dev/kvm does not open here");
    return;
  }
  const FakeHost host;
  Terminal terminal;
  const auto before = terminal.attributes();
  Launcher launcher(host.settings({{"ACCEL", "auto"}, {"FAKE_QEMU", "abort-kvm,echo-console"}}), {},
                    terminal.details());
  REQUIRE(launcher.wait_for_log("The machine runs"));
  CHECK(is_raw(terminal.attributes()));
  terminal.type("k");
  CHECK(terminal.read_to("console: k").find("no '") == std::string::npos);
  launcher.signal(SIGTERM);
  const auto seen = host.finish(launcher);
  CHECK(seen.status == 0);
  CHECK(observe(seen).log_with("console is here") == Lines{welcome});
  CHECK(are_equal(terminal.attributes(), before));
}

TEST_CASE("terminal: closing its window stops the machine") {
  const FakeHost host;
  Terminal terminal;
  Launcher launcher(host.settings({{"FAKE_QEMU", "echo-console"}}), {}, terminal.details());
  REQUIRE(terminal.read_to("console: hello\r\n").empty());
  REQUIRE(launcher.wait_for_log("The machine runs"));
  terminal.hang_up();
  const auto seen = host.finish(launcher);
  CHECK(seen.status == 0);
  CHECK(observe(seen).log_with("Stopping") ==
        Lines{"[INFO] Stopping (SIGHUP): the guest has 90 s to power off"});
}

TEST_CASE("terminal: with NO_CONSOLE it is left alone and Ctrl-C stops the machine") {
  const FakeHost host;
  Terminal terminal;
  const auto before = terminal.attributes();
  Launcher launcher(host.settings({{"FAKE_QEMU", "echo-console"}, {"NO_CONSOLE", "1"}}), {},
                    terminal.details());
  REQUIRE(launcher.wait_for_log("The machine runs"));
  CHECK(are_equal(terminal.attributes(), before));
  terminal.type("\x03");
  const auto seen = host.finish(launcher);
  CHECK(seen.status == 0);
  CHECK(observe(seen).log_with("Stopping") ==
        Lines{"[INFO] Stopping (SIGINT): the guest has 90 s to power off"});
}

TEST_CASE("terminal: a random password is said again at the guest's login prompt") {
  const FakeHost host;
  Terminal terminal;
  Launcher launcher(host.settings({{"GUEST_PASSWORD", ""}, {"FAKE_QEMU", "echo-console"}}), {},
                    terminal.details());
  REQUIRE(terminal.read_to("console: hello\r\n").empty());
  terminal.type("Last login: today, demo login: ");
  CHECK(terminal.read_to("console: Last login: today, demo login: ").empty());
  // The prompt is the last thing on the screen again.
  CHECK(terminal.read_to("\r\nconsole: Last login: today, demo login: ").empty());
  // Who mistypes has it before their eyes.
  terminal.type("\nincorrect login: ");
  CHECK(terminal.read_to("incorrect login: ").find("no '") == std::string::npos);
  terminal.type(right_bracket + right_bracket + right_bracket);
  const auto seen = host.finish(launcher);
  const auto notes = observe(seen).log_with("Log in as");
  REQUIRE(notes.size() == 2);
  CHECK(notes[0] == notes[1]);
}

TEST_CASE("terminal: a chosen password is not said") {
  const FakeHost host;
  Terminal terminal;
  Launcher launcher(host.settings({{"FAKE_QEMU", "echo-console"}}), {}, terminal.details());
  REQUIRE(terminal.read_to("console: hello\r\n").empty());
  terminal.type("demo login: ");
  CHECK(terminal.read_to("console: demo login: ").empty());
  terminal.type(right_bracket + right_bracket + right_bracket);
  CHECK(observe(host.finish(launcher)).log_with("Log in as") == Lines{});
}

TEST_CASE("terminal: the launcher's lines there are coloured, unless nobody wants that") {
  const FakeHost host;
  const auto first_words = [&](const Launcher::Variables& more) {
    Terminal terminal;
    Launcher launcher(host.settings(join({{"MEMORY", "none"}}, more)), {}, all_streams(terminal));
    CHECK(launcher.finish().status == 2);
    return terminal.read_to("MEMORY='none'");
  };
  CHECK(first_words({}) == "\x1b[0;31merror: ");
  CHECK(first_words({{"TERM", "dumb"}}) == "error: ");
  CHECK(first_words({{"NO_COLOR", "1"}}) == "error: ");
}

TEST_CASE("terminal: without a keyboard there the guest's queries are not shown") {
  const FakeHost host;
  Launcher launcher(host.settings({{"FAKE_QEMU", "echo-console"}}));
  REQUIRE(launcher.wait_for_log("The machine runs"));
  const vmr::ControlAddress address{"vm", host.runtime_folder() + "/vm-runner/vm/control.sock"};
  const auto viewer = vmr::ask_launcher(address, {{"request", "console"}}).connection;
  const std::string keys = "\x1b[6n\x1b[1mwho\x1b[c\n";
  REQUIRE(::send(viewer.get(), keys.data(), keys.size(), 0) == static_cast<ssize_t>(keys.size()));
  REQUIRE(launcher.wait_for_output("who\n"));
  launcher.signal(SIGTERM);
  CHECK(host.finish(launcher).output == "console: hello\nconsole: \x1b[1mwho\n");
}
