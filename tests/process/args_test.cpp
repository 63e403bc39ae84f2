// SPDX-License-Identifier: MIT
// The parts and comparisons that `vm-runner args` prints.
#include "host/capture.hpp"
#include "host/programs.hpp"
#include "support/fake_host.hpp"
#include "support/guest.hpp"

#include <boost/json.hpp>
#include <doctest/doctest.h>

#include <csignal>

using namespace vmr::test;

namespace {

namespace json = boost::json;

Finished print_args(const FakeHost& host, std::vector<std::string> words,
                    const Launcher::Variables& settings = {}) {
  words.insert(words.begin(), "args");
  Launcher launcher(host.settings(settings), words);
  auto finished = host.finish(launcher);
  CHECK(host.starts_of("qemu") == 0);
  return finished;
}

}  // namespace

TEST_CASE("a group of arguments can be had alone, in every format") {
  const FakeHost host;
  const Launcher::Variables settings = {{"MEMORY", "64"}, {"HOTPLUG_SHARES", "0"}};
  const auto shell = print_args(host, {"--only=memory"}, settings);
  CHECK(shell.status == 0);
  CHECK(shell.output == "qemu+=(\n  -m 64M\n)\n");
  CHECK(print_args(host, {"--only=memory", "--format=lines"}, settings).output == "-m\n64M\n");
  CHECK(print_args(host, {"--only=memory", "--format=json"}, settings).output ==
        "{\"qemu\":[\"-m\",\"64M\"],\"helpers\":[],\"shares\":[]}\n");
  CHECK(print_args(host, {"--only=memory", "--explain"}, settings).output ==
        "qemu+=(\n"
        "  # memory: the guest's memory; a block that virtiofsd can map too, where it has to\n"
        "  #   private: nobody else has to see it\n"
        "  #   MEMORY=64 (environment)\n"
        "  #   HOTPLUG_SHARES=0 (environment)\n"
        "  -m 64M\n"
        ")\n");
}

TEST_CASE("a group that is not there is answered with those that are") {
  const FakeHost host;
  const auto refused = print_args(host, {"--only=me\nmory"}, {{"CLOUD_INIT", "0"}});
  CHECK(refused.status == 2);
  CHECK(refused.output.empty());
  CHECK(refused.log.find("error: --only=me\\nmory: there are no such arguments\n"
                         "  hint:  one of: base, machine, memory, ") != std::string::npos);
}

TEST_CASE("the script beside a VM of its name is refused and takes nothing of it away") {
  const FakeHost host;
  Launcher printing(host.settings(), {"args", "--format=shell"});
  const TextFile script(host.finish(printing).output);
  const auto run_script = [&] {
    return vmr::capture({vmr::find_in_path("env"), "-i", "PATH=" + host.settings().at("PATH"),
                         vmr::find_in_path("bash"), script.path()});
  };
  Launcher launcher(host.settings());
  REQUIRE(launcher.wait_for_log("The machine runs"));
  const auto refused = run_script();
  CHECK_FALSE(refused.ok);
  CHECK(refused.errors == "error: a VM named 'vm' is already running\n");
  Launcher client(host.settings(), {"status"});
  CHECK(client.finish().status == 0);
  CHECK(run_launcher(host.settings()).status == 1);

  // Alone it fails further on, where it needs vm-runner, and leaves nothing of its own.
  write_text(host / "bin/vm-runner", "#!/bin/sh\necho vm-runner: not now >&2\nexit 1\n");
  std::filesystem::permissions(host / "bin/vm-runner", std::filesystem::perms::owner_all);
  launcher.signal(SIGTERM);
  CHECK(host.finish(launcher).status == 0);
  const auto alone = run_script();
  CHECK_FALSE(alone.ok);
  CHECK(alone.errors == "vm-runner: not now\n");
  CHECK(host.left_files() == std::vector<std::string>{"vm-runner"});
}

TEST_CASE("an explanation as JSON has its parts") {
  const FakeHost host;
  const auto printed =
      print_args(host, {"--explain", "--format=json", "--only=network"}, {{"SSH_PORT", "0"}});
  CHECK(json::parse(printed.output).at("parts") ==
        json::value{json::object{
            {"name", "network"},
            {"arguments",
             {"-netdev", "user,id=net0", "-device", "virtio-net-pci,netdev=net0,romfile="}},
            {"title", "network: a network of QEMU's own, which needs no privilege"},
            {"notes", json::array()},
            {"settings",
             json::array{"SSH_PORT=0 (environment)",
                         "NETWORK=open (default): open: the guest reaches what this machine "
                         "reaches; restricted: nothing, and only SSH_PORT leads to it"}}}});
}

TEST_CASE("two configuration files are compared under the same environment") {
  const FakeHost host;
  write_text(host / "a.toml", "cpu_model = \"max\"\ncpus = 1\nhotplug_shares = 0\n");
  write_text(host / "b.toml",
             "cpu_model = \"qemu64\"\ncpus = 2\nhotplug_shares = 0\nstop_timeout = 5\n");
  const auto compare = [&](const std::string& format) {
    return print_args(host, {host / "a.toml", "--diff", host / "b.toml", "--format=" + format},
                      {{"CPUS", "3"}, {"STOP_TIMEOUT", ""}});
  };
  const auto place = [&](const std::string& line) { return " (" + (host / line) + ")"; };
  const auto text = compare("shell");
  CHECK(text.status == 0);
  CHECK(text.output == "machine\n  CPU_MODEL: max" + place("a.toml:1") + " -> qemu64" +
                           place("b.toml:1") +
                           "\n- -cpu max\n+ -cpu qemu64\n"
                           "\n"
                           "in no argument: in the seed, or for the launcher itself\n"
                           "  STOP_TIMEOUT: not set -> 5" +
                           place("b.toml:4") + "\n");
  CHECK(json::parse(compare("json").output) ==
        json::value{
            {"parts",
             json::array{json::object{
                 {"name", "machine"},
                 {"settings", json::array{json::object{{"variable", "CPU_MODEL"},
                                                       {"before", "max" + place("a.toml:1")},
                                                       {"after", "qemu64" + place("b.toml:1")}}}},
                 {"removed", json::array{json::array{"-cpu", "max"}}},
                 {"added", json::array{json::array{"-cpu", "qemu64"}}}}}},
            {"elsewhere", json::array{json::object{{"variable", "STOP_TIMEOUT"},
                                                   {"before", "not set"},
                                                   {"after", "5" + place("b.toml:4")}}}},
            {"seed", json::array()}});
  CHECK(print_args(host, {host / "a.toml", "--diff", host / "a.toml"}).output ==
        "Nothing changes.\n");
  const auto missing = print_args(host, {"--diff", host / "none.toml"});
  CHECK(missing.status == 2);
  CHECK(missing.log.find("error: the configuration file '" + (host / "none.toml") +
                         "' cannot be read\n") != std::string::npos);
}
