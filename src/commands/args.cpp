// SPDX-License-Identifier: MIT
#include "base/log.hpp"
#include "commands/args_json.hpp"
#include "commands/commands.hpp"
#include "commands/launch_script.hpp"
#include "commands/print_output.hpp"
#include "commands/resolved_vm.hpp"
#include "host/file_contents.hpp"
#include "host/probe.hpp"
#include "plan/explain.hpp"
#include "plan/launch_plan.hpp"
#include "plan/plan_diff.hpp"
#include "plan/plan_text.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace vmr {
namespace {

/// The attempt that `run` would end up with.
const QemuPlan& chosen_attempt(const LaunchPlan& plan, const VmSpec& spec, const Host& host) {
  if (plan.attempts.size() == 1) return plan.attempts.front();
  const auto cpu = spec.cpu_model.empty() ? std::string("host") : spec.cpu_model;
  const auto reason = try_kvm(host.qemu, spec.machine, cpu);
  if (reason.empty()) return plan.attempts.front();
  log_warn("KVM does not work here: {}", reason);
  return plan.attempts.back();
}

/// The parts that --only leaves.
std::vector<Part> wanted_parts(const std::vector<Part>& parts, const std::string& wanted) {
  if (wanted.empty()) return parts;
  auto left = parts_named(wanted, parts);
  if (!left.empty()) return left;
  std::vector<std::string> names;
  for (const auto& part : parts) {
    if (names.empty() || names.back() != part.name) names.push_back(part.name);
  }
  throw Error(fmt::format("--only={}: there are no such arguments", wanted), "",
              fmt::format("one of: {}", fmt::join(names, ", ")), ExitStatus::usage);
}

/// What would be other with the configuration file of --diff instead of the one that is given.
std::string compared(const ResolvedVm& vm, const Arguments& arguments,
                     const std::vector<std::string>& environment) {
  auto other_arguments = arguments;
  other_arguments.config_file = arguments.diff;
  const auto other = resolve_vm(other_arguments, environment);
  // With randomness of its own every seed would be another one.
  auto host = other.host;
  host.random = vm.host.random;
  const auto before = make_plan(vm.spec, vm.host);
  const auto after = make_plan(resolve(other.config, host).spec, host);
  auto changes = diff({vm.given, before, chosen_attempt(before, vm.spec, vm.host)},
                      {other.given, after, chosen_attempt(after, other.spec, other.host)});
  return arguments.format == Format::json ? as_json(changes) : as_text(changes);
}

std::string printed(const ResolvedVm& vm, const Arguments& arguments,
                    const std::vector<std::string>& environment) {
  const auto plan = make_plan(vm.spec, vm.host);
  const auto& qemu = chosen_attempt(plan, vm.spec, vm.host);
  const auto parts = wanted_parts(parts_of(plan, qemu), arguments.only);
  std::vector<Explanation> explanations;
  if (arguments.explain) {
    for (const auto& part : parts) explanations.push_back(explain(part, plan, vm.given));
  }
  // A group alone is to be put into another command line.
  const bool is_whole = arguments.only.empty();
  const auto program = is_whole ? qemu.process.argv.front() : std::string();
  switch (arguments.format) {
    case Format::json:
      return as_json(plan, parts, explanations, program);
    case Format::lines:
      return as_lines(parts, explanations, program);
    default:
      break;
  }
  if (!is_whole) return bash_arrays(parts, explanations, program);
  const auto& disk = plan.persistent_disk;
  return launch_script(plan, qemu, explanations, {arguments, environment, vm.host.working_folder},
                       disk ? virtual_size_of(disk->image, disk->format) : 0);
}

}  // namespace

ExitStatus command_args(const Arguments& arguments, const std::vector<std::string>& environment) {
  const auto vm = resolve_vm(arguments, environment);
  print_output(arguments.diff.empty() ? printed(vm, arguments, environment)
                                      : compared(vm, arguments, environment));
  return ExitStatus::ok;
}

}  // namespace vmr
