// SPDX-License-Identifier: MIT
// What docs/debugging.md shows is what the commands print, on made-up hosts.
#include "commands/launch_script.hpp"
#include "config/load.hpp"
#include "plan/explain.hpp"
#include "plan/plan_diff.hpp"
#include "support/hosts.hpp"
#include "support/judge.hpp"
#include "support/observed_output.hpp"

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
  auto parts = parts_of(launch.plan, launch.plan.attempts.front());
  std::erase_if(parts, [&](const Part& part) {
    return part.name != group && !(part.is_helper && group == "shares");
  });
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

}  // namespace
}  // namespace vmr::test
