// SPDX-License-Identifier: MIT
// Whatever a launcher is asked, and however often: the VM goes on. With fake programs.
#include "build_paths.hpp"
#include "run/control_client.hpp"
#include "run/runtime_folder.hpp"
#include "support/fake_host.hpp"
#include "support/guest.hpp"
#include "support/processes.hpp"
#include "support/temporary_folder.hpp"
#include "support/wait_for_file.hpp"

#include <boost/json.hpp>
#include <doctest/doctest.h>
#include <fmt/format.h>

#include <chrono>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <memory>
#include <poll.h>
#include <sstream>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>
#include <utility>

using namespace vmr::test;

namespace {

using Lines = std::vector<std::string>;

/// A launcher of a VM that is up, with an agent and without shares.
class Vm {
 public:
  explicit Vm(const StartDetails& details = {}, const std::string& behaviours = "report,agent",
              Launcher::Variables settings = {})
      : launcher_(host_.settings(with(std::move(settings), behaviours)), {}, details) {
    REQUIRE(launcher_.wait_for_log("The machine runs"));
  }

  [[nodiscard]] vmr::UniqueFd connect() const {
    const auto path = host_.runtime_folder() + "/vm-runner/vm/control.sock";
    // One who finds a queue at the door waits in it.
    auto connection = vmr::connect_within(path, std::chrono::seconds(30));
    REQUIRE(connection);
    return connection;
  }

  [[nodiscard]] Finished ask(const Lines& arguments, const StartDetails& details = {}) const {
    Launcher client(host_.settings(), arguments, details);
    return client.finish();
  }

  [[nodiscard]] std::unique_ptr<Launcher> start(const Lines& arguments) const {
    return std::make_unique<Launcher>(host_.settings(), arguments);
  }

  /// The path of `name` in the host's folder.
  [[nodiscard]] std::string operator/(const std::string& name) const { return host_ / name; }

  [[nodiscard]] pid_t qemu() const { return launcher_.child_pid("qemu-system-x86_64"); }
  Launcher& launcher() { return launcher_; }

  Finished end() {
    launcher_.signal(SIGTERM);
    return host_.finish(launcher_);
  }

 private:
  static Launcher::Variables with(Launcher::Variables settings, const std::string& behaviours) {
    settings.merge(Launcher::Variables{{"FAKE_QEMU", behaviours}, {"FAKE_REPORT", "done\n"}});
    return settings;
  }

  FakeHost host_;
  Launcher launcher_;
};

/// The numbers of the shares that were added, each with a blank.
std::string added_shares(const Vm& vm) {
  const auto json = boost::json::parse(vm.ask({"share", "list", "--format=json"}).output);
  std::string numbers;
  for (const auto& share : json.as_array()) {
    numbers += boost::json::serialize(share.at("index")) + " ";
  }
  return numbers;
}

/// The line that comes on `connection`; what there is of it when nothing comes for 30 s, or it
/// ends.
std::string line_from(const vmr::UniqueFd& connection) {
  std::string text;
  pollfd ready{connection.get(), POLLIN, 0};
  while (!text.ends_with('\n') && ::poll(&ready, 1, 30'000) == 1) {
    char c = 0;
    const auto count = ::read(connection.get(), &c, 1);
    if (count == 0) break;
    if (count > 0) text += c;
  }
  return text;
}

void send_line(const vmr::UniqueFd& connection, const std::string& line) {
  const auto text = line + "\n";
  REQUIRE(::send(connection.get(), text.data(), text.size(), MSG_NOSIGNAL) ==
          static_cast<ssize_t>(text.size()));
}

/// The processor time that `pid` has taken, in ticks.
long ticks_of(pid_t pid) {
  std::ifstream file(fmt::format("/proc/{}/stat", pid));
  const std::string stat(std::istreambuf_iterator<char>(file), {});
  std::istringstream words(stat.substr(stat.rfind(')') + 1));
  std::string word;
  long user = 0;
  long system = 0;
  for (int field = 3; field < 14; ++field) words >> word;
  words >> user >> system;
  return user + system;
}

}  // namespace

TEST_CASE("control: no value in any field of any request ends the VM") {
  Vm vm;
  const auto qemu = vm.qemu();
  const Lines requests = {"status",  "share-list", "share-add", "share-remove",
                          "console", "exec",       "dance"};
  const Lines fields = {"wait", "now", "settings", "share", "command", "request", "version"};
  const std::string deep = std::string(60, '[') + std::string(60, ']');
  const Lines values = {"null",
                        "true",
                        "-1",
                        "1e300",
                        "9223372036854775808",
                        R"("")",
                        R"("\u0000")",
                        R"("a\nb, '\"%n")",
                        "\"\xf0\x9f\xa6\x84\"",
                        "\"\xff\"",
                        "\"" + std::string(20'000, 'x') + "\"",
                        "[]",
                        "[null]",
                        "[[7]]",
                        R"(["=", "SOURCE", "SOURCE=\u0000", "NONE=1"])",
                        "{}",
                        R"({"a": {}})",
                        deep};
  for (const auto& request : requests) {
    for (const auto& field : fields) {
      for (const auto& value : values) {
        const auto line =
            fmt::format(R"({{"version": 1, "request": "{}", "{}": {}}})", request, field, value);
        CAPTURE(line.substr(0, 200));
        const auto connection = vm.connect();
        send_line(connection, line);
        CHECK(line_from(connection).ends_with("}\n"));
      }
    }
  }
  const auto status = vm.ask({"status", "--healthy"});
  CHECK(status.output == "healthy\n");
  CHECK(vm.qemu() == qemu);
  const auto ended = vm.end();
  CHECK(ended.status == 0);
  CHECK(ended.log.find("[ERROR]") == std::string::npos);
}

TEST_CASE("control: those who wait do not keep others out") {
  Vm vm({}, "agent");  // whose guest does not report
  std::vector<vmr::UniqueFd> waiting;
  for (int i = 0; i < 100; ++i) {
    waiting.push_back(vm.connect());
    send_line(waiting.back(), R"({"version": 1, "request": "status", "wait": true})");
  }
  CHECK(vm.ask({"status"}).status == 0);
  CHECK(vm.ask({"status", "--healthy"}).output == "the VM is booting\n");
  CHECK(vm.ask({"stop"}).status == 0);
  for (const auto& one : waiting)
    CHECK(line_from(one).find(R"("state":"stopping")") != std::string::npos);
  CHECK(vm.launcher().finish().status == 0);
}

TEST_CASE("control: one too many takes the place of the oldest") {
  Vm vm({}, "agent");
  std::vector<vmr::UniqueFd> waiting;
  for (int i = 0; i < 140; ++i) {
    waiting.push_back(vm.connect());
    send_line(waiting.back(), R"({"version": 1, "request": "status", "wait": true})");
  }
  CHECK(line_from(waiting.front()) ==
        R"({"error":"the launcher has no room for another connection: 128 are open already",)"
        R"("version":1})"
        "\n");
  CHECK(vm.ask({"status"}).status == 0);
  CHECK(vm.end().status == 0);
}

TEST_CASE("control: want of descriptors is waited out without a spin") {
  if (SANITIZED) {
    MESSAGE(
        "SKIPPED: the sanitizer tells an object by a pipe of its own, which it cannot open here");
    return;
  }
  const StartDetails with_few{{}, [] {
                                const rlimit few{64, 64};
                                ::setrlimit(RLIMIT_NOFILE, &few);
                              }};
  Vm vm(with_few);
  const auto qemu = vm.qemu();
  std::vector<vmr::UniqueFd> clients;
  for (int i = 0; i < 60; ++i) clients.push_back(vm.connect());
  REQUIRE(vm.launcher().wait_for_log("A client cannot be served"));
  const auto before = ticks_of(vm.launcher().pid());
  ::poll(nullptr, 0, 2000);
  CHECK(ticks_of(vm.launcher().pid()) - before < ::sysconf(_SC_CLK_TCK) / 2);
  clients.clear();
  CHECK(vm.ask({"status", "--healthy"}).output == "healthy\n");
  CHECK(vm.qemu() == qemu);
  const auto ended = vm.end();
  CHECK(ended.status == 0);
  CHECK(observe(ended).log_with("A client cannot be served").size() == 1);
}

TEST_CASE("control: a share that the guest did not let go of is asked for again") {
  Vm vm({}, "report,agent-blocked,keep-device");
  const TemporaryFolder folder;
  const Lines add = {"share", "add", folder.path(), "--set", "SANDBOX=none", "--set", "TARGET=it"};
  const auto list = [&] { return added_shares(vm); };
  // A client that asks for it to go, and goes away when the guest does nothing.
  const auto remove_in_vain = [&](const std::string& device) {
    auto client = vm.start({"share", "remove", "it"});
    CHECK(wait_for_file(vm / ("log/kept-" + device)));
    client->signal(SIGKILL);
    client->finish();
  };
  CHECK(vm.ask(add).output.find("waiting") != std::string::npos);
  CHECK(list() == "1 ");
  remove_in_vain("share1-device");
  CHECK(vm.ask({"share", "remove", "it"}).status == 0);
  CHECK(list().empty());

  CHECK(vm.ask(add).output.find("waiting") != std::string::npos);
  CHECK(list() == "2 ");
  remove_in_vain("share2-device");
  CHECK(vm.ask(add).output.find("waiting") != std::string::npos);
  CHECK(list() == "3 ");

  const auto missing = vm.ask({"share", "add", folder / "none"});
  CHECK(missing.status == 2);
  CHECK(missing.log.find("the virtiofs export directory '" + (folder / "none") +
                         "' does not exist") != std::string::npos);
  CHECK(vm.end().status == 0);
}

TEST_CASE("control: who cannot gain privileges proves that the runtime folder is open to it") {
  Vm vm;
  const auto give_up = [] { ::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0); };
  const auto is_refused_with = [&](const std::string& proof) {
    return wait_for(fork_and_run([&] {
      give_up();
      const auto connection = vm.connect();
      send_line(connection,
                fmt::format(R"({{"version": 1, "request": "status", "proof": "{}"}})", proof));
      return line_from(connection).find("does not prove") == std::string::npos ? 1 : 0;
    }));
  };
  for (const auto& proof :
       Lines{"", "proof-", "control.sock", "../vm/control.sock", "proof-" + std::string(32, '0'),
             "proof-" + std::string(32, 'x')}) {
    CAPTURE(proof);
    CHECK(is_refused_with(proof) == 0);
  }
  StartDetails details;
  details.before_exec = give_up;
  CHECK(vm.ask({"share", "list"}, details).status == 0);
  CHECK(vm.ask({"share", "list"}).status == 0);
  CHECK(vm.end().status == 0);
}

TEST_CASE("control: a client speaks to no launcher of another user") {
  if (::geteuid() != 0) {
    MESSAGE("SKIPPED: this process cannot become another user");
    return;
  }
  const TemporaryFolder folder;
  const auto path = folder / "control.sock";
  ::chmod(folder.path().c_str(), 0777);
  constexpr uid_t stranger = 61234;
  std::string failure;
  Pipe bound;
  Pipe asked;
  const pid_t pid = fork_and_run([&] {
    if (::setresuid(stranger, stranger, stranger) != 0) return 1;
    const auto listener = vmr::listen_at(path);
    bound.writing.reset();
    asked.writing.reset();
    // Whoever connects is never read.
    return reaches_end(asked.reading) ? 0 : 2;
  });
  bound.writing.reset();
  REQUIRE(reaches_end(bound.reading));
  try {
    vmr::ask_launcher({"vm", path}, {{"request", "status"}});
  } catch (const vmr::Error& error) {
    failure = vmr::format(error);
  }
  asked.writing.reset();
  CHECK(wait_for(pid) == 0);
  CHECK(failure ==
        "error: what answers for VM 'vm' is not its launcher\n"
        "  cause: user 61234 listens at its socket, who is neither this user nor root\n"
        "  hint:  look who made the runtime folder, and remove it\n");
}

TEST_CASE("control: a number of a share is given again once there is no higher one") {
  const TemporaryFolder folder;
  const auto source = [&](const std::string& name) {
    std::filesystem::create_directory(folder / name);
    return folder / name;
  };
  Vm vm({}, "report,agent-blocked",
        {{"FILESYSTEM998_SOURCE", source("first")}, {"FILESYSTEM998_SANDBOX", "none"}});
  const auto add = [&](const std::string& name) {
    CHECK(vm.ask({"share", "add", source(name), "--set", "SANDBOX=none"}).output.find("waiting") !=
          std::string::npos);
    return added_shares(vm);
  };
  CHECK(add("a") == "998 999 ");
  CHECK(add("b") == "998 1 999 ");
  CHECK(add("c") == "998 1 2 999 ");
  CHECK(vm.ask({"share", "remove", "b"}).status == 0);
  CHECK(add("d") == "998 1 2 999 ");
  CHECK(vm.end().status == 0);
}
