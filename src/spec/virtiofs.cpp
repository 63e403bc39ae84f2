// SPDX-License-Identifier: MIT
#include "spec/virtiofs.hpp"

#include <fmt/ranges.h>

#include <optional>

namespace vmr {
namespace {

bool namespace_works(const Host& host) {
  const auto& can = host.abilities;
  if (can.sys_admin) return can.unshare_fs;
  return host.uid != 0 && can.user_namespace && host.virtiofsd &&
         host.virtiofsd->family == VirtiofsdFacts::Family::rust;
}

/// Not for `automatic`.
bool sandbox_works(Sandbox sandbox, const Host& host) {
  if (sandbox == Sandbox::name_space) return namespace_works(host);
  if (sandbox == Sandbox::chroot) return host.abilities.chroot;
  return host.virtiofsd && host.virtiofsd->has_sandbox_none;
}

/// None for a C virtiofsd without the privileges of root: it cannot go without a sandbox.
std::optional<Sandbox> strongest_sandbox(const Host& host) {
  for (const auto sandbox : {Sandbox::name_space, Sandbox::chroot, Sandbox::none}) {
    if (sandbox_works(sandbox, host)) return sandbox;
  }
  return std::nullopt;
}

/// What gives root the namespace sandbox.
std::string way_to_namespaces(const Host& host) {
  return is_container(host.surroundings)
             ? "--cap-add SYS_ADMIN --security-opt seccomp=docker/seccomp-virtiofs.json, and "
               "--security-opt apparmor=unconfined where AppArmor confines containers"
             : "CAP_SYS_ADMIN, unshare(2) and a root file system that can be moved";
}

void check_capabilities(const ShareConfig& config, const Host& host, Findings& findings) {
  if (host.missing_capabilities.empty()) return;
  const auto missing =
      config.sandbox.value == Sandbox::none ? host.missing_capabilities : capabilities_to_add(host);
  findings.refuse(config.driver,
                  fmt::format("virtiofsd needs the capabilities {}", fmt::join(missing, ", ")),
                  fmt::format("give them back (--cap-add {}), or run as another user (--user)",
                              fmt::join(missing, " --cap-add ")),
                  ExitStatus::host_unsupported);
}

/// Why `sandbox` does not work on `host`, and what would make it work.
Invalid refusal_of(Sandbox sandbox, const Host& host) {
  if (sandbox == Sandbox::none) {
    return {"the C virtiofsd has no sandbox 'none'", "use a virtiofsd written in Rust (Debian 13)"};
  }
  if (sandbox == Sandbox::chroot) {
    return {"'chroot' needs root with SYS_CHROOT",
            host.uid == 0 ? "give root that capability (--cap-add SYS_CHROOT)" : "run as root"};
  }
  if (host.uid != 0) {
    return {
        "for an ordinary user 'namespace' needs a virtiofsd written in Rust, user namespaces "
        "and an unmasked /proc",
        "allow these (in a container --security-opt systempaths=unconfined unmasks /proc), or "
        "run as root"};
  }
  return {"'namespace' needs SYS_ADMIN, unshare(2) and pivot_root(2)",
          "use " + way_to_namespaces(host)};
}

void refuse_c_virtiofsd(const ShareConfig& config, const Host& host, Findings& findings) {
  if (host.uid == 0) {
    findings.refuse(config.driver, "the C virtiofsd needs root with SYS_CHROOT or SYS_ADMIN",
                    "give root one of these capabilities (--cap-add SYS_CHROOT), or use a "
                    "virtiofsd written in Rust (Debian 13)",
                    ExitStatus::host_unsupported);
  } else {
    findings.refuse(config.driver, "the C virtiofsd needs root",
                    "use a virtiofsd written in Rust (Debian 13), or run as root",
                    ExitStatus::host_unsupported);
  }
}

void check_sandbox(const ShareConfig& config, const Host& host, Findings& findings) {
  const auto strongest = strongest_sandbox(host);
  const auto wanted = config.sandbox.value;
  if (!strongest) refuse_c_virtiofsd(config, host, findings);
  if (wanted == Sandbox::automatic || sandbox_works(wanted, host)) return;
  if (!strongest && wanted != Sandbox::none) return;
  auto [reason, hint] = refusal_of(wanted, host);
  if (strongest) hint += fmt::format(", or leave it out: '{}' works here", word_for(*strongest));
  findings.refuse(config.sandbox, reason, hint, ExitStatus::host_unsupported);
}

void check_unshare(const ShareConfig& config, const Host& host, Findings& findings) {
  if (host.abilities.unshare_fs) return;
  if (host.virtiofsd->family == VirtiofsdFacts::Family::c) {
    findings.refuse(
        config.driver,
        "this virtiofsd always calls unshare(2), and unshare(CLONE_FS) failed with EPERM, as a "
        "container's seccomp profile makes it",
        "use a virtiofsd written in Rust (Debian 13), or relax the container's seccomp profile "
        "(--security-opt "
        "seccomp=docker/seccomp-virtiofs.json, or seccomp=unconfined)",
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

/// Whoever asks for no sandbox is told as well what it costs.
void warn_of_none(const ShareConfig& config, const Share& share, Findings& findings) {
  const auto& sandbox = config.sandbox;
  if (share.driver != Driver::virtiofs || sandbox.value != Sandbox::none) return;
  findings.warnings.push_back(
      fmt::format("Filesystem #{}: {}='none': virtiofsd runs without a sandbox: a guest's root may "
                  "get out of the source; leave it out for the strongest sandbox that works here",
                  share.number, sandbox.origin.variable));
}

}  // namespace

std::vector<std::string> capabilities_to_add(const Host& host) {
  auto names = host.missing_capabilities;
  if (!namespace_works(host) && !host.abilities.chroot) names.emplace_back("SYS_CHROOT");
  return names;
}

void check_virtiofsd(const ShareConfig& config, const std::string& source, const Host& host,
                     Findings& findings) {
  if (!host.virtiofsd) {
    findings.refuse(config.driver, host.virtiofsd_problem,
                    "install virtiofsd (Debian 13: virtiofsd, Debian 12: qemu-system-common)",
                    ExitStatus::host_unsupported);
    return;
  }
  // Of a share without a source nobody knows how it is mounted.
  const bool may_write = !source.empty() && !facts_of(source, host).read_only_mount;
  if (config.readonly.value && !host.virtiofsd->has_readonly && may_write) {
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
  return strongest_sandbox(host).value_or(Sandbox::none);
}

void tell_sandbox(const std::vector<ShareConfig>& configs, const std::vector<Share>& shares,
                  const Host& host, Findings& findings) {
  for (std::size_t i = 0; i < shares.size(); ++i) warn_of_none(configs.at(i), shares[i], findings);
  const auto chosen = [&](std::size_t i) {
    return shares.at(i).driver == Driver::virtiofs &&
           configs.at(i).sandbox.value == Sandbox::automatic;
  };
  bool any = false;
  for (std::size_t i = 0; i < shares.size(); ++i) any = any || chosen(i);
  if (!any) return;
  const auto strongest = strongest_sandbox(host);
  if (strongest == Sandbox::name_space) {
    findings.notes.emplace_back("virtiofsd runs in its sandbox 'namespace', the strongest");
  } else if (strongest == Sandbox::chroot) {
    findings.notes.push_back(
        "virtiofsd runs in its sandbox 'chroot', the strongest that works here ('namespace' needs "
        "the right to mount: " +
        way_to_namespaces(host) + ")");
  } else if (strongest == Sandbox::none) {
    findings.warnings.push_back(
        "virtiofsd runs without a sandbox, since none works here: a symbolic link may lead the "
        "guest out of the source ('chroot' needs root with SYS_CHROOT; 'namespace' needs " +
        std::string(host.uid == 0 ? "the right to mount: " + way_to_namespaces(host)
                                  : "user namespaces and an unmasked /proc") +
        ")");
  }
}

}  // namespace vmr
