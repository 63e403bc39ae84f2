// SPDX-License-Identifier: MIT
#include "commands/doctor_areas.hpp"
#include "commands/security_table.hpp"
#include "plan/confine_plan.hpp"

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
               describe_qemu_user(view.vm.spec, qemu));
  findings.add(area, "Landlock", view.vm.host.landlock > 0 ? CheckResult::ok : CheckResult::note,
               view.vm.host.landlock > 0
                   ? fmt::format("version {}: QEMU, and virtiofsd in its sandboxes 'chroot' and "
                                 "'none', see only their own files",
                                 view.vm.host.landlock)
                   : "the kernel has none, or something forbids it: file modes and virtiofsd's "
                     "sandbox are what keeps QEMU and virtiofsd to their own files");
}

}  // namespace vmr
