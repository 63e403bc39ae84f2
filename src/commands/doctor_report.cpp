// SPDX-License-Identifier: MIT
#include "commands/doctor_report.hpp"

#include "commands/doctor_areas.hpp"
#include "commands/doctor_fixes.hpp"

#include <algorithm>
#include <array>
#include <utility>

namespace vmr {
namespace {

constexpr std::array<std::string_view, 10> areas = {
    "machine", "QEMU",  "virtiofsd", "privileges", "limits",
    "ports",   "guest", "shares",    "processes",  "settings"};

/// The variable that `text` starts with, if it does: "FILESYSTEM2_SOURCE".
std::string variable_in(const std::string& text) {
  return text.substr(0, text.find_first_not_of("ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_"));
}

/// Where a problem or warning is shown: with what it is about.
std::string area_of(const std::string& message, const Host& host) {
  const auto variable = variable_in(message);
  const auto is_one_of = [&](std::initializer_list<std::string_view> names) {
    return std::find(names.begin(), names.end(), variable) != names.end();
  };
  if (!host.qemu_problem.empty() && message == host.qemu_problem) return "QEMU";
  if (variable.starts_with("FILESYSTEM") || message.starts_with("Filesystem #")) return "shares";
  if (is_one_of({"ACCEL", "REQUIRE_KVM"})) return "machine";
  if (is_one_of({"MACHINE", "CPU_MODEL", "ARCH"})) return "QEMU";
  if (is_one_of({"SSH_PORT"}) || message.starts_with("port ")) return "ports";
  if (is_one_of({"BASE_IMAGE", "BACKING_DIR", "KERNEL", "INITRD", "CMDLINE", "PERSIST",
                 "PERSIST_BASE", "DATA_DIR", "GUEST_NAME"}) ||
      message.starts_with("there is no ") || message.starts_with("the guest ") ||
      message.starts_with("QEMU keeps the changes")) {
    return "guest";
  }
  return "settings";
}

/// Whether a check of ours says the same, with more.
bool is_said_elsewhere(const std::string& warning) {
  constexpr std::array<std::string_view, 3> starts = {
      "KVM cannot be used: ", "no guest: ", "virtiofsd runs without a sandbox"};
  return std::any_of(starts.begin(), starts.end(),
                     [&](auto start) { return warning.starts_with(start); });
}

std::string evidence_of(const Problem& problem) {
  return problem.origin.empty() ? problem.message : problem.message + "; from " + problem.origin;
}

/// What keeps `run` from working though the settings are right, as it sees it first.
std::vector<Problem> problems_of_start(const ResolvedVm& vm) {
  auto problems = start_problems(vm);
  // Without a readable image there is no guest; that is one problem, not two.
  if (!vm.host.guest_problem.empty() || !vm.host.guest_toml_problems.empty()) {
    std::erase_if(problems, [](const Problem& problem) {
      return problem.message.starts_with("there is no guest");
    });
  }
  return problems;
}

/// The hint of a problem, or what helps exactly here.
std::string fix_of(const Problem& problem, const DoctorView& view) {
  const bool is_closed_kvm = problem.message.find("KVM cannot be used: ") != std::string::npos;
  const auto& host = view.vm.host;
  return is_closed_kvm ? fix_for_kvm_device(host.kvm, view.facts, host.uid) : problem.hint;
}

void add_settings(const std::vector<Problem>& problems, const DoctorView& view,
                  DoctorFindings& findings) {
  for (const auto& problem : problems) {
    findings.add(area_of(problem.message, view.vm.host), "setting", CheckResult::fail,
                 evidence_of(problem), fix_of(problem, view));
  }
}

/// Brings the areas into their order; within an area nothing moves.
void sort_by_area(std::vector<Check>& checks) {
  const auto rank = [](const Check& check) {
    return std::find(areas.begin(), areas.end(), check.area);
  };
  std::stable_sort(checks.begin(), checks.end(),
                   [&](const Check& a, const Check& b) { return rank(a) < rank(b); });
}

}  // namespace

void DoctorFindings::fail(std::string area, std::string name, Problem problem) {
  add(std::move(area), std::move(name), CheckResult::fail, evidence_of(problem), problem.hint);
  problems.push_back(std::move(problem));
}

Report make_report(const ExaminedVm& examined, const DoctorFacts& facts) {
  const auto& vm = examined.vm;
  const DoctorView view{vm, facts, examined.problems.empty()};
  DoctorFindings findings;
  for (const auto report :
       {report_machine, report_qemu, report_virtiofsd, report_privileges, report_limits,
        report_ports, report_guest, report_shares, report_processes}) {
    report(view, findings);
  }
  const auto at_start = problems_of_start(vm);
  add_settings(examined.problems, view, findings);
  add_settings(at_start, view, findings);
  for (const auto& [text, is_refused] : examined.collisions) {
    if (is_refused) {
      findings.fail("settings", "setting", {text, "", "", ExitStatus::failed});
    } else {
      findings.add("settings", "setting", CheckResult::warn, text);
    }
  }
  for (const auto& warning : examined.warnings) {
    if (is_said_elsewhere(warning)) continue;
    findings.add(area_of(warning, vm.host), "setting", CheckResult::warn, warning);
  }
  sort_by_area(findings.checks);
  // `run` ends with the first of these that has any.
  Report report{ExitStatus::ok, std::move(findings.checks), std::move(findings.untried),
                findings.takes_untried};
  for (const std::vector<Problem>* problems :
       {&examined.problems, &at_start, &std::as_const(findings.problems)}) {
    if (problems->empty()) continue;
    report.status = exit_status_of(*problems);
    break;
  }
  return report;
}

}  // namespace vmr
