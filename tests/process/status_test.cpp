// SPDX-License-Identifier: MIT
// `vm-runner status` and the control socket, with fake programs.
#include "fakes/fault.hpp"
#include "run/runtime_folder.hpp"
#include "support/fake_host.hpp"
#include "support/guest.hpp"
#include "support/observed_output.hpp"

#include <boost/json.hpp>
#include <doctest/doctest.h>

#include <chrono>
#include <csignal>
#include <sys/socket.h>
#include <sys/stat.h>
#include <thread>
#include <unistd.h>

using namespace vmr::test;

namespace {

using Lines = std::vector<std::string>;

/// A launcher of fake programs whose guest has mounted its share, while it exists.
class Running {
 public:
  explicit Running(const std::string& report = "1 ok /mnt/one\ndone\n")
      : launcher_(host_.settings(join(FakeHost::virtiofs_share(1, host_ / "one"),
                                      {{"FAKE_QEMU", "report"}, {"FAKE_REPORT", report}}))) {
    REQUIRE(launcher_.wait_for_log("mounted in the guest"));
    // A fake guest reports as soon as it has a port, before QEMU has said that the machine runs.
    REQUIRE(launcher_.wait_for_log("The machine runs"));
  }
  ~Running() {
    launcher_.signal(SIGTERM);
    host_.finish(launcher_);
  }
  Running(const Running&) = delete;
  Running& operator=(const Running&) = delete;

  [[nodiscard]] Finished ask(const Lines& arguments, const Launcher::Variables& more = {}) const {
    auto settings = join(host_.settings(), more);
    Launcher client(settings, arguments);
    return client.finish();
  }

  [[nodiscard]] std::string socket() const {
    return host_.runtime_folder() + "/vm-runner/vm/control.sock";
  }
  [[nodiscard]] pid_t pid() const { return launcher_.pid(); }
  [[nodiscard]] pid_t pid_of(const std::string& name) const { return launcher_.child_pid(name); }

 private:
  FakeHost host_;
  Launcher launcher_;
};

/// What the launcher answers to `line`.
std::string answer_to(const std::string& socket, const std::string& line) {
  const auto connection = vmr::connect_to(socket);
  REQUIRE(::send(connection.get(), line.data(), line.size(), 0) ==
          static_cast<ssize_t>(line.size()));
  std::string text;
  for (char c = 0; text.empty() || text.back() != '\n';) {
    const auto count = ::read(connection.get(), &c, 1);
    if (count == 0) break;
    if (count > 0) text += c;
  }
  return text;
}

}  // namespace

TEST_CASE("status: a running VM tells its state its processes and its proved shares") {
  const Running vm;
  const auto json = boost::json::parse(vm.ask({"status", "--format=json"}).output).as_object();
  CHECK(json.at("state").as_string() == "running");
  CHECK(json.at("healthy").as_bool());
  CHECK(json.at("pid").to_number<int>() == vm.pid());
  CHECK(json.at("qemu").at("pid").to_number<int>() == vm.pid_of("qemu-system-x86_64"));
  CHECK(json.at("shares").as_array().at(0).at("proof").as_string() == "mounted");

  const auto table = vm.ask({"status"});
  CHECK(table.status == 0);
  CHECK(table.output.find("healthy      yes\n") != table.output.npos);
  CHECK(table.output.find("at /mnt/one (virtiofs): mounted\n") != table.output.npos);

  const auto healthy = vm.ask({"status", "--healthy"});
  CHECK(healthy.status == 0);
  CHECK(healthy.output == "healthy\n");
}

TEST_CASE("status: a share that the guest could not mount is not healthy") {
  const Running vm("1 error mount: no\ndone\n");
  const auto healthy = vm.ask({"status", "--healthy"});
  CHECK(healthy.status == 1);
  CHECK(healthy.output == "Filesystem #1 is not mounted in the guest: mount: no\n");
  CHECK(vm.ask({"status"}).status == 0);
}

TEST_CASE("status: what the guest says commands no terminal") {
  const std::string hostile =
      "\x1b]0;owned\x07\x1b[2J\xc2\x9b"
      "31m\xe2\x80\xae\xe2\x80\xa8\xd8\x9c\x7f\x80";
  const std::string shown =
      "\\x1b]0;owned\\x07\\x1b[2J\\u009b31m\\u202e\\u2028\\u061c\\x7f\xef\xbf\xbd";
  const Running vm("1 error " + hostile + "\ndone\n");
  CHECK(vm.ask({"status", "--healthy"}).output ==
        "Filesystem #1 is not mounted in the guest: " + shown + "\n");
  const auto list = vm.ask({"share", "list"}).output;
  CHECK(list.substr(list.find(": failed: ")) == ": failed: " + shown + "\n");
  const auto status = vm.ask({"status"}).output;
  CHECK(status.substr(status.size() - list.size()) == list);
  for (Lines question : {Lines{"status"}, {"share", "list"}}) {
    const bool of_shares = question.size() > 1;
    question.emplace_back("--format=json");
    const auto text = vm.ask(question).output;
    const auto json = boost::json::parse(text);
    const auto& shares = of_shares ? json : json.at("shares");
    CHECK(shares.at(0).at("reason").as_string() == shown);
    for (const std::string raw : {"\x1b", "\x07", "\x7f", "\xc2\x9b", "\xe2\x80", "\xd8\x9c"}) {
      CHECK(text.find(raw) == text.npos);
    }
  }
}

TEST_CASE("status: a report of an earlier configuration is no proof") {
  for (const std::string report :
       {"1 ok old:/mnt/one\ndone\n", "1 ok /mnt/old\ndone\n", "done\n"}) {
    CAPTURE(report);
    const Running vm(report);
    const auto seen = vm.ask({"status", "--wait", "--healthy"});
    CHECK(seen.status == 1);
    CHECK(seen.output.starts_with(
        "Filesystem #1 is not mounted in the guest: the guest has another configuration, "));
  }
}

TEST_CASE("status: a guest that cannot report is healthy by its agent and not before") {
  const FakeHost host;
  const Launcher::Variables no_seed = {{"CLOUD_INIT", "0"}};
  const auto ask = [&](const Lines& arguments) {
    Launcher client(host.settings(no_seed), arguments);
    return client.finish();
  };
  SUBCASE("with an agent") {
    Launcher launcher(host.settings(join(no_seed, {{"FAKE_QEMU", "agent"}})));
    CHECK(ask({"status", "--wait", "--healthy"}).output == "healthy\n");
    CHECK(ask({"status"}).output.find("guest        agent\n") != std::string::npos);
    launcher.signal(SIGTERM);
    host.finish(launcher);
  }
  SUBCASE("without") {
    Launcher launcher(host.settings(no_seed));
    REQUIRE(launcher.wait_for_log("The machine runs"));
    const auto healthy = ask({"status", "--healthy"});
    CHECK(healthy.status == 1);
    CHECK(healthy.output == "the VM is booting\n");
    launcher.signal(SIGTERM);
    host.finish(launcher);
  }
}

TEST_CASE("status: who waits for a guest that restarts over and over is answered") {
  const FakeHost host;
  Launcher launcher(host.settings());
  REQUIRE(launcher.wait_for_log("The machine runs"));
  Launcher client(host.settings(), {"status", "--wait", "--healthy"});
  // Resets that follow each other at once are one restart, and on a loaded machine some of these
  // do.
  std::jthread guest([qemu = launcher.child_pid("qemu-system-x86_64")](const std::stop_token& end) {
    while (!end.stop_requested()) {
      ::kill(qemu, fake::signal_of(fake::Fault::restart));
      std::this_thread::sleep_for(std::chrono::milliseconds(600));
    }
  });
  REQUIRE(launcher.wait_for_log("The guest has restarted 5 times"));
  guest.request_stop();
  const auto seen = client.finish();
  CHECK(seen.status == 1);
  CHECK(seen.output == "the guest restarts over and over: its console tells why\n");
  launcher.signal(SIGTERM);
  host.finish(launcher);
}

TEST_CASE("status: no VM of this name") {
  const Running vm;
  const auto other = vm.ask({"status"}, {{"GUEST_NAME", "other"}});
  CHECK(other.status == 1);
  CHECK(other.log.starts_with("error: no VM named 'other' is running\n"));
  CHECK(vm.ask({"status", "--set", "GUEST_NAME=vm"}, {{"GUEST_NAME", "other"}}).status == 0);
}

TEST_CASE("status: the socket of a killed launcher is told from a living one") {
  const FakeHost host;
  const auto settings = host.settings({{"FAKE_QEMU", "report"}, {"FAKE_REPORT", "done\n"}});
  Launcher launcher(settings);
  REQUIRE(launcher.wait_for_log("The machine runs"));
  launcher.signal(SIGKILL);
  launcher.finish();
  reap_all_children();
  Launcher client(settings, {"status"});
  const auto asked = client.finish();
  CHECK(asked.status == 1);
  CHECK(asked.log.find("no VM named 'vm' is running") != asked.log.npos);
  CHECK(asked.log.find("its launcher was killed") != asked.log.npos);
}

TEST_CASE("status: a share to add without a source is refused and the VM goes on") {
  const FakeHost host;
  Launcher launcher(host.settings({{"FAKE_QEMU", "report,agent"}, {"FAKE_REPORT", "done\n"}}));
  REQUIRE(launcher.wait_for_log("The machine runs"));
  const auto socket = host.runtime_folder() + "/vm-runner/vm/control.sock";
  const std::vector<std::string> settings = {R"([])", R"(["SOURCE="])", R"(["source="])", R"([7])"};
  for (const auto& list : settings) {
    const auto answer =
        answer_to(socket, R"({"version":1,"request":"share-add","settings":)" + list + "}\n");
    INFO(list);
    CHECK(answer.find("missing source information for the added share") != answer.npos);
  }
  CHECK(answer_to(socket, R"({"version":1,"request":"share-list"})"
                          "\n") == R"({"share-list":{"shares":[]},"version":1})"
                                   "\n");
  launcher.signal(SIGTERM);
  CHECK(host.finish(launcher).status == 0);
}

TEST_CASE("status: the socket is for its user alone and answers whatever it is sent") {
  const Running vm;
  struct stat facts {};
  REQUIRE(::stat(vm.socket().c_str(), &facts) == 0);
  CHECK((facts.st_mode & 0777) == 0600);
  const std::string version = R"("version":1)";
  CHECK(answer_to(vm.socket(), "garbage\n") ==
        R"({"error":"a request is one line with a JSON object",)" + version + "}\n");
  CHECK(answer_to(vm.socket(),
                  R"({"version":2,"request":"status"})"
                  "\n") == R"({"error":"this launcher speaks version 1 only",)" + version + "}\n");
  CHECK(answer_to(vm.socket(), R"({"version":1})"
                               "\n") == R"({"error":"no request given",)" + version + "}\n");
  CHECK(answer_to(vm.socket(), R"({"version":1,"request":"dance"})"
                               "\n") == R"({"error":"unknown request 'dance'",)" + version + "}\n");
  CHECK(answer_to(vm.socket(), std::string(100000, 'x') + "\n") ==
        R"({"error":"a request is one line with a JSON object",)" + version + "}\n");
  // Those who say nothing do not keep others out.
  std::vector<vmr::UniqueFd> silent;
  for (int i = 0; i < 8; ++i) silent.push_back(vmr::connect_to(vm.socket()));
  CHECK(vm.ask({"status", "--healthy"}).status == 0);
}

TEST_CASE("status: QEMU, virtiofsd and what they have started are not answered") {
  const FakeHost host;
  const auto control = host.runtime_folder() + "/vm-runner/vm/control.sock";
  const auto seen =
      host.run(join(FakeHost::virtiofs_share(1, host / "one"),
                    {{"FAKE_QEMU", "poweroff"}, {"FAKE_CONTROL", control}, {"LOG_VERBOSE", "1"}}));
  CHECK(seen.status == 0);
  for (const std::string name : {"qemu", "virtiofsd-1"}) {
    const auto before = "[DEBUG] " + name + ": status for ";
    CHECK(observe(seen).log_with(before) ==
          Lines{before + "itself: no answer", before + "a child in its own group: no answer"});
  }
}
