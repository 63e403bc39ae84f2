// SPDX-License-Identifier: MIT
#include "spec/virtiofs.hpp"

#include <fmt/ranges.h>

namespace vmr {
namespace {

bool namespace_works(const Host& host) {
  const auto& can = host.abilities;
  if (can.sys_admin) return can.unshare_fs;
  return host.uid != 0 && can.user_namespace && host.virtiofsd &&
         host.virtiofsd->family == VirtiofsdFacts::Family::rust;
}

bool sandbox_works(Sandbox sandbox, const Host& host) {
  switch (sandbox) {
    case Sandbox::name_space:
      return namespace_works(host);
    case Sandbox::chroot:
      return host.abilities.chroot;
    case Sandbox::none:
      return host.virtiofsd && host.virtiofsd->has_sandbox_none;
    case Sandbox::automatic:
      return namespace_works(host) || host.abilities.chroot ||
             (host.virtiofsd && host.virtiofsd->has_sandbox_none);
  }
  return false;
}

/// What gives root the namespace sandbox.
std::string way_to_namespaces(const Host& host) {
  return host.is_pid_1
             ? "--cap-add SYS_ADMIN --security-opt seccomp=docker/seccomp-virtiofs.json, and "
               "--security-opt apparmor=unconfined where AppArmor confines containers"
             : "CAP_SYS_ADMIN, unshare(2) and a root file system that can be moved";
}

void check_capabilities(const ShareConfig& config, const Host& host, Findings& findings) {
  const auto& missing = host.abilities.missing_capabilities;
  if (missing.empty()) return;
  findings.refuse(config.driver,
                  fmt::format("virtiofsd needs the capabilities {}", fmt::join(missing, ", ")),
                  fmt::format("give them back (--cap-add {}), or run as another user (--user)",
                              fmt::join(missing, " --cap-add ")),
                  ExitStatus::host_unsupported);
}

void check_sandbox(const ShareConfig& config, const Host& host, Findings& findings) {
  if (sandbox_works(config.sandbox.value, host)) return;
  findings.refuse(config.sandbox, "no virtiofsd sandbox of this kind works here",
                  "run as root, or with --cap-add SYS_CHROOT (chroot) or --cap-add SYS_ADMIN and "
                  "a seccomp profile that allows unshare (namespace)",
                  ExitStatus::host_unsupported);
}

void check_unshare(const ShareConfig& config, const Host& host, Findings& findings) {
  if (host.abilities.unshare_fs) return;
  if (host.virtiofsd->family == VirtiofsdFacts::Family::c) {
    findings.refuse(
        config.driver,
        "this virtiofsd always calls unshare(2), and unshare(CLONE_FS) failed with EPERM, as a "
        "container's seccomp profile makes it",
        "use a virtiofsd written in Rust (Debian 13), or relax the container's seccomp profile "
        "(--security-opt seccomp=unconfined)",
        ExitStatus::host_unsupported);
  } else if (config.thread_pool_size.value.value_or(0) > 0) {
    findings.problems.push_back(
        {fmt::format("{}='{}': a virtiofsd thread pool calls unshare(CLONE_FS), which fails with "
                     "EPERM here",
                     config.thread_pool_size.origin.variable, *config.thread_pool_size.value),
         describe(config.thread_pool_size.origin),
         "leave it at 0, or relax the container's seccomp profile", ExitStatus::host_unsupported});
  }
}

}  // namespace

void check_virtiofsd(const ShareConfig& config, const std::string& source, const Host& host,
                     Findings& findings) {
  if (!host.virtiofsd) {
    findings.refuse(config.driver, host.virtiofsd_problem,
                    "install virtiofsd (Debian 13: virtiofsd, Debian 12: qemu-system-common)",
                    ExitStatus::host_unsupported);
    return;
  }
  const auto facts = host.files.find(source);
  const bool read_only_anyway = facts != host.files.end() && facts->second.read_only_mount;
  if (config.readonly.value && !host.virtiofsd->has_readonly && !read_only_anyway) {
    findings.refuse(config.readonly,
                    "virtiofs does not yet support read-only mode with this virtiofsd (" +
                        host.virtiofsd->path + " has no --readonly)",
                    "mount the source read-only on the host (docker run -v …:ro), or use virtiofsd "
                    "1.13 or later",
                    ExitStatus::host_unsupported);
  }
  check_capabilities(config, host, findings);
  check_sandbox(config, host, findings);
  check_unshare(config, host, findings);
}

Sandbox choose_sandbox(const ShareConfig& config, const Host& host) {
  if (config.sandbox.value != Sandbox::automatic) return config.sandbox.value;
  if (namespace_works(host)) return Sandbox::name_space;
  return host.abilities.chroot ? Sandbox::chroot : Sandbox::none;
}

void tell_sandbox(const std::vector<ShareConfig>& configs, const std::vector<Share>& shares,
                  const Host& host, Findings& findings) {
  const auto chosen = [&](std::size_t i) {
    return shares.at(i).driver == Driver::virtiofs &&
           configs.at(i).sandbox.value == Sandbox::automatic;
  };
  bool any = false;
  for (std::size_t i = 0; i < shares.size(); ++i) any = any || chosen(i);
  if (!any) return;
  if (namespace_works(host)) {
    findings.notes.emplace_back("virtiofsd runs in its sandbox 'namespace', the strongest");
  } else if (host.abilities.chroot) {
    findings.notes.push_back(
        "virtiofsd runs in its sandbox 'chroot', the strongest that works here ('namespace' needs "
        "the right to mount: " +
        way_to_namespaces(host) + ")");
  } else if (sandbox_works(Sandbox::none, host)) {
    findings.warnings.push_back(
        "virtiofsd runs without a sandbox, since none works here: a symbolic link may lead the "
        "guest out of the source ('chroot' needs root with SYS_CHROOT; 'namespace' needs " +
        std::string(host.uid == 0 ? "the right to mount: " + way_to_namespaces(host)
                                  : "user namespaces and an unmasked /proc") +
        ")");
  }
}

}  // namespace vmr
