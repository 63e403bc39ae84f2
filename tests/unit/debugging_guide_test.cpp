// SPDX-License-Identifier: MIT
// What docs/debugging.md shows is what the commands print, on made-up hosts.
#include "build_paths.hpp"
#include "commands/config_text.hpp"
#include "commands/doctor_report.hpp"
#include "commands/launch_script.hpp"
#include "config/load.hpp"
#include "config/print_toml.hpp"
#include "libvirt/import_domain.hpp"
#include "plan/explain.hpp"
#include "plan/extra_args.hpp"
#include "plan/plan_diff.hpp"
#include "support/doctor.hpp"
#include "support/hosts.hpp"
#include "support/judge.hpp"
#include "support/observed_output.hpp"
#include "support/text_file.hpp"

#include <doctest/doctest.h>
#include <fmt/format.h>
#include <fmt/ranges.h>

namespace vmr::test {
namespace {

constexpr const char* document = "debugging.md";

/// A launch in a container of Docker's defaults.
struct Launch {
  GivenTexts given;
  LaunchPlan plan;

  explicit Launch(const Strings& environment, const ConfigFile& file = {}) {
    const auto loaded = load_config({}, environment, file);
    REQUIRE(loaded.problems.empty());
    const auto resolved = resolve(loaded.config, docker_host());
    REQUIRE(resolved.problems.empty());
    given = loaded.given;
    plan = make_plan(resolved.spec, docker_host());
  }
};

std::string command_line(const Strings& environment, const std::string& command) {
  return fmt::format("$ {} vm-runner {}\n", fmt::join(environment, " "), command);
}

/// What `args --explain --only=GROUP` prints.
std::string explained(const Strings& environment, const std::string& group) {
  const Launch launch(environment);
  const auto parts = parts_named(group, parts_of(launch.plan, launch.plan.attempts.front()));
  std::vector<Explanation> explanations;
  for (const auto& part : parts) explanations.push_back(explain(part, launch.plan, launch.given));
  return command_line(environment, "args --explain --only=" + group) +
         bash_arrays(parts, explanations, "");
}

TEST_CASE("the guide shows what args explains") {
  check_output(document, "args-explain",
               explained({"MEMORY=1G", "FILESYSTEM_SOURCE=/share"}, "memory"));
  check_output(document, "args-explain-shares",
               explained({"FILESYSTEM_SOURCE=/share", "FILESYSTEM_READONLY=1"}, "shares"));
}

TEST_CASE("the guide shows what a change of settings changes") {
  const std::string old_text = "memory = \"1G\"\n\n[[share]]\nsource = \"/share\"\n";
  const std::string new_text =
      "memory = \"2G\"\nstop_timeout = 20\n\n[[share]]\nsource = \"/share\"\ncache = \"none\"\n";
  const Launch before({}, {"vm.toml", old_text});
  const Launch after({}, {"other.toml", new_text});
  const auto changes = diff({before.given, before.plan, before.plan.attempts.front()},
                            {after.given, after.plan, after.plan.attempts.front()});
  check_output(document, "args-diff",
               "$ vm-runner args vm.toml --diff other.toml\n" + as_text(changes));
}

TEST_CASE("the guide shows a configuration that is put together") {
  const Strings environment = {"MEMORY=2G", "GUEST_PASSWORD=secret"};
  const ConfigFile file = {"vm.toml", "stop_timeout = 20\n\n[[share]]\nsource = \"/share\"\n"};
  const Launch launch(environment, file);
  const auto outcome = outcome_of(spec_of(environment, docker_host(), file.text), launch.plan);
  check_output(document, "config",
               command_line(environment, "config vm.toml") +
                   config_as_toml({launch.given, {}, false}, outcome));
}

TEST_CASE("the guide shows what doctor finds, in a container and on a machine") {
  auto container = docker_host();
  container.kvm = {KvmFacts::State::missing, "/dev/kvm: No such file or directory"};
  auto facts = docker_facts();
  facts.qemu.kvm_problem.clear();
  const Strings shared = {"FILESYSTEM_SOURCE=/share", "FILESYSTEM_SANDBOX=namespace"};
  check_output(document, "doctor-container",
               "$ docker run --rm -v \"$PWD:/share\" -e FILESYSTEM_SOURCE=/share \\\n"
               "    -e FILESYSTEM_SANDBOX=namespace docker-vm-runner:test doctor\n" +
                   report_table(report_of(shared, container, facts), false));

  auto machine = ordinary_user();
  machine.kvm = {KvmFacts::State::no_permission, "/dev/kvm: Permission denied"};
  const Strings own = {"REQUIRE_KVM=1", "FILESYSTEM_SOURCE=/home/me/src"};
  check_output(document, "doctor-machine",
               command_line(own, "doctor") +
                   report_table(report_of(own, machine, ordinary_user_facts()), false));
}

TEST_CASE("the guide shows arguments that collide") {
  const Strings environment = {"EXTRA_ARGS='-m 8G -device virtio-rng-pci,id=serial'"};
  const Launch launch({"EXTRA_ARGS=-m 8G -device virtio-rng-pci,id=serial"});
  std::string text = command_line(environment, "run");
  for (const auto& collision :
       find_collisions(launch.plan.attempts.front(), {Source::environment, "EXTRA_ARGS", ""})) {
    text += "[WARN] " + collision.text + "\n";
  }
  check_output(document, "collisions", text);
}

TEST_CASE("the guide shows an imported domain") {
  const auto domain = read_text(SOURCE_FOLDER "/tests/domains/plain/domain.xml");
  const auto imported = import_domain(domain, "plain.xml");
  std::string text = "$ vm-runner import plain.xml >plain.toml\n";
  for (const auto& note : imported.notes) text += "[WARN] " + describe(note, "plain.xml") + "\n";
  check_output(document, "import", text + "$ cat plain.toml\n" + print_toml(imported.settings));
}

}  // namespace
}  // namespace vmr::test
