// SPDX-License-Identifier: MIT
#include "commands/commands.hpp"
#include "commands/doctor_report.hpp"
#include "commands/print_output.hpp"
#include "commands/resolved_vm.hpp"
#include "commands/security_table.hpp"
#include "host/environment.hpp"
#include "host/guarded_trial.hpp"
#include "host/probe.hpp"
#include "host/probe_doctor.hpp"
#include "host/program_answers.hpp"
#include "plan/launch_plan.hpp"
#include "plan/trial_args.hpp"
#include "run/runtime_folder.hpp"

#include <fmt/format.h>

#include <filesystem>
#include <iterator>
#include <unistd.h>
#include <utility>

namespace vmr {
namespace {

constexpr std::chrono::seconds time_to_connect{1};

/// Starts the machine under each accelerator that `run` would try, with the user's own arguments;
/// without them too when QEMU refuses it, so that the right one is blamed.
void try_attempts(const ResolvedVm& vm, QemuFacts& facts) {
  for (const auto& attempt : make_plan(vm.spec, vm.host).attempts) {
    const bool is_kvm = attempt.accelerator == Accelerator::kvm;
    auto& problem = is_kvm ? facts.kvm_problem : facts.machine_problem;
    const auto trial = trial_arguments(attempt);
    auto arguments = trial.ours;
    arguments.insert(arguments.end(), trial.users.begin(), trial.users.end());
    problem = try_machine(vm.host.qemu, arguments);
    if (problem.empty() || trial.users.empty()) continue;
    auto& refusal = is_kvm ? facts.kvm_refusal : facts.refusal;
    refusal = std::exchange(problem, try_machine(vm.host.qemu, trial.ours));
    if (!problem.empty()) refusal.clear();
  }
}

/// Tries the user's own arguments that reach outside in a QEMU that cannot. Under TCG: KVM's device
/// is outside too.
void try_untried(const ResolvedVm& vm, QemuFacts& facts) {
  const auto attempt = make_plan(vm.spec, vm.host).attempts.back();
  if (attempt.accelerator != Accelerator::tcg || !facts.machine_problem.empty() ||
      !facts.refusal.empty())
    return;
  const auto trial = trial_arguments(attempt);
  for (const auto& words : trial.guarded) {
    auto arguments = trial.ours;
    arguments.insert(arguments.end(), words.begin(), words.end());
    const auto result = try_guarded(vm.host.qemu, arguments);
    if (result.end == GuardedTrial::End::refused) {
      facts.untried_refusal = result.words;
      return;
    }
    if (result.end == GuardedTrial::End::started && trial.guards_all) {
      facts.takes_untried = true;
      return;
    }
  }
}

/// Tries KVM with any machine, where `run` would not or cannot try it with its own.
void try_any_kvm(const ResolvedVm& vm, QemuFacts& facts) {
  const auto wanted = vm.config.arch.value;
  const bool native = wanted == Architecture::automatic || wanted == vm.host.architecture;
  if (!native || vm.host.kvm.state != KvmFacts::State::opens) return;
  const bool is_arm = vm.host.architecture == Architecture::aarch64;
  facts.kvm_problem = try_kvm(vm.host.qemu, is_arm ? "virt" : "q35", "host");
}

void try_qemu(const ExaminedVm& examined, QemuFacts& facts) {
  const auto& vm = examined.vm;
  const bool is_valid = examined.problems.empty();
  if (is_valid) try_attempts(vm, facts);
  if (is_valid) try_untried(vm, facts);
  if (!is_valid || vm.spec.accelerators.front() != Accelerator::kvm) try_any_kvm(vm, facts);
}

/// The disk that QEMU would open: the persistent one once it is there. What is behind it is asked
/// about by the names that the rules let it have, never by its header.
ImageFacts probe_disk(const Disk& disk, const Host& host) {
  std::error_code ignored;
  const bool is_kept =
      !disk.persistent.empty() && std::filesystem::exists(disk.persistent, ignored);
  std::vector<DiskImage> images;
  if (is_kept) images.push_back({disk.persistent, "qcow2"});
  if (!is_kept || !disk.is_copy) {
    images.push_back({disk.image, disk.format});
    images.insert(images.end(), disk.behind.begin(), disk.behind.end());
  }
  auto facts = probe_image(images.front().path, images.front().format);
  for (auto image = std::next(images.begin()); image != images.end(); ++image) {
    if (!facts.problem.empty()) return facts;
    auto behind = probe_image(image->path, image->format);
    facts.chain.insert(facts.chain.end(), behind.chain.begin(), behind.chain.end());
    facts.problem = std::move(behind.problem);
    if (facts.lock.empty()) facts.lock = std::move(behind.lock);
  }
  // What the rules refuse is not among them.
  const auto& last = facts_of(images.back().path, host);
  const bool is_whole =
      images.back().format == "raw" || (last.backing.empty() && !last.opens_unknown);
  if (facts.asked && facts.problem.empty() && !is_whole) {
    facts.problem = last.backing.empty()
                        ? "its header names what is not opened"
                        : fmt::format("'{}' behind it cannot be used", last.backing);
  }
  return facts;
}

std::map<std::string, FolderFacts> probe_folders(const ResolvedVm& vm) {
  std::vector<std::string> paths = {vm.host.temporary_folder, vm.host.runtime_folder};
  if (vm.spec.disk && !vm.spec.disk->persistent.empty()) {
    paths.push_back(std::filesystem::path(vm.spec.disk->persistent).parent_path().string());
  }
  for (const auto& share : vm.spec.shares) {
    if (!share.source.empty()) paths.push_back(share.source);
  }
  std::map<std::string, FolderFacts> folders;
  for (const auto& path : paths) folders.emplace(path, probe_folder(path));
  return folders;
}

/// Of the VM that answers at `address`; none when it does not any more.
std::vector<ProcessSecurity> find_processes(const ControlAddress& address) {
  try {
    return read_processes(ask_launcher(address, {{"request", "status"}, {"wait", false}}).result);
  } catch (const Error&) {
    return {};
  }
}

DoctorFacts probe_facts(const ExaminedVm& examined) {
  const auto& vm = examined.vm;
  DoctorFacts facts;
  facts.surroundings = vm.host.surroundings;
  facts.cpu = probe_cpu(vm.host.kvm.state == KvmFacts::State::opens);
  if (!vm.host.qemu.empty()) {
    facts.qemu = probe_qemu(vm.host.qemu);
    try_qemu(examined, facts.qemu);
  }
  if (vm.host.virtiofsd) facts.virtiofsd_version = probe_virtiofsd_version(vm.host.virtiofsd->path);
  facts.process = probe_process();
  if (vm.spec.disk) facts.image = probe_disk(*vm.spec.disk, vm.host);
  const auto control = control_socket_of(vm.config.guest_name.value, vm.host);
  facts.is_running = static_cast<bool>(connect_within(control, time_to_connect));
  if (facts.is_running) facts.processes = find_processes({vm.config.guest_name.value, control});
  facts.folders = probe_folders(vm);
  const auto folder = std::filesystem::path(control).parent_path().string();
  facts.runtime_problem = find_folder_problem(folder, vm.config.guest_name.value);
  return facts;
}

}  // namespace

ExitStatus command_doctor(const Arguments& arguments, const std::vector<std::string>& environment) {
  // What virtiofsd said when its libraries were all there counts no more.
  ProgramAnswers(find_home()).forget();
  auto examined = examine_vm(arguments, environment);
  auto& host = examined.vm.host;
  // All of it, whatever this configuration needs.
  probe_virtiofsd(host);
  const auto report = make_report(examined, probe_facts(examined));
  const bool in_colour = ::isatty(STDOUT_FILENO) == 1 && vmr::environment("NO_COLOR").empty();
  const auto text =
      arguments.format == Format::json ? report_json(report) : report_table(report, in_colour);
  print_output(text);
  return report.status;
}

}  // namespace vmr
