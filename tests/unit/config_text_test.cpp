// SPDX-License-Identifier: MIT
#include "commands/config_text.hpp"

#include "config/load.hpp"
#include "config/settings.hpp"
#include "plan/launch_plan.hpp"
#include "support/golden.hpp"
#include "support/hostile_values.hpp"
#include "support/hosts.hpp"
#include "support/judge.hpp"

#include <boost/json.hpp>
#include <doctest/doctest.h>

#include <sstream>

namespace vmr::test {
namespace {

struct Planned {
  SaidConfig said;
  std::vector<Problem> problems;
  ConfigOutcome outcome;
  LaunchPlan plan;
};

Planned plan_of(const Arguments& arguments, const Strings& environment, const ConfigFile& file,
                const Host& host) {
  auto loaded = load_config(arguments, environment, file);
  auto resolved = resolve(loaded.config, host);
  loaded.problems.insert(loaded.problems.end(), resolved.problems.begin(), resolved.problems.end());
  Planned planned{{loaded.given, arguments.qemu_args, true}, loaded.problems, {}, {}};
  if (!loaded.problems.empty()) return planned;
  planned.plan = make_plan(resolved.spec, host);
  planned.outcome = outcome_of(resolved.spec, planned.plan);
  return planned;
}

/// What the printed file makes, given back alone.
Planned plan_again(const Planned& planned, const Host& host) {
  return plan_of({}, {}, {"printed.toml", config_as_toml(planned.said, planned.outcome)}, host);
}

/// The lines of `text` that contain `part`.
Strings lines_with(const std::string& text, const std::string& part) {
  Strings lines;
  std::istringstream all(text);
  for (std::string line; std::getline(all, line);) {
    if (line.find(part) != line.npos) lines.push_back(line);
  }
  return lines;
}

TEST_CASE("the printed configuration of every golden case makes the same plan") {
  std::size_t plans = 0;
  for (const auto& folder : golden_folders()) {
    INFO("case ", folder.filename().string());
    const auto [environment, file, host] = golden_inputs(read_files(folder));
    const auto planned = plan_of({}, environment, file, host);
    if (!planned.problems.empty()) continue;
    ++plans;
    INFO(config_as_toml(planned.said, planned.outcome));
    const auto again = plan_again(planned, host);
    CHECK(again.problems == std::vector<Problem>{});
    CHECK(again.plan == planned.plan);
    CHECK(config_as_toml(again.said, again.outcome).size() > 1000);
  }
  CHECK(plans >= 18);
}

TEST_CASE("every setting is printed with its origin") {
  Arguments arguments;
  arguments.assignments = {"CPUS=3", "filesystem3_readonly=yes"};
  const auto host = docker_host();
  const auto planned = plan_of(
      arguments, {"MEMORY=2G", "FILESYSTEM3_SOURCE=/share", "STOP_TIMEOUT=0.5", "SSH_PORT=0"},
      {"a b/vm.toml", "accel = 'tcg'\nhotplug_shares = 0\n"}, host);
  REQUIRE(planned.problems == std::vector<Problem>{});
  const auto text = config_as_toml(planned.said, planned.outcome);
  CHECK(
      text.starts_with("memory = \"2G\"  # MEMORY (environment)\n"
                       "cpus = 3  # CPUS (--set CPUS=3)\n"
                       "# base_image = \"\"  # BASE_IMAGE (default)"));
  CHECK(Argv{lines_with(text, "accel =")} == Argv{{"accel = \"tcg\"  # accel (a b/vm.toml:1)"}});
  CHECK(Argv{lines_with(text, "hotplug_shares")} ==
        Argv{{"hotplug_shares = 0  # hotplug_shares (a b/vm.toml:2)"}});
  CHECK(Argv{lines_with(text, "stop_timeout")} ==
        Argv{{"stop_timeout = \"0.5\"  # STOP_TIMEOUT (environment)"}});
  CHECK(Argv{lines_with(text, "ssh_port")} == Argv{{"ssh_port = 0  # SSH_PORT (environment)"}});
  CHECK(Argv{lines_with(text, "start_timeout")} ==
        Argv{{"# start_timeout = \"\"  # START_TIMEOUT (default) → 62"}});
  const auto share = text.substr(text.find("\n\n"));
  CHECK(share.starts_with(
      "\n\n# Filesystem #3: /share -> guest tag 'share' (read-only, driver=virtiofs, "
      "accessmode=passthrough, mount=/mnt/share)\n"
      "[[share]]\n"
      "number = 3\n"
      "source = \"/share\"  # FILESYSTEM3_SOURCE (environment)\n"
      "# target = \"\"  # FILESYSTEM3_TARGET (default) → share\n"
      "# driver = \"virtiofs\"  # FILESYSTEM3_DRIVER (default)\n"
      "# accessmode = \"passthrough\"  # FILESYSTEM3_ACCESSMODE (default)\n"
      "readonly = true  # FILESYSTEM3_READONLY (--set filesystem3_readonly=yes)\n"
      "# mount = \"\"  # FILESYSTEM3_MOUNT (default) → /mnt/share\n"));
  CHECK(lines_with(share, "sandbox") ==
        Strings{"# sandbox = \"auto\"  # FILESYSTEM3_SANDBOX (default) → chroot"});
  for (const auto& setting : vm_settings()) {
    CHECK_MESSAGE(text.find(toml_key(setting.name) + " = ") != text.npos, setting.name);
  }
  CHECK(plan_again(planned, host).plan == planned.plan);
}

TEST_CASE("a password is shown only to one who asks, and a mask is never read back") {
  const auto host = docker_host();
  auto planned = plan_of({}, {"GUEST_PASSWORD=s3cr3t\"x"}, {}, host);
  const auto shown = config_as_toml(planned.said, planned.outcome);
  CHECK(lines_with(shown, "guest_password =") ==
        Strings{"guest_password = \"s3cr3t\\\"x\"  # GUEST_PASSWORD (environment)"});
  planned.said.show_secrets = false;
  const auto masked = config_as_toml(planned.said, planned.outcome);
  CHECK(
      lines_with(masked, "guest_password =") ==
      Strings{"# guest_password = \"…\"  # GUEST_PASSWORD (environment); --show-secrets shows it"});
  CHECK(masked.find("s3cr3t") == masked.npos);
  CHECK(config_as_json(planned.said, planned.outcome).find("s3cr3t") == std::string::npos);
  CHECK(load_config({}, {}, {"vm.toml", masked}).config.guest_password.value.empty());

  Arguments arguments;
  arguments.assignments = {"GUEST_PASSWORD=s3cr3t"};
  planned = plan_of(arguments, {}, {}, host);
  planned.said.show_secrets = false;
  CHECK(config_as_toml(planned.said, planned.outcome).find("s3cr3t") == std::string::npos);
}

/// The lines of extra_args, the comment behind them included.
std::string list_of_extra_args(const std::string& text) {
  const auto start = text.find("extra_args = [\n");
  REQUIRE(start != text.npos);
  return text.substr(start, text.find('\n', text.find("\n]", start) + 1) + 1 - start);
}

TEST_CASE("the words behind -- join extra_args") {
  const auto host = docker_host();
  Arguments arguments;
  arguments.qemu_args = {"-device", "virtio-balloon-pci,id=a b", "", "it's \"x\"\n"};
  const auto only_behind = plan_of(arguments, {}, {}, host);
  const auto text = config_as_toml(only_behind.said, only_behind.outcome);
  CHECK(list_of_extra_args(text) == R"(extra_args = [
  "-device",
  "virtio-balloon-pci,id=a b",
  "",
  "it's \"x\"\n",
]  # EXTRA_ARGS (behind --)
)");
  CHECK(plan_again(only_behind, host).plan.attempts.front().process ==
        only_behind.plan.attempts.front().process);

  const auto both = plan_of(arguments, {"EXTRA_ARGS=-no-reboot '-name' a\\ b"}, {}, host);
  CHECK(list_of_extra_args(config_as_toml(both.said, both.outcome)) == R"(extra_args = [
  "-no-reboot",
  "-name",
  "a b",
  "-device",
  "virtio-balloon-pci,id=a b",
  "",
  "it's \"x\"\n",
]  # EXTRA_ARGS (environment); behind --
)");
  CHECK(plan_again(both, host).plan.attempts.front().process == both.plan.attempts.front().process);
}

TEST_CASE("hostile values and origins are read back as they are") {
  const auto host = docker_host();
  for (const auto& name : hostile_names()) {
    CAPTURE(name);
    Arguments arguments;
    arguments.assignments = {"CMDLINE=" + name, "FILESYSTEM_SOURCE=/share/" + name,
                             "FILESYSTEM7_SOURCE=" + name, "SSH_PUBKEY=" + name};
    arguments.qemu_args = {name};
    const auto planned = plan_of(arguments, {"GUEST_PASSWORD=" + name}, {}, host);
    const auto printed = config_as_toml(planned.said, planned.outcome);
    const auto again = load_config({}, {}, {name + ".toml", printed});
    CHECK(again.problems == std::vector<Problem>{});
    const auto unprintable = unprintable_settings(planned.said);
    if (name == "\xff\xfe") {
      CHECK(unprintable == Strings{"CMDLINE", "GUEST_PASSWORD", "SSH_PUBKEY", "EXTRA_ARGS",
                                   "FILESYSTEM_SOURCE", "FILESYSTEM7_SOURCE"});
      continue;
    }
    CHECK(unprintable == Strings{});
    CHECK(again.config.cmdline.value == name);
    CHECK(again.config.ssh_pubkey.value == name);
    CHECK(again.config.guest_password.value == name);
    CHECK(again.config.extra_args.value == Strings{name});
    REQUIRE(again.config.shares.size() == 2);
    CHECK(again.config.shares[0].number == 1);
    CHECK(again.config.shares[0].source.value == "/share/" + name);
    CHECK(again.config.shares[1].number == 7);
    CHECK(again.config.shares[1].source.value == name);
  }
}

TEST_CASE("a value that is not UTF-8 is left out and says so") {
  const auto planned = plan_of({}, {"CMDLINE=a\xff"}, {}, docker_host());
  const auto lines = lines_with(config_as_toml(planned.said, planned.outcome), "cmdline");
  REQUIRE(lines.size() == 1);
  CHECK(
      lines.front().starts_with("# cmdline = \"a\xef\xbf\xbd\"  # CMDLINE (environment); not "
                                "UTF-8, which this file has to be: "
                                "set CMDLINE itself"));
}

TEST_CASE("the configuration as JSON") {
  Arguments arguments;
  arguments.assignments = {"CPUS=3"};
  arguments.qemu_args = {"-s", "a\xff"};
  const auto planned = plan_of(arguments, {"GUEST_PASSWORD=x", "FILESYSTEM2_SOURCE=/share"},
                               {"vm.toml", "memory = 512"}, docker_host());
  auto said = planned.said;
  said.show_secrets = false;
  const auto text = config_as_json(said, planned.outcome);
  CHECK(text.find('\n') == text.size() - 1);
  const auto object = boost::json::parse(text).as_object();
  const auto setting = [&](const std::string& name) {
    for (const auto& row : object.at("settings").as_array()) {
      if (row.at("name").as_string() == name) return boost::json::serialize(row);
    }
    return std::string("none");
  };
  CHECK(setting("MEMORY") ==
        R"({"name":"MEMORY","value":"512","source":"file","place":"vm.toml:1"})");
  CHECK(setting("CPUS") ==
        R"({"name":"CPUS","value":"3","source":"command line","place":"--set CPUS=3"})");
  CHECK(setting("INITRD").starts_with(R"({"name":"INITRD","value":null,"source":"default")"));
  CHECK(setting("GUEST_PASSWORD") ==
        R"({"name":"GUEST_PASSWORD","value":null,"source":"environment","masked":true})");
  CHECK(setting("FILESYSTEM2_MOUNT") ==
        R"({"name":"FILESYSTEM2_MOUNT","value":null,"source":"default","chosen":"/mnt/share"})");
  CHECK(boost::json::serialize(object.at("qemu_args")) == "[\"-s\",\"a\xef\xbf\xbd\"]");
  CHECK(boost::json::serialize(object.at("shares")) ==
        R"([{"index":2,"tag":"share","source":"/share","driver":"virtiofs",)"
        R"("accessmode":"passthrough","readonly":false,"mount":"/mnt/share","sandbox":"chroot"}])");
}

}  // namespace
}  // namespace vmr::test
