// SPDX-License-Identifier: MIT
#include "base/log.hpp"
#include "commands/commands.hpp"
#include "commands/resolved_vm.hpp"
#include "plan/launch_plan.hpp"
#include "run/held_signals.hpp"
#include "run/session.hpp"

#include <fmt/format.h>

namespace vmr {
namespace {

/// What keeps a valid VM from being started, though it can be printed.
std::vector<Problem> start_problems(const ResolvedVm& vm) {
  std::vector<Problem> problems;
  if (!vm.spec.disk && vm.spec.boot.kernel.empty()) {
    problems.push_back({"there is no guest to start", "",
                        "set BASE_IMAGE, or make the demo guest with scripts/build-guest"});
  }
  const auto wished = vm.config.ssh_port.value.port;
  if (wished != 0 && vm.host.free_ssh_port != vm.spec.ssh.port) {
    problems.push_back({fmt::format("SSH_PORT='{}': the port is in use", wished),
                        describe(vm.config.ssh_port.origin), "choose another port, or 0 for none",
                        ExitStatus::host_unsupported});
  }
  return problems;
}

void announce(const ResolvedVm& vm) {
  for (const auto& share : vm.spec.shares) log_info("{}", describe(share));
  const std::string user = vm.spec.login_user.empty() ? "the default user" : vm.spec.login_user;
  if (!vm.spec.generated_password.empty()) {
    log_info(
        "Log in as {} with the password {} (made for this run; set GUEST_PASSWORD or "
        "SSH_PUBKEY to choose)",
        user, vm.spec.generated_password);
  }
  if (vm.spec.ssh.port != 0) {
    log_info("SSH: port {} of {} leads to the guest's port 22", vm.spec.ssh.port,
             vm.spec.ssh.address);
  }
}

}  // namespace

ExitStatus command_run(const Arguments& arguments, const std::vector<std::string>& environment) {
  hold_stop_signals();
  const auto vm = resolve_vm(arguments, environment);
  if (auto problems = start_problems(vm); !problems.empty()) {
    throw InvalidConfig(std::move(problems));
  }
  announce(vm);
  return run_session(make_plan(vm.spec, vm.host));
}

}  // namespace vmr
