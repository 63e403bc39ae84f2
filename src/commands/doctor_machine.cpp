// SPDX-License-Identifier: MIT
#include "base/shell_words.hpp"
#include "commands/doctor_areas.hpp"
#include "commands/doctor_fixes.hpp"
#include "plan/trial_args.hpp"

#include <fmt/ranges.h>

#include <algorithm>

namespace vmr {
namespace {

constexpr const char* machine = "machine";
constexpr const char* qemu = "QEMU";

void report_place(const DoctorView& view, DoctorFindings& findings) {
  const auto& host = view.vm.host;
  const std::string user = host.uid == 0 ? "root" : fmt::format("user {}:{}", host.uid, host.gid);
  findings.add(machine, "place", CheckResult::note,
               fmt::format("{}, {}, as {}{}", name_of(view.facts.surroundings),
                           word_for(host.architecture), user, host.is_pid_1 ? ", PID 1" : ""));
}

void report_cpu(const DoctorView& view, DoctorFindings& findings) {
  const auto& cpu = view.facts.cpu;
  auto text = fmt::format("{}, {} to use", cpu.model.empty() ? "a CPU without a name" : cpu.model,
                          cpu.count);
  if (view.vm.host.architecture == Architecture::x86_64) {
    text += cpu.virtualization.empty() ? "; no virtualization (vmx, svm)"
                                       : "; virtualization: " + cpu.virtualization;
  }
  findings.add(machine, "CPU", CheckResult::note, text);
}

/// What QEMU said, without its name before it.
std::string without_program(const std::string& words) {
  const auto end = words.find(": ");
  return words.starts_with("qemu-system-") && end != words.npos ? words.substr(end + 2) : words;
}

/// Why KVM, whose device opens, does not work; empty: it does.
std::string broken_kvm(const DoctorFacts& facts) {
  if (!facts.cpu.vcpu_problem.empty()) {
    return "/dev/kvm opens, but no vCPU runs: " + facts.cpu.vcpu_problem;
  }
  if (!facts.qemu.kvm_problem.empty()) {
    return "a vCPU runs, but QEMU does not start under KVM: " +
           without_program(facts.qemu.kvm_problem);
  }
  return {};
}

/// KVM's device opens, and this VM may use it.
void report_open_kvm(const DoctorView& view, DoctorFindings& findings) {
  const auto& config = view.vm.config;
  const auto broken = broken_kvm(view.facts);
  if (broken.empty()) {
    findings.add(machine, "KVM", CheckResult::ok,
                 view.facts.cpu.vcpu_is_only_made ? "/dev/kvm opens, and a vCPU was made"
                                                  : "/dev/kvm opens, and a vCPU ran");
    return;
  }
  const auto fix = fix_for_broken_kvm(view.facts.surroundings);
  if (must_use_kvm(config)) {
    const bool by_accel = config.accel.value == Accelerator::kvm;
    const auto& origin = by_accel ? config.accel.origin : config.require_kvm.origin;
    const auto setting = by_accel ? "ACCEL='kvm'" : "REQUIRE_KVM='1'";
    findings.fail(machine, "KVM",
                  {fmt::format("{}: {}", setting, broken), describe(origin), fix,
                   ExitStatus::host_unsupported});
  } else {
    findings.add(machine, "KVM", CheckResult::warn,
                 broken + "; the guest runs under TCG, many times slower", fix);
  }
}

void report_kvm(const DoctorView& view, DoctorFindings& findings) {
  const auto& host = view.vm.host;
  const bool opens = host.kvm.state == KvmFacts::State::opens;
  if (!may_use_kvm(view.vm)) {
    const auto state = !opens ? host.kvm.reason : broken_kvm(view.facts);
    const std::string reason = view.vm.config.accel.value == Accelerator::tcg
                                   ? "ACCEL='tcg'"
                                   : "the guest is of another architecture";
    findings.add(machine, "KVM", CheckResult::note,
                 fmt::format("not used: {}; here {}", reason, state.empty() ? "it works" : state));
  } else if (opens) {
    report_open_kvm(view, findings);
  } else if (!must_use_kvm(view.vm.config)) {  // which the configuration's own problem tells
    findings.add(machine, "KVM", CheckResult::warn,
                 host.kvm.reason + "; the guest runs under TCG, many times slower",
                 fix_for_kvm_device(host.kvm, view.facts, host.uid));
  }
}

/// "yes", "no", "unknown".
std::string_view word_of(const std::optional<bool>& fact) {
  return !fact ? "unknown" : *fact ? "yes" : "no";
}

void report_devices(const DoctorView& view, DoctorFindings& findings) {
  const auto& facts = view.facts.qemu;
  const auto& shares = view.vm.spec.shares;
  const auto needs = [&](Driver driver) {
    return std::any_of(shares.begin(), shares.end(),
                       [&](const Share& share) { return share.driver == driver; });
  };
  const auto text = fmt::format("vhost-user-fs-pci (virtiofs): {}, virtio-9p-pci (9p): {}",
                                word_of(facts.has_virtiofs), word_of(facts.has_ninep));
  const bool lacks_virtiofs = !facts.has_virtiofs.value_or(true);
  const bool lacks_ninep = !facts.has_ninep.value_or(true);
  const bool lacks_needed =
      (lacks_virtiofs && needs(Driver::virtiofs)) || (lacks_ninep && needs(Driver::ninep));
  const std::string fix = "use a QEMU with this device (Debian's has both)";
  if (lacks_needed) {
    findings.fail(
        qemu, "share devices",
        {"this QEMU lacks a device that a share needs: " + text, "", fix, ExitStatus::failed});
    return;
  }
  const bool all = facts.has_virtiofs.value_or(false) && facts.has_ninep.value_or(false);
  findings.add(qemu, "share devices", all ? CheckResult::ok : CheckResult::note, text,
               lacks_virtiofs || lacks_ninep ? fix : "");
}

/// The machine as `run` would start it, tried without disks and shares.
void report_start(const DoctorView& view, DoctorFindings& findings) {
  const auto& spec = view.vm.spec;
  const auto& facts = view.facts.qemu;
  if (!view.is_valid) return;
  const auto name = fmt::format("'{}', {} CPU{}, {} MiB", spec.machine, spec.cpus,
                                spec.cpus == 1 ? "" : "s", spec.memory_mib);
  const bool needs_tcg = spec.accelerators.back() == Accelerator::tcg;
  if (needs_tcg && !facts.machine_problem.empty()) {
    findings.fail(qemu, "start",
                  {fmt::format("QEMU does not start the machine {}: {}", name,
                               without_program(facts.machine_problem)),
                   "",
                   fmt::format("change MACHINE, CPU_MODEL, CPUS or MEMORY ({0} -machine help and "
                               "{0} -cpu help list what there is)",
                               view.vm.host.qemu),
                   ExitStatus::failed});
  } else if (needs_tcg || broken_kvm(view.facts).empty()) {
    findings.add(
        qemu, "start", CheckResult::ok,
        fmt::format("the machine {} starts under {}", name,
                    broken_kvm(view.facts).empty() ? word_for(spec.accelerators.front()) : "tcg"));
  }
}

/// Whether QEMU starts under `accelerator`, with the user's own arguments too.
bool starts_under(Accelerator accelerator, const DoctorFacts& facts) {
  const auto& qemu_facts = facts.qemu;
  return accelerator == Accelerator::kvm
             ? broken_kvm(facts).empty() && qemu_facts.kvm_refusal.empty()
             : qemu_facts.machine_problem.empty() && qemu_facts.refusal.empty();
}

std::string fix_of_arguments(const DoctorView& view) {
  return fmt::format("correct EXTRA_ARGS, or what is behind -- ({} -help lists what there is)",
                     view.vm.host.qemu);
}

/// The user's own arguments that were tried: `trial`, with `behind` said of the others.
void report_tried(const DoctorView& view, const TrialArguments& trial, const std::string& behind,
                  DoctorFindings& findings) {
  constexpr const char* name = "own arguments";
  const auto& facts = view.facts.qemu;
  const auto& accelerators = view.vm.spec.accelerators;
  const bool starts =
      std::any_of(accelerators.begin(), accelerators.end(),
                  [&](Accelerator accelerator) { return starts_under(accelerator, view.facts); });
  const auto& refusal = facts.refusal.empty() ? facts.kvm_refusal : facts.refusal;
  const auto words = shell_join(trial.users);
  if (refusal.empty()) {
    // Of a machine that starts in no way the other checks tell.
    if (!starts) return;
    findings.add(qemu, name, behind.empty() ? CheckResult::ok : CheckResult::note,
                 fmt::format("QEMU starts with {}{}", words, behind));
    return;
  }
  const auto refused =
      fmt::format("QEMU does not start with {}: {}{}", words, without_program(refusal), behind);
  const auto fix = fix_of_arguments(view);
  if (starts) {
    const auto* other = facts.refusal.empty() ? "; under TCG it does" : "; under KVM it does";
    findings.add(qemu, name, CheckResult::warn, refused + other, fix);
  } else {
    findings.fail(qemu, name, {refused, "", fix, ExitStatus::failed});
  }
}

/// What is said of the user's own arguments that reach outside; empty: there are none.
std::string text_of_untried(const QemuFacts& facts, const std::vector<std::string>& untried) {
  if (untried.empty()) return {};
  const auto words = fmt::format("{}", fmt::join(untried, " "));
  if (facts.takes_untried) {
    return fmt::format("QEMU takes {}; whether it can open what that names was not tried", words);
  }
  return fmt::format("not tried, as they or what they name reach outside QEMU: {}", words);
}

/// The user's own arguments, as far as QEMU was tried with them.
void report_own_arguments(const DoctorView& view, DoctorFindings& findings) {
  if (!view.is_valid) return;
  const auto& facts = view.facts.qemu;
  const auto plan = make_plan(view.vm.spec, view.vm.host);
  const auto trial = trial_arguments(plan.attempts.front());
  if (!facts.untried_refusal.empty()) {
    findings.fail(qemu, "own arguments",
                  {fmt::format("QEMU does not start with {}: {}", fmt::join(trial.untried, " "),
                               without_program(facts.untried_refusal)),
                   "", fix_of_arguments(view), ExitStatus::failed});
    return;
  }
  findings.untried = trial.untried;
  findings.takes_untried = facts.takes_untried;
  const auto untried = text_of_untried(facts, trial.untried);
  if (!trial.users.empty()) {
    report_tried(view, trial, untried.empty() ? "" : "; " + untried, findings);
  } else if (!untried.empty()) {
    findings.add(qemu, "own arguments", CheckResult::note, untried);
  }
}

}  // namespace

bool must_use_kvm(const Config& config) {
  return config.require_kvm.value || config.accel.value == Accelerator::kvm;
}

bool may_use_kvm(const ResolvedVm& vm) {
  const auto wanted = vm.config.arch.value;
  const bool native = wanted == Architecture::automatic || wanted == vm.host.architecture;
  return must_use_kvm(vm.config) || (native && vm.config.accel.value != Accelerator::tcg);
}

void report_machine(const DoctorView& view, DoctorFindings& findings) {
  report_place(view, findings);
  report_cpu(view, findings);
  report_kvm(view, findings);
}

void report_qemu(const DoctorView& view, DoctorFindings& findings) {
  const auto& facts = view.facts.qemu;
  if (view.vm.host.qemu.empty()) return;  // which the configuration's own problem tells
  const bool has_version = !facts.version.empty();
  findings.add(
      qemu, "program", has_version ? CheckResult::ok : CheckResult::note,
      fmt::format("{}, version {}", view.vm.host.qemu, has_version ? facts.version : "unknown"));
  findings.add(qemu, "accelerators",
               facts.accelerators.empty() ? CheckResult::note : CheckResult::ok,
               facts.accelerators.empty() ? "unknown"
                                          : fmt::format("{}", fmt::join(facts.accelerators, ", ")));
  report_devices(view, findings);
  report_start(view, findings);
  report_own_arguments(view, findings);
}

}  // namespace vmr
