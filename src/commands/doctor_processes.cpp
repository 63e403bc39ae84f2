// SPDX-License-Identifier: MIT
#include "commands/doctor_areas.hpp"
#include "commands/security_table.hpp"
#include "plan/confine_plan.hpp"
#include "plan/landlock_words.hpp"

#include <fmt/format.h>

namespace vmr {

void report_processes(const DoctorView& view, DoctorFindings& findings) {
  constexpr const char* area = "processes";
  for (const auto& process : view.facts.processes) {
    findings.add(area, process.name, CheckResult::ok, describe(process));
  }
  if (!view.facts.processes.empty() || !view.is_valid || view.vm.host.qemu.empty()) return;
  const auto plan = make_plan(view.vm.spec, view.vm.host);
  const auto& qemu = plan.attempts.front();
  const bool is_confined = qemu.process.confinement != Confinement{};
  findings.add(area, "user", is_confined ? CheckResult::ok : CheckResult::warn,
               describe_qemu_user(view.vm.spec, view.vm.host, qemu));
  const int landlock = view.vm.host.landlock;
  const bool is_held = !landlock_holds(qemu.process.confinement, landlock).empty();
  findings.add(
      area, "Landlock", is_held && holds_everything(landlock) ? CheckResult::ok : CheckResult::note,
      landlock > 0 ? describe_landlock(plan)
                   : "the kernel has none, or something forbids it: file modes and virtiofsd's "
                     "sandbox are what keeps QEMU and virtiofsd to their own files");
}

}  // namespace vmr
