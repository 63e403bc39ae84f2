// SPDX-License-Identifier: MIT
// The areas of a report, one function each.
#pragma once

#include "commands/doctor_report.hpp"

#include <string>
#include <utility>
#include <vector>

namespace vmr {

/// Collects what the areas find.
struct DoctorFindings {
  std::vector<Check> checks;
  std::vector<Problem> problems;     ///< what `run` would end with
  std::vector<std::string> untried;  ///< QEMU arguments that nobody tried
  bool takes_untried = false;        ///< as in Report

  void add(std::string area, std::string name, CheckResult result, std::string evidence,
           std::string fix = {}) {
    checks.push_back(
        {std::move(area), std::move(name), result, std::move(evidence), std::move(fix)});
  }
  /// Adds what keeps `run` from working, though nothing is wrong with the settings.
  void fail(std::string area, std::string name, Problem problem);
};

/// What the areas look at.
struct DoctorView {
  const ResolvedVm& vm;
  const DoctorFacts& facts;
  bool is_valid = true;  ///< the configuration has no problem, so that all of the spec counts
};

void report_machine(const DoctorView& view, DoctorFindings& findings);
void report_qemu(const DoctorView& view, DoctorFindings& findings);
void report_virtiofsd(const DoctorView& view, DoctorFindings& findings);
void report_privileges(const DoctorView& view, DoctorFindings& findings);
void report_limits(const DoctorView& view, DoctorFindings& findings);
void report_ports(const DoctorView& view, DoctorFindings& findings);
void report_guest(const DoctorView& view, DoctorFindings& findings);
void report_shares(const DoctorView& view, DoctorFindings& findings);
void report_processes(const DoctorView& view, DoctorFindings& findings);

/// Whether KVM is what this VM must have, or will try.
bool must_use_kvm(const Config& config);
bool may_use_kvm(const ResolvedVm& vm);

/// Whether a share is, or will be, served by virtiofsd.
bool uses_virtiofs(const ResolvedVm& vm);

/// "12.5 GiB", "300 MiB".
std::string size_text(std::uint64_t mebibytes);

}  // namespace vmr
