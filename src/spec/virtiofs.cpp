// SPDX-License-Identifier: MIT
#include "spec/virtiofs.hpp"

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
  check_sandbox(config, host, findings);
  check_unshare(config, host, findings);
}

Sandbox choose_sandbox(const ShareConfig& config, const Host& host, Findings& findings) {
  if (config.sandbox.value != Sandbox::automatic) return config.sandbox.value;
  if (namespace_works(host)) return Sandbox::name_space;
  if (host.abilities.chroot) return Sandbox::chroot;
  if (sandbox_works(Sandbox::none, host)) {
    findings.warnings.push_back(fmt::format(
        "Filesystem #{}: no virtiofsd sandbox works here, so it runs without one: a symbolic link "
        "may lead the guest out of the source (run as root, or allow user namespaces)",
        config.number));
  }
  return Sandbox::none;
}

}  // namespace vmr
