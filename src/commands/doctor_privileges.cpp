// SPDX-License-Identifier: MIT
#include "commands/doctor_areas.hpp"
#include "commands/doctor_fixes.hpp"
#include "config/load.hpp"
#include "spec/virtiofs.hpp"

#include <fmt/ranges.h>

#include <algorithm>

namespace vmr {
namespace {

constexpr const char* virtiofsd = "virtiofsd";
constexpr const char* privileges = "privileges";

/// A share of which nothing is asked.
ShareConfig plain_share() {
  LoadedConfig loaded = load_config({}, {"FILESYSTEM_SOURCE=/"}, {});
  return loaded.config.shares.front();
}

std::string_view yes_or_no(bool fact) {
  return fact ? "yes" : "no";
}

void report_abilities(const VirtiofsdFacts& facts, DoctorFindings& findings) {
  const bool all = facts.has_readonly && facts.has_translation && facts.has_sandbox_none;
  const bool is_c = facts.family == VirtiofsdFacts::Family::c;
  findings.add(virtiofsd, "abilities", all ? CheckResult::ok : CheckResult::note,
               fmt::format("READONLY: {}, OWNER: {}, SANDBOX=none: {}, file handles: {}",
                           yes_or_no(facts.has_readonly), yes_or_no(facts.has_translation),
                           yes_or_no(facts.has_sandbox_none), yes_or_no(facts.has_file_handles)),
               all ? ""
               : is_c
                   ? "a virtiofsd written in Rust, 1.13 or later, has them (Debian 13: virtiofsd)"
                   : "virtiofsd 1.13 or later has them");
}

/// The sandbox that a share gets which does not ask for one.
void report_sandbox(const DoctorView& view, DoctorFindings& findings) {
  const auto& host = view.vm.host;
  const auto sandbox = choose_sandbox(plain_share(), host);
  if (sandbox == Sandbox::name_space) {
    findings.add(virtiofsd, "sandbox", CheckResult::ok, "'namespace', the strongest");
  } else if (sandbox == Sandbox::chroot) {
    findings.add(virtiofsd, "sandbox", CheckResult::ok, "'chroot', the strongest that works here",
                 "for 'namespace', which needs the right to mount: " +
                     fix_for_namespaces(view.facts.surroundings));
  } else if (host.virtiofsd->has_sandbox_none) {
    findings.add(virtiofsd, "sandbox",
                 uses_virtiofs(view.vm) ? CheckResult::warn : CheckResult::note,
                 "none works here: a symbolic link may lead the guest out of the source",
                 host.uid == 0 ? run_flags(view.facts.surroundings, "--cap-add SYS_CHROOT",
                                           "securityContext: capabilities: add: [SYS_CHROOT]")
                               : fix_for_user_namespaces(view.facts.surroundings,
                                                         view.facts.process.user_namespaces_off));
  }
}

/// What would refuse a virtiofs share, where there is none that it has refused.
void report_refusals(const DoctorView& view, DoctorFindings& findings) {
  Findings refusals;
  check_virtiofsd(plain_share(), "", view.vm.host, refusals);
  for (const auto& problem : refusals.problems) {
    const auto reason = problem.message.find(": ");
    findings.add(virtiofsd, "a share", CheckResult::note,
                 "would be refused: " + problem.message.substr(reason + 2), problem.hint);
  }
}

/// Those in effect, by the shorter of the two lists.
std::string list_capabilities(const ProcessFacts& process) {
  const auto& have = process.capabilities;
  const auto& lack = process.no_capabilities;
  if (have.empty()) return "none";
  if (lack.empty()) return "all";
  return have.size() <= lack.size() ? fmt::format("{}", fmt::join(have, ", "))
                                    : fmt::format("all but {}", fmt::join(lack, ", "));
}

void report_capabilities(const DoctorView& view, DoctorFindings& findings) {
  const auto& missing = view.vm.host.missing_capabilities;
  const auto added = capabilities_to_add(view.vm.host);
  const auto in_effect = list_capabilities(view.facts.process);
  if (view.vm.host.uid != 0) {
    findings.add(privileges, "capabilities", CheckResult::ok,
                 in_effect + "; an ordinary user needs none");
  } else if (missing.empty()) {
    findings.add(privileges, "capabilities", CheckResult::ok,
                 "what virtiofsd needs is there; in effect: " + in_effect);
  } else {
    const bool needed = uses_virtiofs(view.vm);
    findings.add(
        privileges, "capabilities", needed ? CheckResult::warn : CheckResult::note,
        fmt::format("virtiofsd lacks {}; in effect: {}", fmt::join(missing, ", "), in_effect),
        run_flags(view.facts.surroundings,
                  fmt::format("--cap-add {}", fmt::join(added, " --cap-add ")),
                  fmt::format("securityContext: capabilities: add: [{}]", fmt::join(added, ", "))));
  }
}

/// Whether virtiofsd, as far as we know it, calls unshare(CLONE_FS).
bool needs_unshare(const ResolvedVm& vm) {
  const bool is_rust =
      vm.host.virtiofsd && vm.host.virtiofsd->family == VirtiofsdFacts::Family::rust;
  return !is_rust || std::any_of(vm.spec.shares.begin(), vm.spec.shares.end(),
                                 [](const Share& share) { return share.thread_pool_size > 0; });
}

/// Which system calls of virtiofsd's are allowed, each tried.
void report_calls(const DoctorView& view, DoctorFindings& findings) {
  const auto& can = view.vm.host.abilities;
  const auto& process = view.facts.process;
  const auto word = [](bool allowed) { return allowed ? "allowed" : "refused"; };
  const bool filtered = process.seccomp_mode != 0;
  const auto text = fmt::format(
      "{}{}; tried: unshare(CLONE_FS) {}, chroot {}, pivot_root in new namespaces {}, "
      "open_by_handle_at {}",
      filtered ? "a filter" : "no filter", process.no_new_privileges ? ", no-new-privileges" : "",
      word(can.unshare_fs), word(can.chroot), word(can.sys_admin), word(can.dac_read_search));
  const bool matters = !can.unshare_fs && needs_unshare(view.vm);
  findings.add(privileges, "seccomp", can.unshare_fs ? CheckResult::ok : CheckResult::note, text,
               matters ? "for unshare(CLONE_FS), which a C virtiofsd and THREAD_POOL_SIZE need: " +
                             fix_for_unshare(view.facts.surroundings)
                       : "");
}

void report_user_namespaces(const DoctorView& view, DoctorFindings& findings) {
  const auto& host = view.vm.host;
  const auto& sysctl = view.facts.process.user_namespaces_off;
  const std::string reason = sysctl.empty() ? "" : fmt::format(" ({} is set so)", sysctl);
  if (host.abilities.user_namespace) {
    findings.add(privileges, "user namespaces", CheckResult::ok,
                 "one was made, with a sandbox in it");
  } else if (host.uid == 0) {
    findings.add(privileges, "user namespaces", CheckResult::note,
                 "refused" + reason + "; root needs none");
  } else {
    // The fix is with the sandbox, where there is a virtiofsd to have one.
    findings.add(privileges, "user namespaces", CheckResult::note,
                 "refused" + reason + ", or /proc is masked",
                 host.virtiofsd ? "" : fix_for_user_namespaces(view.facts.surroundings, sysctl));
  }
}

}  // namespace

bool uses_virtiofs(const ResolvedVm& vm) {
  return std::any_of(vm.spec.shares.begin(), vm.spec.shares.end(),
                     [](const Share& share) { return share.driver == Driver::virtiofs; });
}

void report_virtiofsd(const DoctorView& view, DoctorFindings& findings) {
  const auto& found = view.vm.host.virtiofsd;
  if (found) {
    const bool is_c = found->family == VirtiofsdFacts::Family::c;
    const auto& version = view.facts.virtiofsd_version;
    findings.add(virtiofsd, "program", version.empty() ? CheckResult::note : CheckResult::ok,
                 fmt::format("{}, version {}, the one written in {}", found->path,
                             version.empty() ? "unknown" : version, is_c ? "C" : "Rust"));
    report_abilities(*found, findings);
    report_sandbox(view, findings);
  }
  if (!uses_virtiofs(view.vm)) report_refusals(view, findings);
}

void report_privileges(const DoctorView& view, DoctorFindings& findings) {
  report_capabilities(view, findings);
  report_calls(view, findings);
  report_user_namespaces(view, findings);
}

}  // namespace vmr
