// SPDX-License-Identifier: MIT
#include "base/log.hpp"
#include "commands/commands.hpp"
#include "commands/config_text.hpp"
#include "commands/print_output.hpp"
#include "commands/resolved_vm.hpp"
#include "plan/launch_plan.hpp"

namespace vmr {

ExitStatus command_config(const Arguments& arguments, const std::vector<std::string>& environment) {
  auto vm = examine_vm(arguments, environment);
  log_findings(vm);
  // What only this host lacks keeps nobody from reading their settings.
  const bool is_wrong = !vm.problems.empty() && exit_status_of(vm.problems) == ExitStatus::usage;
  if (is_wrong) throw InvalidConfig(std::move(vm.problems));
  const SaidConfig said{std::move(vm.vm.given), arguments.qemu_args, arguments.show_secrets};
  const auto outcome = vm.problems.empty()
                           ? outcome_of(vm.vm.spec, make_plan(vm.vm.spec, vm.vm.host))
                           : ConfigOutcome{};
  const bool is_json = arguments.format == Format::json;
  const auto text = is_json ? config_as_json(said, outcome) : config_as_toml(said, outcome);
  for (const auto& variable : unprintable_settings(said)) {
    log_warn("{}: the value is not UTF-8 and {}", variable,
             is_json ? "shown with U+FFFD for the rest"
                     : "left out: a configuration file cannot hold it");
  }
  print_output(text);
  if (!vm.problems.empty()) throw InvalidConfig(std::move(vm.problems));
  return ExitStatus::ok;
}

}  // namespace vmr
