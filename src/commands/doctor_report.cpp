// SPDX-License-Identifier: MIT
#include "commands/doctor_report.hpp"

#include "commands/doctor_areas.hpp"

#include <algorithm>
#include <array>
#include <utility>

namespace vmr {
namespace {

constexpr std::array<std::string_view, 9> areas = {
    "machine", "QEMU", "virtiofsd", "privileges", "limits", "ports", "guest", "shares", "settings"};

/// The variable that `text` starts with, without the number of a share: "FILESYSTEM_SOURCE".
std::string variable_in(const std::string& text) {
  std::string name =
      text.substr(0, text.find_first_not_of("ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_"));
  return name.find('_') == name.npos && name.size() < 3 ? std::string() : name;
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
  if (is_one_of({"SSH_PORT"})) return "ports";
  if (is_one_of(
          {"BASE_IMAGE", "KERNEL", "INITRD", "CMDLINE", "PERSIST", "DATA_DIR", "GUEST_NAME"}) ||
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

}  // namespace

void DoctorFindings::fail(std::string area, std::string name, Problem problem) {
  add(std::move(area), std::move(name), CheckResult::fail, evidence_of(problem), problem.hint);
  problems.push_back(std::move(problem));
}

Report make_report(const ExaminedVm& examined, const DoctorFacts& facts) {
  const auto& vm = examined.vm;
  const DoctorView view{vm, facts, examined.problems.empty()};
  DoctorFindings findings;
  for (const auto report : {report_machine, report_qemu, report_virtiofsd, report_privileges,
                            report_limits, report_ports, report_guest, report_shares}) {
    report(view, findings);
  }
  // `run` meets these before it meets what only we have found.
  auto found_here = std::exchange(findings.problems, {});
  auto problems = examined.problems;
  // Without a readable image there is no guest; that is one problem, not two.
  const bool guest_is_refused = !vm.host.guest_problem.empty();
  for (auto& problem : start_problems(vm)) {
    const bool about_guest = problem.message.starts_with("there is no guest");
    if (!(about_guest && guest_is_refused)) problems.push_back(std::move(problem));
  }
  for (auto& problem : problems) {
    auto area = area_of(problem.message, vm.host);
    findings.fail(std::move(area), "setting", std::move(problem));
  }
  for (const auto& warning : examined.warnings) {
    if (is_said_elsewhere(warning)) continue;
    findings.add(area_of(warning, vm.host), "setting", CheckResult::warn, warning);
  }
  for (auto& problem : found_here) findings.problems.push_back(std::move(problem));
  const auto rank = [](const Check& check) {
    return std::find(areas.begin(), areas.end(), check.area);
  };
  std::stable_sort(findings.checks.begin(), findings.checks.end(),
                   [&](const Check& a, const Check& b) { return rank(a) < rank(b); });
  const auto status =
      findings.problems.empty() ? ExitStatus::ok : exit_status_of(findings.problems);
  return {status, std::move(findings.checks)};
}

}  // namespace vmr
