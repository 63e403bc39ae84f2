// SPDX-License-Identifier: MIT
#include "commands/import_check.hpp"

#include "config/load.hpp"
#include "plan/extra_args.hpp"
#include "plan/launch_plan.hpp"

namespace vmr {

std::vector<std::string> refused_arguments(const std::vector<TomlLine>& settings) {
  const auto config = load_config({}, {}, {"the output", print_toml(settings)}).config;
  const bool is_arm = config.arch.value == Architecture::aarch64;
  VmSpec spec;
  spec.name = "vm";
  spec.memory_mib = config.memory.value;
  spec.cpus = config.cpus.value;
  spec.accelerators = {Accelerator::tcg};
  spec.architecture = is_arm ? Architecture::aarch64 : Architecture::x86_64;
  spec.machine = !config.machine.value.empty() ? config.machine.value : is_arm ? "virt" : "q35";
  spec.disk = Disk{"/disk", "raw", ""};
  spec.ssh = config.ssh_port.value;
  spec.hotplug_shares = config.hotplug_shares.value;
  spec.extra_args = config.extra_args.value;
  const auto plan = make_plan(spec, Host{});
  std::vector<std::string> lines;
  for (const auto& collision : find_collisions(plan.attempts.front(), config.extra_args.origin)) {
    if (collision.is_refused) lines.push_back(collision.text);
  }
  return lines;
}

}  // namespace vmr
