// SPDX-License-Identifier: MIT
// `vm-runner exec` as a user has it, with a fake QEMU whose guest runs its commands here.
#include "support/fake_host.hpp"
#include "support/guest.hpp"
#include "support/processes.hpp"
#include "support/wait_for_file.hpp"

#include <doctest/doctest.h>
#include <fmt/format.h>

#include <csignal>
#include <fcntl.h>
#include <filesystem>
#include <memory>
#include <random>
#include <unistd.h>

using namespace vmr::test;

namespace {

using Lines = std::vector<std::string>;

/// Standard input from `fd`.
StartDetails input_from(int fd) {
  return {{}, [fd] { ::dup2(fd, STDIN_FILENO); }};
}

std::string random_bytes(std::size_t size) {
  std::independent_bits_engine<std::mt19937_64, 8, unsigned> bits(42);
  std::string bytes(size, '\0');
  for (char& byte : bytes) byte = static_cast<char>(bits());
  return bytes;
}

/// A VM whose guest has an agent.
class Vm {
 public:
  explicit Vm(const std::string& fake = "agent")
      : launcher_(host_.settings({{"FAKE_QEMU", fake}})) {
    REQUIRE(launcher_.wait_for_log("The machine runs"));
  }
  ~Vm() {
    launcher_.signal(SIGTERM);
    host_.finish(launcher_);
  }
  Vm(const Vm&) = delete;
  Vm& operator=(const Vm&) = delete;

  [[nodiscard]] std::unique_ptr<Launcher> start(const Lines& command,
                                                const StartDetails& details = {}) const {
    Lines arguments = {"exec", "--"};
    arguments.insert(arguments.end(), command.begin(), command.end());
    return std::make_unique<Launcher>(host_.settings(), arguments, details);
  }

  [[nodiscard]] Finished exec(const Lines& command, const StartDetails& details = {}) const {
    return start(command, details)->finish();
  }

  /// With `input` in a file.
  [[nodiscard]] Finished exec_with(const std::string& input, const Lines& command) const {
    const TextFile file(input);
    const vmr::UniqueFd fd(::open(file.path().c_str(), O_RDONLY | O_CLOEXEC));
    return exec(command, input_from(fd.get()));
  }

  [[nodiscard]] Finished sh(const std::string& script) const { return exec({"sh", "-c", script}); }

  [[nodiscard]] std::string operator/(const std::string& name) const { return host_ / name; }
  Launcher& launcher() { return launcher_; }
  [[nodiscard]] Lines left_files() const { return host_.left_files(); }

 private:
  FakeHost host_;
  Launcher launcher_;
};

}  // namespace

TEST_CASE("exec: outputs stay apart and the status is the command's") {
  const Vm vm;
  const auto both = vm.sh("echo out; echo err >&2; exit 7");
  CHECK(both.output == "out\n");
  CHECK(both.log == "err\n");
  CHECK(both.status == 7);
  const std::vector<std::pair<Lines, int>> statuses = {{{"true"}, 0},
                                                       {{"sh", "-c", "exit 255"}, 255},
                                                       {{"sh", "-c", "kill -9 $$"}, 137},
                                                       {{"sh", "-c", "kill -9 0"}, 137},
                                                       {{"sh", "-c", "kill -TERM $$"}, 143},
                                                       {{"sh", "-c", "kill -INT $$"}, 130}};
  for (const auto& [command, status] : statuses) {
    CAPTURE(command);
    const auto finished = vm.exec(command);
    CHECK(finished.status == status);
    CHECK(finished.output.empty());
    CHECK(finished.log.empty());
  }
}

TEST_CASE("exec: a command that cannot be executed is told by the shell's statuses") {
  const Vm vm;
  for (const std::string name : {"no-such-command", "/no/such/command", "-x"}) {
    CAPTURE(name);
    const auto missing = vm.exec({name});
    CHECK(missing.status == 127);
    CHECK(missing.log.ends_with(": not found\n"));
  }
  CHECK(vm.exec({""}).status == 127);
  const auto folder = vm.exec({"/proc"});
  CHECK(folder.status == 126);
  CHECK(folder.log.ends_with("/proc: Permission denied\n"));
}

TEST_CASE("exec: any argument arrives as it is") {
  const Vm vm;
  std::string every_byte;
  for (int c = 1; c < 256; ++c) every_byte += static_cast<char>(c);
  for (const auto& word : {std::string(), std::string("a b"), std::string("it's \"$(x)\" `y` \\"),
                           std::string("\n"), std::string("%s%%\\n"), std::string("größe\n\n"),
                           std::string("\n\xff\n"), std::string("-n"), std::string("*"), every_byte,
                           every_byte + every_byte, std::string(50'000, 'x')}) {
    CAPTURE(word);
    const auto echoed = vm.exec({"printf", "%s|", "first", word, "last"});
    CHECK(echoed.status == 0);
    CHECK(echoed.output == "first|" + word + "|last|");
    CHECK(echoed.log.empty());
  }
  const auto refused = vm.exec({"echo", std::string(60'000, '\'')});
  CHECK(refused.status == 1);
  CHECK(refused.log ==
        "error: the command has 240007 bytes as shell words, more than 60000\n"
        "  hint:  send a script on standard input: vm-runner exec -- sh <script\n");
}

TEST_CASE("exec: megabytes of any bytes pass both ways") {
  const Vm vm;
  const auto bytes = random_bytes(5'000'001);
  const auto echoed = vm.exec_with(bytes, {"cat"});
  CHECK(echoed.status == 0);
  CHECK((echoed.output == bytes));
  CHECK(echoed.log.empty());
  const auto on_error = vm.exec_with(bytes, {"sh", "-c", "cat >&2"});
  CHECK(on_error.output.empty());
  CHECK((on_error.log == bytes));
}

TEST_CASE("exec: input that is empty or closed or not wanted") {
  const Vm vm;
  CHECK(vm.exec({"cat"}).status == 0);
  const auto closed = vm.exec({"wc", "-c"}, {{}, [] { ::close(STDIN_FILENO); }});
  CHECK(closed.output == "0\n");
  const auto unread = vm.exec_with(random_bytes(1'000'000), {"true"});
  CHECK(unread.status == 0);
  const Pipe silent;
  CHECK(vm.exec({"echo", "done"}, input_from(silent.reading.get())).output == "done\n");
  const auto head = vm.exec_with("one\ntwo\n" + random_bytes(1'000'000), {"head", "-n", "1"});
  CHECK(head.output == "one\n");
  CHECK(head.status == 0);
}

TEST_CASE("exec: what is written is seen while the command runs and so is what is typed") {
  const Vm vm;
  Pipe typed;
  const auto client = vm.start({"cat"}, input_from(typed.reading.get()));
  for (const std::string line : {"first\n", "second\n", "without newline"}) {
    REQUIRE(::write(typed.writing.get(), line.data(), line.size()) ==
            static_cast<ssize_t>(line.size()));
    CHECK(client->wait_for_output(line));
  }
  typed.writing.reset();
  const auto finished = client->finish();
  CHECK(finished.output == "first\nsecond\nwithout newline");
  CHECK(finished.status == 0);
}

TEST_CASE("exec: a command may open its standard streams again") {
  const Vm vm;
  const auto finished = vm.exec_with(
      "text", {"sh", "-c", "echo err >/dev/stderr; echo out >/dev/stdout; cat /dev/stdin"});
  CHECK(finished.output == "out\ntext");
  CHECK(finished.log == "err\n");
}

TEST_CASE("exec: a process that is left behind does not hold it but is heard to its end") {
  const Vm vm;
  const auto held = vm.sh("sleep 1000 & echo done");
  CHECK(held.status == 0);
  CHECK(held.output == "done\n");
  const auto heard = vm.sh("(sleep 0.3; echo late; echo later >&2) & echo now; exit 3");
  CHECK(heard.status == 3);
  CHECK(heard.output == "now\nlate\n");
  CHECK(heard.log == "later\n");
}

TEST_CASE("exec: four run at once and a fifth is refused") {
  const Vm vm;
  std::vector<Pipe> inputs(4);
  std::vector<std::unique_ptr<Launcher>> clients;
  for (const auto& input : inputs) {
    clients.push_back(vm.start({"sh", "-c", "echo ready; cat"}, input_from(input.reading.get())));
    CHECK(clients.back()->wait_for_output("ready\n"));
  }
  const auto refused = vm.exec({"true"});
  CHECK(refused.status == 1);
  CHECK(refused.log ==
        "error: 4 commands run in the guest already: each has three of QEMU's serial ports\n"
        "  hint:  wait until one of them has ended\n");
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    const auto word = std::to_string(i);
    REQUIRE(::write(inputs[i].writing.get(), word.data(), word.size()) == 1);
    inputs[i].writing.reset();
    CHECK(clients[i]->finish().output == "ready\n" + word);
  }
  CHECK(vm.exec({"true"}).status == 0);
}

TEST_CASE("exec: signals are the command's") {
  const Vm vm;
  const std::vector<std::pair<int, int>> rows = {{SIGINT, 130}, {SIGTERM, 143}, {SIGHUP, 129}};
  for (const auto& [signal, status] : rows) {
    // Its children get them too: this shell ends only after its cat has, which runs when it
    // answers.
    const Pipe input;
    const auto client = vm.start({"sh", "-c", "cat; exit"}, input_from(input.reading.get()));
    REQUIRE(::write(input.writing.get(), "ready\n", 6) == 6);
    REQUIRE(client->wait_for_output("ready\n"));
    client->signal(signal);
    const auto finished = client->finish();
    CHECK(finished.status == status);
    CHECK(finished.log.empty());
  }
  const auto polite =
      vm.start({"sh", "-c", "trap 'echo bye; exit 5' TERM; sleep 1000 & echo ready; wait"});
  REQUIRE(polite->wait_for_output("ready\n"));
  polite->signal(SIGTERM);
  const auto finished = polite->finish();
  CHECK(finished.output == "ready\nbye\n");
  CHECK(finished.status == 5);
}

TEST_CASE("exec: the third signal is not for the command") {
  const Vm vm;
  const auto client = vm.start({"sh", "-c", "trap '' INT TERM HUP; echo ready; sleep 1000"});
  REQUIRE(client->wait_for_output("ready\n"));
  for (const int signal : {SIGINT, SIGTERM, SIGHUP}) client->signal(signal);
  const auto status = client->finish().status;
  CHECK((status == 128 + SIGINT || status == 128 + SIGTERM || status == 128 + SIGHUP));
}

TEST_CASE("exec: a client that is killed takes its command with it") {
  const Vm vm;
  const auto gone = vm / "gone";
  const auto client =
      vm.start({"sh", "-c", "trap 'touch " + gone + "; exit' HUP; sleep 1000 & echo ready; wait"});
  REQUIRE(client->wait_for_output("ready\n"));
  client->signal(SIGKILL);
  CHECK(wait_for_file(gone));
  CHECK(client->finish().status == 1000 + SIGKILL);
}

TEST_CASE("exec: an output without a reader ends it") {
  const Vm vm;
  for (const std::string script : {"yes", "yes >&2", "sleep 1000"}) {
    CAPTURE(script);
    Pipe broken;
    broken.reading.reset();
    const int fd = broken.writing.get();
    const int stream = script == "yes >&2" ? STDERR_FILENO : STDOUT_FILENO;
    CHECK(vm.exec({"sh", "-c", script}, {{}, [=] { ::dup2(fd, stream); }}).status == 128 + SIGPIPE);
  }
  const vmr::UniqueFd full(::open("/dev/full", O_WRONLY | O_CLOEXEC));
  const auto refused = vm.exec({"yes"}, {{}, [fd = full.get()] { ::dup2(fd, STDOUT_FILENO); }});
  CHECK(refused.status == 1);
  CHECK(refused.log ==
        "error: standard output cannot be written\n  cause: No space left on device\n");
}

TEST_CASE("exec: the end of the VM cuts it off") {
  Vm vm;
  const auto client = vm.start({"sh", "-c", "echo ready; sleep 1000"});
  REQUIRE(client->wait_for_output("ready\n"));
  vm.launcher().signal(SIGTERM);
  const auto finished = client->finish();
  CHECK(finished.status == 1);
  CHECK(finished.log == "error: the command was cut off\n  cause: the VM has ended\n");
}

TEST_CASE("exec: so does the end of everything in the guest") {
  const Vm vm;
  const auto finished = vm.sh("echo last; kill -9 -$(ps -o pgid= -p $PPID | tr -d ' ')");
  CHECK(finished.status == 1);
  CHECK(finished.output == "last\n");
  CHECK(finished.log ==
        "error: the command was cut off\n  cause: the guest rebooted, or its agent ended\n");
}

TEST_CASE("exec: nothing is left of it") {
  const Vm vm;
  CHECK(vm.exec({"true"}).status == 0);
  CHECK(wait_for_file(vm / "log/no-chardevs"));
  const auto client = vm.start({"sh", "-c", "echo ready; sleep 1000"});
  REQUIRE(client->wait_for_output("ready\n"));
  CHECK_FALSE(std::filesystem::exists(vm / "log/no-chardevs"));
  client->signal(SIGKILL);
  client->finish();
  CHECK(wait_for_file(vm / "log/no-chardevs"));
  CHECK(vm.left_files() == Lines{"vm-runner", "vm-runner/vm", "vm-runner/vm/control.sock"});
}

TEST_CASE("exec: a guest without an agent and one whose agent may not") {
  const auto none = Vm("").exec({"true"});
  CHECK(none.status == 1);
  CHECK(none.log ==
        "error: the guest has no agent running, or is still booting\n"
        "  hint:  install qemu-guest-agent in the guest; `vm-runner status --wait` waits for its "
        "boot\n");
  const Vm vm("agent,agent-blocked");
  const auto blocked = vm.exec({"true"});
  CHECK(blocked.status == 1);
  CHECK(blocked.log ==
        "error: the guest's agent does not start commands: Command guest-exec has been disabled: "
        "the command is not allowed\n"
        "  hint:  allow guest-exec in the guest (in /etc/sysconfig/qemu-ga or "
        "/etc/qemu/qemu-ga.conf) and restart its agent\n");
  CHECK(vm.left_files() == Lines{"vm-runner", "vm-runner/vm", "vm-runner/vm/control.sock"});
}

TEST_CASE("exec: no VM of this name") {
  const FakeHost host;
  Launcher client(host.settings(), {"exec", "--", "true"});
  const auto finished = client.finish();
  CHECK(finished.status == 1);
  CHECK(finished.log.starts_with("error: no VM named 'vm' is running\n"));
}
