// SPDX-License-Identifier: MIT
#include "base/ascii.hpp"
#include "base/log.hpp"
#include "commands/commands.hpp"
#include "commands/resolved_vm.hpp"
#include "config/load.hpp"
#include "config/variables.hpp"
#include "host/open_files.hpp"
#include "host/probe.hpp"
#include "host/probe_files.hpp"
#include "host/program_answers.hpp"
#include "plan/confine_plan.hpp"
#include "plan/landlock_words.hpp"
#include "plan/launch_plan.hpp"
#include "plan/opened_paths.hpp"
#include "plan/share_plan.hpp"
#include "run/held_signals.hpp"
#include "run/runtime_folder.hpp"
#include "run/session.hpp"
#include "run/user_reservation.hpp"
#include "spec/limits.hpp"
#include "spec/shares.hpp"
#include "spec/start_paths.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <memory>
#include <optional>
#include <utility>

namespace vmr {
namespace {

void announce(const ResolvedVm& vm) {
  for (const auto& share : vm.spec.shares) {
    log_info("{}", describe(share));
    if (const auto end = describe_real_source(share, vm.host); !end.empty()) log_info("{}", end);
  }
  if (const auto note = login_note(vm.spec); !note.empty()) log_info("{}", note);
  if (vm.spec.ssh.port != 0) {
    log_info("SSH: port {} of {} leads to the guest's port 22", vm.spec.ssh.port,
             vm.spec.ssh.address);
  }
}

/// The words of a [[share]], as assignments to the variables of share `number`.
std::vector<std::string> as_assignments(int number, const std::vector<std::string>& settings) {
  std::vector<std::string> assignments;
  for (const auto& setting : settings) {
    const auto name = ascii_upper(setting.substr(0, setting.find('=')));
    assignments.push_back(share_variable(number, name) + setting.substr(name.size()));
  }
  return assignments;
}

/// Takes an added share the whole way that the others have taken. What `known` tells of the host
/// holds; only files are looked at again.
SharePlan resolve_added(const ResolvedVm& known, const std::string& folder, int number,
                        const std::vector<std::string>& settings,
                        const std::vector<Share>& present) {
  Arguments arguments;
  arguments.assignments = as_assignments(number, settings);
  auto loaded = load_config(arguments, {}, {});
  if (!loaded.problems.empty()) throw InvalidConfig(std::move(loaded.problems));
  auto config = known.config;
  config.shares = std::move(loaded.config.shares);
  auto host = known.host;
  probe_files(config, host);
  probe_also(paths_of(start_paths(config, host)), host);
  auto added = resolve_added_share(config, present, host);
  if (!added.problems.empty()) throw InvalidConfig(std::move(added.problems));
  if (added.share.create_source) {
    throw InvalidConfig(
        {{fmt::format("the virtiofs export directory '{}' does not exist", added.share.source),
          describe(config.shares.front().source.origin),
          "create it, or correct the path (a missing source is only made when the VM starts)"}});
  }
  for (const auto& warning : added.warnings) log_warn("{}", warning);
  if (const auto lacking = find_lacking_attributes(added.share, host)) log_warn("{}", *lacking);
  if (const auto end = describe_real_source(added.share, host); !end.empty()) log_info("{}", end);
  auto plan = plan_share(added.share, 0, host, folder);
  plan.helper->confinement = confine_virtiofsd(added.share, config.qemu_user.value, host);
  plan_opened_source(added.share, config.qemu_user.value, host, folder, *plan.helper);
  return plan;
}

/// A user of QEMU's own is no other VM's. `plan` is made anew where that is not the one in it.
std::unique_ptr<UserReservation> reserve_user(ResolvedVm& vm, LaunchPlan& plan) {
  const auto user = plan.attempts.front().process.confinement.user;
  if (!user || vm.spec.qemu_user.kind != QemuUser::Kind::automatic) return nullptr;
  auto reservation = std::make_unique<UserReservation>(vm.host.runtime_folder, user->uid);
  if (reservation->number() != user->uid) {
    vm.host.own_user = reservation->number();
    plan = make_plan(vm.spec, vm.host);
  }
  return reservation;
}

}  // namespace

ExitStatus command_run(const Arguments& arguments, const std::vector<std::string>& environment) {
  hold_stop_signals();
  raise_open_files();
  auto examined = examine_vm(arguments, environment);
  auto& vm = examined.vm;
  auto problems = std::move(examined.problems);
  if (problems.empty()) problems = start_problems(vm);
  // Of a VM that runs already only that is said: nothing else of this start matters.
  std::optional<RuntimeFolder> folder;
  if (problems.empty()) {
    folder.emplace(runtime_folder_of(vm.spec.name, vm.host), vm.spec.name);
  } else {
    const auto& name = vm.config.guest_name.value;
    refuse_if_running(runtime_folder_of(name, vm.host), name);
  }
  log_findings(examined);
  if (!problems.empty()) throw InvalidConfig(std::move(problems));
  for (const auto& warning : find_limits(vm.spec, vm.host)) log_warn("{}", warning);
  announce(vm);
  auto plan = make_plan(vm.spec, vm.host);
  const auto reservation = reserve_user(vm, plan);
  if (vm.spec.qemu_user.kind != QemuUser::Kind::launcher) {
    log_info("{}; {}", describe_qemu_user(vm.spec, vm.host, plan.attempts.front()),
             describe_landlock(plan));
    if (const auto refused = describe_refused_files(plan); !refused.empty()) {
      log_info("{}", refused);
    }
  }
  if (const auto& unread = plan.attempts.front().unread;
      !unread.empty() && vm.host.working_folder != "/") {
    log_warn(
        "QEMU works in {}, since {} may name files there; it also takes a firmware that it finds "
        "there for its own. With absolute paths alone start vm-runner in the folder /",
        vm.host.working_folder, fmt::join(unread, ", "));
  }
  const auto prepare = [&] {
    const bool is_probed = vm.host.virtiofsd || !vm.host.virtiofsd_problem.empty();
    if (!is_probed && !plan.hotplug_ports.empty()) probe_virtiofsd(vm.host);
  };
  const auto resolve = [&](int number, const auto& settings, const auto& present) {
    return resolve_added(vm, plan.paths.folder, number, settings, present);
  };
  const auto status = run_session(plan, {prepare, resolve});
  // It may not be able to do what it once said.
  if (status == ExitStatus::helper_died) ProgramAnswers(vm.host.home).forget();
  return status;
}

}  // namespace vmr
