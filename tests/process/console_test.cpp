// SPDX-License-Identifier: MIT
// `vm-runner console` with fake programs: those who attach to the console of a running VM.
#include "support/guest.hpp"
#include "support/processes.hpp"
#include "support/running_console.hpp"
#include "support/terminal.hpp"

#include <doctest/doctest.h>

#include <array>
#include <csignal>
#include <fcntl.h>
#include <optional>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

using namespace vmr::test;

namespace {

using Lines = std::vector<std::string>;
using Client = ConsoleClient;
using Running = RunningConsole;

const std::string welcome =
    "[INFO] The console of VM 'vm' is here; Ctrl-] three times leaves it, and the VM goes on";
const std::string farewell = "[INFO] The console was left; VM 'vm' goes on";
const std::string ended = "[INFO] VM 'vm' has ended";
const std::string way_out = "\x1d\x1d\x1d";

/// Reads up to and with `text`, for ten seconds at most.
std::string read_to(const vmr::UniqueFd& connection, const std::string& text) {
  std::string all;
  while (!all.ends_with(text)) {
    pollfd ready{connection.get(), POLLIN, 0};
    std::array<char, 4096> bytes{};
    if (::poll(&ready, 1, 10'000) != 1) return "no end: " + all;
    const auto size = ::read(connection.get(), bytes.data(), bytes.size());
    if (size <= 0) return "closed: " + all;
    all.append(bytes.data(), static_cast<std::size_t>(size));
  }
  return all;
}

/// Sends as much as is taken at once.
void stuff(const vmr::UniqueFd& connection) {
  const std::string keys(4096, 'x');
  while (::send(connection.get(), keys.data(), keys.size(), MSG_DONTWAIT) > 0) continue;
}

/// What a viewer was shown, and how many bytes it was told that it missed.
struct Seen {
  std::size_t bytes = 0;
  std::size_t missed = 0;
  std::size_t notices = 0;
};

Seen count(const std::string& text) {
  const std::string before = "\r\n[vm-runner: ";
  const std::string after = " bytes of the console are left out here]\r\n";
  Seen seen{text.size(), 0, 0};
  for (auto at = text.find(before); at != text.npos; at = text.find(before, at + 1)) {
    const auto end = text.find(after, at);
    REQUIRE(end != text.npos);
    seen.missed += std::stoul(text.substr(at + before.size()));
    seen.bytes -= end + after.size() - at;
    ++seen.notices;
  }
  return seen;
}

/// All that a guest says that floods its console when "go" is typed.
std::string flood() {
  std::string text = "console: hello\nconsole: go";
  for (int i = 1; i <= 500'000; ++i) text += std::to_string(i) + "\n";
  return text + "the end\n";
}

}  // namespace

TEST_CASE("console: one who comes later sees the past and leaves the VM running") {
  Running vm;
  {
    Terminal terminal;
    const auto before = terminal.attributes();
    Launcher client(vm.settings(), {"console"}, terminal.details());
    CHECK(terminal.read_to("console: hello\r\n").empty());
    CHECK(is_raw(terminal.attributes()));
    terminal.type("\x03");
    CHECK(terminal.read_to("console: \x03").empty());
    terminal.type("a\r" + way_out + "never sent");
    const auto seen = client.finish();
    CHECK(seen.status == 0);
    CHECK(lines_of(seen.log) == Lines{welcome, farewell});
    CHECK(are_equal(terminal.attributes(), before));
  }
  Client late(vm);
  CHECK(
      late.wait_for("console: hello\nconsole: \x03"
                    "console: a\r\x1d\x1d"));
  vm.stop();
  CHECK(late.finish().status == 0);
}

TEST_CASE("console: two at once see the same and both type") {
  Running vm;
  Terminal first;
  Terminal second;
  Launcher client(vm.settings(), {"console"}, first.details());
  CHECK(first.read_to("console: hello\r\n").empty());
  Launcher other(vm.settings(), {"console"}, second.details());
  CHECK(second.read_to("console: hello\r\n").empty());
  first.type("one");
  CHECK(first.read_to("console: one").empty());
  CHECK(second.read_to("console: one").empty());
  second.type("two");
  CHECK(first.read_to("console: two").empty());
  CHECK(second.read_to("console: two").empty());
  first.type(way_out);
  CHECK(client.finish().status == 0);
  CHECK(second.read_to("console: \x1d\x1d").empty());
  second.type("three");
  CHECK(second.read_to("console: three").empty());
  CHECK(vm.stop().status == 0);
  const auto seen = other.finish();
  CHECK(seen.status == 0);
  CHECK(lines_of(seen.log) == Lines{welcome, ended});
}

TEST_CASE("console: the launcher's own terminal and one who is attached share it") {
  const FakeHost host;
  Terminal own;
  Terminal attached;
  Launcher launcher(host.settings({{"FAKE_QEMU", "echo-console"}}), {}, own.details());
  REQUIRE(launcher.wait_for_log("The machine runs"));
  Launcher client(host.settings(), {"console"}, attached.details());
  CHECK(own.read_to("console: hello\r\n").empty());
  CHECK(attached.read_to("console: hello\r\n").empty());
  own.type("x");
  CHECK(own.read_to("console: x").empty());
  CHECK(attached.read_to("console: x").empty());
  attached.type("y");
  CHECK(own.read_to("console: y").empty());
  CHECK(attached.read_to("console: y").empty());
  own.type(way_out);
  CHECK(client.finish().status == 0);
  CHECK(host.finish(launcher).status == 0);
}

TEST_CASE("console: what comes from a pipe is sent as it is and its end is no end") {
  Running vm;
  Client client(vm);
  client.type("bytes \x1d\x1d\x1d\x04\x03 and more");
  CHECK(client.wait_for("console: bytes \x1d\x1d\x1d\x04\x03 and more"));
  client.end_input();
  Client other(vm);
  other.type("!");
  CHECK(client.wait_for("console: !"));
  vm.stop();
  const auto seen = client.finish();
  CHECK(seen.status == 0);
  CHECK(lines_of(seen.log) == Lines{ended});
  CHECK(other.finish().status == 0);
}

TEST_CASE("console: a whole file reaches a guest that is slow to read") {
  Running vm("echo-console,slow-console", {});
  const auto path = vm.host() / "keys";
  std::string keys;
  for (int i = 0; i < 200'000; ++i) keys += std::to_string(i) + "\n";
  write_text(path, keys);
  std::optional<Gate> gate(std::in_place, vm.host(), "qemu");
  // Nobody reads what this one shows.
  Launcher client(vm.settings(), {"console"}, {{}, [path] {
                                                 const int file =
                                                     ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
                                                 ::dup2(file, STDIN_FILENO);
                                               }});
  gate->wait();
  gate.reset();
  REQUIRE(vm.wait_for_output("199999\n"));
  auto output = vm.stop().output;
  const std::string mark = "console: ";
  for (auto at = output.find(mark); at != output.npos; at = output.find(mark, at)) {
    output.erase(at, mark.size());
  }
  CHECK((output == "hello\n" + keys));
  CHECK(client.finish().status == 0);
}

TEST_CASE("console: a guest that does not read loses keys and keeps nobody") {
  Running vm("echo-console,slow-console");
  Gate gate(vm.host(), "qemu");
  Terminal terminal;
  const auto before = terminal.attributes();
  Launcher client(vm.settings(), {"console"}, terminal.details());
  CHECK(terminal.read_to("console: hello\r\n").empty());
  for (int i = 0; i < 500; ++i) terminal.type(std::string(4000, 'x'));
  terminal.type(way_out);
  CHECK(client.finish().status == 0);
  CHECK(are_equal(terminal.attributes(), before));
  gate.wait();
}

TEST_CASE("console: one who reads nothing delays neither the guest nor others") {
  Running vm("echo-console,flood-console");
  const auto idle = vm.attach();
  Client client(vm);
  client.type("go");
  CHECK(client.wait_for("the end\n"));
  const auto late = count(read_to(idle, "the end\n"));
  vm.stop();
  const auto seen = count(client.finish().output);
  CHECK(seen.bytes + seen.missed == flood().size());
  CHECK(late.bytes + late.missed == flood().size());
  CHECK(late.notices == 1);
}

TEST_CASE("console: nothing is lost to the launcher's own output while others do not read") {
  Running vm("echo-console,flood-console", {});
  const auto idle = vm.attach();
  REQUIRE(::send(idle.get(), "go", 2, 0) == 2);
  REQUIRE(vm.wait_for_output("the end\n"));
  CHECK((vm.stop().output == flood()));
}

TEST_CASE("console: all that the guest said last is shown when the VM ends") {
  Running vm("echo-console,last-words");
  Terminal terminal;
  const auto before = terminal.attributes();
  Launcher client(vm.settings(), {"console"}, terminal.details());
  CHECK(terminal.read_to("console: hello\r\n").empty());
  vm.launcher().signal(SIGTERM);
  CHECK(terminal.read_to("the end\r\n").starts_with("1\r\n2\r\n"));
  const auto seen = client.finish();
  CHECK(seen.status == 0);
  CHECK(lines_of(seen.log) == Lines{welcome, ended});
  CHECK(are_equal(terminal.attributes(), before));
}

TEST_CASE("console: one who is behind when the VM ends is shown the rest") {
  Running vm("echo-console,flood-console");
  const auto slow = vm.attach();
  Client client(vm);
  client.type("go");
  CHECK(client.wait_for("the end\n"));
  vm.launcher().signal(SIGTERM);
  REQUIRE(vm.wait_for_log("The guest powered off"));
  const auto seen = count(read_to(slow, "the end\n"));
  CHECK(seen.bytes + seen.missed == flood().size());
  CHECK(seen.notices == 1);
  CHECK(vm.stop().status == 0);
  CHECK(client.finish().status == 0);
}

TEST_CASE("console: the terminal is as before whatever ends the VM or the client") {
  for (const int signal : {SIGTERM, SIGINT, SIGHUP, SIGQUIT}) {
    CAPTURE(signal);
    const Running vm;
    Terminal terminal;
    const auto before = terminal.attributes();
    Launcher client(vm.settings(), {"console"}, terminal.details());
    CHECK(terminal.read_to("console: hello\r\n").empty());
    client.signal(signal);
    CHECK(client.finish().status == 1000 + signal);
    CHECK(are_equal(terminal.attributes(), before));
  }
  for (const auto* victim : {"qemu", "launcher"}) {
    CAPTURE(victim);
    Running vm;
    Terminal terminal;
    const auto before = terminal.attributes();
    Launcher client(vm.settings(), {"console"}, terminal.details());
    CHECK(terminal.read_to("console: hello\r\n").empty());
    const bool is_qemu = std::string(victim) == "qemu";
    ::kill(is_qemu ? vm.launcher().child_pid("qemu-system-x86_64") : vm.launcher().pid(), SIGKILL);
    const auto seen = client.finish();
    CHECK(seen.status == 0);
    CHECK(lines_of(seen.log) == Lines{welcome, ended});
    CHECK(are_equal(terminal.attributes(), before));
    vm.stop();
    reap_all_children();
  }
}

TEST_CASE("console: it ends when its window is closed or nobody reads it") {
  const Running vm;
  Terminal terminal;
  Launcher client(vm.settings(), {"console"}, terminal.details());
  CHECK(terminal.read_to("console: hello\r\n").empty());
  terminal.hang_up();
  CHECK(client.finish().status == 1000 + SIGHUP);

  Launcher unread(vm.settings(), {"console"}, {{}, [] {
                                                 Pipe pipe;
                                                 pipe.reading.reset();
                                                 ::dup2(pipe.writing.get(), STDOUT_FILENO);
                                               }});
  const auto seen = unread.finish();
  CHECK(seen.status == 0);
  CHECK(seen.log.empty());
}

TEST_CASE("console: what a terminal would answer is not shown again") {
  const Running vm;
  Client client(vm);
  client.type("where \x1b[6n?");
  CHECK(client.wait_for("console: where \x1b[6n?"));
  Terminal terminal;
  Launcher late(vm.settings(), {"console"}, terminal.details());
  CHECK(terminal.read_to("where ?") == "console: hello\r\nconsole: ");
  client.type("\x1b[5n.");
  CHECK(terminal.read_to("\x1b[5n.") == "console: ");
  terminal.type(way_out);
  CHECK(late.finish().status == 0);
}

TEST_CASE("console: there is room for eight and for others when they are gone") {
  Running vm("echo-console,slow-console");
  std::vector<vmr::UniqueFd> viewers;
  for (int i = 0; i < 8; ++i) viewers.push_back(vm.attach());
  const std::string refusal =
      "error: 8 are at the console already\n"
      "  hint:  leave it with Ctrl-] three times at one of them\n";
  CHECK(vm.refusal() == refusal);
  for (const auto& viewer : viewers) CHECK(read_to(viewer, "\n") == "console: hello\n");
  {
    // Also those of whom nothing is read any more, because the guest takes nothing.
    Gate gate(vm.host(), "qemu");
    for (const auto& viewer : viewers) stuff(viewer);
    gate.wait();
    viewers.clear();
    // What is still on its way to the guest has to be found undeliverable first.
    while (vm.refusal() == refusal) continue;
    CHECK(vm.refusal().empty());
  }
}

TEST_CASE("console: those who are attached stay when QEMU is started anew") {
  const vmr::UniqueFd kvm(::open("/dev/kvm", O_RDWR | O_CLOEXEC));
  if (!kvm) {
    MESSAGE("SKIPPED: /dev/kvm does not open here");
    return;
  }
  const FakeHost host;
  std::optional<Gate> gate(std::in_place, host, "qemu");
  Launcher launcher(host.settings(
      {{"ACCEL", "auto"}, {"NO_CONSOLE", "1"}, {"FAKE_QEMU", "slow,abort-kvm,echo-console"}}));
  gate->wait();
  Terminal terminal;
  Launcher client(host.settings(), {"console"}, terminal.details());
  REQUIRE(client.wait_for_log("leaves it, and the VM goes on"));
  gate->open();
  gate.reset();
  CHECK(terminal.read_to("console: hello\r\n").empty());
  REQUIRE(launcher.wait_for_log("The machine runs"));
  terminal.type("still here");
  CHECK(terminal.read_to("console: still here").empty());
  launcher.signal(SIGTERM);
  CHECK(lines_of(client.finish().log) == Lines{welcome, ended});
  CHECK(host.finish(launcher).status == 0);
}
