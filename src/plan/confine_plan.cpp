// SPDX-License-Identifier: MIT
#include "plan/confine_plan.hpp"

#include "base/own_user.hpp"
#include "config/variables.hpp"
#include "plan/trial_args.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <linux/capability.h>

namespace vmr {
namespace {

using Access = FileRule::Access;

/// What 9p needs to give files any owner and mode, whosever they are.
constexpr auto for_passthrough =
    capability_set({CAP_CHOWN, CAP_DAC_OVERRIDE, CAP_FOWNER, CAP_FSETID});
/// The same for devices and file capabilities.
constexpr auto for_privileged_files = capability_set({CAP_MKNOD, CAP_SETFCAP});
/// What 9p mapped needs to write files of others, and their attributes.
constexpr auto for_mapped = capability_set({CAP_DAC_OVERRIDE, CAP_FOWNER});
/// What every program needs to be loaded.
constexpr std::array<const char*, 6> libraries = {"/usr",   "/lib",    "/lib32",
                                                  "/lib64", "/libx32", "/etc/ld.so.cache"};
/// What QEMU reads beside its own data: its network of its own asks the host's resolver.
constexpr std::array<const char*, 8> qemu_reads = {
    "/etc/qemu",      "/etc/resolv.conf", "/etc/hosts",     "/etc/nsswitch.conf",
    "/etc/host.conf", "/etc/gai.conf",    "/etc/localtime", "/sys/devices/system"};
constexpr std::array<const char*, 2> random_devices = {"/dev/urandom", "/dev/random"};

bool is_ninep(const Share& share) {
  return share.driver == Driver::ninep;
}

/// Only root can do for it what the guest asks for.
bool needs_root(const Share& share) {
  return is_ninep(share) && share.accessmode != AccessMode::mapped;
}

/// Whether files in the share are of any kind and mode that the guest chooses.
bool lets_privileged_files(const Share& share) {
  const bool is_mapped = is_ninep(share) && share.accessmode == AccessMode::mapped;
  return share.privileged_files && !share.readonly && !is_mapped;
}

/// A user and a group of QEMU's own: the same one at each start, unless another VM has it then.
Owner own_user(std::string_view name) {
  constexpr std::uint32_t count = last_own_user - first_own_user + 1;
  std::uint32_t hash = 2166136261;  // FNV-1a
  for (const char c : name) hash = (hash ^ static_cast<unsigned char>(c)) * 16777619;
  const auto id = first_own_user + hash % count;
  return {id, id};
}

std::optional<Owner> user_of_qemu(const VmSpec& spec, const Host& host) {
  if (spec.qemu_user.kind == QemuUser::Kind::given) return spec.qemu_user.given;
  const bool any = std::any_of(spec.shares.begin(), spec.shares.end(), needs_root);
  if (host.uid != 0 || !host.other_user || any) return std::nullopt;
  // As whom a container opens a device that its user has been let to, no other user can.
  const auto& kvm = host.kvm;
  const bool is_borrowed = kvm.state == KvmFacts::State::opens &&
                           (kvm.owner.uid == unmapped_user || kvm.owner.gid == unmapped_user);
  if (is_borrowed) return std::nullopt;
  if (host.own_user) return Owner{*host.own_user, *host.own_user};
  return own_user(spec.name);
}

/// The guest's files that QEMU only reads, and is handed by the launcher.
std::vector<std::string> read_files(const VmSpec& spec) {
  std::vector<std::string> files = {spec.boot.kernel, spec.boot.initrd};
  if (spec.disk) {
    for (const auto& image : images_of(*spec.disk)) files.push_back(image.path);
  }
  std::erase_if(files, [](const std::string& path) { return path.empty(); });
  return files;
}

/// Whether the mode of `path` lets `user` do what these permission bits say.
bool may(const Owner& user, const std::string& path, std::uint32_t bits, const Host& host) {
  const auto& facts = facts_of(path, host);
  const int shift = facts.owner.uid == user.uid ? 6 : facts.owner.gid == user.gid ? 3 : 0;
  return (facts.mode >> shift & bits) == bits;
}

/// The same for a path that QEMU itself looks up.
bool reaches(const Owner& user, const std::string& path, std::uint32_t bits, const Host& host) {
  return facts_of(path, host).reachable && may(user, path, bits, host);
}

/// Whether `user`, without capabilities, can open everything that QEMU opens.
bool opens_all(const Owner& user, const VmSpec& spec, const Host& host) {
  for (const auto& path : read_files(spec)) {
    if (!may(user, path, 04, host)) return false;
  }
  // These are looked up by this user.
  if (!reaches(user, host.qemu, 01, host)) return false;
  if (!spec.firmware.empty() && !reaches(user, spec.firmware, 04, host)) return false;
  for (const auto& disk : spec.own_disks) {
    if (!reaches(user, disk.path, disk.is_read_only ? 04 : 06, host)) return false;
    for (const auto& image : disk.behind) {
      if (!reaches(user, image.path, 04, host)) return false;
    }
  }
  if (!spec.disk || spec.disk->persistent.empty()) return true;
  // It is given to it, but not what a link leads to.
  const auto& kept = spec.disk->persistent;
  const auto& real = facts_of(kept, host).real_path;
  return real.empty() || real == kept;
}

/// The source of a share, as it was looked at.
FileRule rule_of_source(const Share& share, Access access, const Host& host) {
  const auto& real = facts_of(share.source, host).real_path;
  return {real.empty() ? share.source : real, access, real.empty()};
}

CapabilitySet capabilities_of_shares(const VmSpec& spec, const std::optional<Owner>& user,
                                     const Host& host) {
  const bool is_chosen = spec.qemu_user.kind == QemuUser::Kind::given;
  CapabilitySet set = 0;
  if (host.uid != 0) return set;  // nobody else has any
  for (const auto& share : spec.shares) {
    if (!is_ninep(share)) continue;
    if (lets_privileged_files(share) && !(is_chosen && share.accessmode == AccessMode::squash)) {
      set |= for_privileged_files;
    }
    const bool is_its_own = user && facts_of(share.source, host).owner == *user;
    switch (share.accessmode) {
      case AccessMode::passthrough:
        set |= for_passthrough;
        break;
      case AccessMode::squash:
        // Of a chosen user all files are to be, and nobody else's.
        if (!is_chosen) set |= for_passthrough;
        break;
      case AccessMode::mapped:
        if (!is_its_own) set |= for_mapped;
        break;
    }
  }
  return set;
}

/// How another user opens /dev/kvm: by its group, or else only by a capability.
void let_use_kvm(const Host& host, Confinement& confinement) {
  const auto& kvm = host.kvm;
  if ((kvm.mode & 06) == 06) return;
  if ((kvm.mode & 060) == 060 && kvm.owner.gid != 0) {
    confinement.groups.push_back(kvm.owner.gid);
  } else {
    *confinement.capabilities |= capability_set({CAP_DAC_OVERRIDE});
  }
}

template <typename Paths>
void add_rules(const Paths& paths, Access access, Confinement& confinement) {
  for (const auto& path : paths) confinement.files.push_back({path, access});
}

/// The program, and the libraries and data that were installed with it.
std::vector<std::string> installed_files(const std::string& link, const Host& host) {
  const auto& real = facts_of(link, host).real_path;
  const auto program = real.empty() ? link : real;
  std::vector<std::string> files = {program};
  const auto name = program.rfind('/');
  const auto bin = name == 0 || name == program.npos ? program.npos : program.rfind('/', name - 1);
  if (bin == program.npos) return files;
  // Not the whole of it: it may be somebody's home.
  for (const auto* folder : {"lib", "lib64", "libexec", "share"}) {
    files.push_back(fmt::format("{}/{}", program.substr(0, bin), folder));
  }
  return files;
}

std::vector<FileRule> files_of_qemu(const VmSpec& spec, const Host& host, Accelerator accelerator,
                                    const RuntimePaths& paths) {
  Confinement rules;
  add_rules(libraries, Access::read, rules);
  add_rules(qemu_reads, Access::read, rules);
  add_rules(random_devices, Access::read, rules);
  add_rules(installed_files(host.qemu, host), Access::read, rules);
  add_rules(read_files(spec), Access::read, rules);
  if (!spec.firmware.empty()) add_rules(std::array{spec.firmware}, Access::read, rules);
  add_rules(std::array{"/dev/null"}, Access::write, rules);
  if (accelerator == Accelerator::kvm) add_rules(std::array{"/dev/kvm"}, Access::write, rules);
  if (!paths.seed.empty()) add_rules(std::array{paths.seed}, Access::read, rules);
  if (spec.disk) {
    const auto& kept = spec.disk->persistent;
    add_rules(std::array{kept.empty() ? host.temporary_folder : kept}, Access::write, rules);
  }
  for (const auto& disk : spec.own_disks) {
    for (const auto& image : disk.behind) rules.files.push_back({image.path, Access::read});
    rules.files.push_back({disk.path, disk.is_read_only ? Access::read : Access::write});
  }
  for (const auto& share : spec.shares) {
    if (!is_ninep(share)) continue;
    const auto writing = lets_privileged_files(share) ? Access::devices : Access::write;
    rules.files.push_back(rule_of_source(share, share.readonly ? Access::read : writing, host));
  }
  return rules.files;
}

/// Whether the user's own arguments ask for io_uring, with which a disk may be read.
bool uses_io_uring(const VmSpec& spec) {
  for (const auto* words : {&spec.extra_args, &spec.qemu_args}) {
    if (std::any_of(words->begin(), words->end(),
                    [](const std::string& word) { return word.find("io_uring") != word.npos; })) {
      return true;
    }
  }
  return false;
}

std::vector<Refused> refused_of_qemu(const VmSpec& spec) {
  std::vector<Refused> refused = {Refused::local_sockets, Refused::kernel_doors,
                                  Refused::mounts,        Refused::namespaces,
                                  Refused::file_handles,  Refused::name_truncated};
  if (!uses_io_uring(spec)) refused.push_back(Refused::io_uring);
  const bool any = std::any_of(spec.shares.begin(), spec.shares.end(), [](const Share& share) {
    return is_ninep(share) && lets_privileged_files(share);
  });
  if (!any) {
    refused.insert(refused.end(), {Refused::set_user_id, Refused::set_group_id});
  }
  return refused;
}

std::vector<Refused> refused_of_virtiofsd(const Share& share, const Host& host) {
  std::vector<Refused> refused = {Refused::local_sockets, Refused::kernel_doors, Refused::io_uring};
  // That sandbox is made of them.
  if (share.sandbox != Sandbox::name_space) refused.push_back(Refused::mounts);
  if (!host.abilities.dac_read_search) refused.push_back(Refused::file_handles);
  if (!lets_privileged_files(share)) refused.push_back(Refused::set_user_id);
  // Folders that a group works in have the same bit.
  if (share.readonly) refused.push_back(Refused::set_group_id);
  return refused;
}

/// Why another user than the owner of a share has capabilities for it; empty: none has.
std::string reason_of_mapped(const VmSpec& spec, const Host& host,
                             const std::optional<Owner>& user) {
  if (!user) return "";
  for (const auto& share : spec.shares) {
    const bool is_mapped = is_ninep(share) && share.accessmode == AccessMode::mapped;
    if (!is_mapped || facts_of(share.source, host).owner == *user) continue;
    return fmt::format(", since '{}' of filesystem #{} is not its own (chown {}:{} makes it so)",
                       share.source, share.number, user->uid, user->gid);
  }
  return "";
}

}  // namespace

Confinement confine_qemu(const VmSpec& spec, const Host& host, const QemuPlan& qemu,
                         const RuntimePaths& paths) {
  const auto kind = spec.qemu_user.kind;
  if (kind == QemuUser::Kind::launcher) return {};
  Confinement confinement;
  const bool is_unknown = reaches_outside(qemu);
  if (is_unknown && kind == QemuUser::Kind::automatic) return {};
  confinement.no_new_privileges = true;
  confinement.user = user_of_qemu(spec, host);
  confinement.capabilities = capabilities_of_shares(spec, confinement.user, host);
  const auto port = spec.ssh.port;
  if (port != 0 && port < 1024) {
    *confinement.capabilities |= capability_set({CAP_NET_BIND_SERVICE});
  }
  const auto& user = confinement.user;
  const bool is_bare_root = host.uid == 0 && !user;
  // A chosen user is to have what is that user's, and nothing else.
  const bool is_chosen = kind == QemuUser::Kind::given;
  if (is_bare_root || (user && !is_chosen && !opens_all(*user, spec, host))) {
    *confinement.capabilities |= capability_set({CAP_DAC_OVERRIDE});
  }
  if (user && qemu.accelerator == Accelerator::kvm) let_use_kvm(host, confinement);
  if (!is_unknown) confinement.refused = refused_of_qemu(spec);
  if (!is_unknown && !spec.opens_unknown) {
    confinement.files = files_of_qemu(spec, host, qemu.accelerator, paths);
    if (port != 0) confinement.tcp_ports = {port};
  } else {
    // Without rules a capability would open every file of the host.
    *confinement.capabilities &= capability_set({CAP_NET_BIND_SERVICE});
  }
  return confinement;
}

Confinement confine_virtiofsd(const Share& share, const QemuUser& user, const Host& host) {
  if (user.kind == QemuUser::Kind::launcher) return {};
  Confinement confinement;
  confinement.no_new_privileges = true;
  if (host.uid == 0) {
    confinement.capabilities = capabilities_of_virtiofsd();
    if (share.sandbox == Sandbox::chroot)
      *confinement.capabilities |= capability_set({CAP_SYS_CHROOT});
    if (share.sandbox == Sandbox::name_space) {
      *confinement.capabilities |= capability_set({CAP_SYS_ADMIN});
    }
    if (host.abilities.dac_read_search) {
      *confinement.capabilities |= capability_set({CAP_DAC_READ_SEARCH});
    }
  }
  confinement.refused = refused_of_virtiofsd(share, host);
  // Under Landlock nothing can be mounted, which is how that sandbox is made.
  if (share.sandbox == Sandbox::name_space) return confinement;
  add_rules(libraries, Access::read, confinement);
  add_rules(std::array{"/proc"}, Access::read, confinement);
  add_rules(installed_files(host.virtiofsd->path, host), Access::read, confinement);
  add_rules(std::array{"/dev/null"}, Access::write, confinement);
  // An overlay of the guest makes the device 0:0; the others its filter refuses.
  confinement.files.push_back(
      rule_of_source(share, share.readonly ? Access::read : Access::devices, host));
  return confinement;
}

std::string describe_qemu_user(const VmSpec& spec, const Host& host, const QemuPlan& qemu) {
  const auto& confinement = qemu.process.confinement;
  if (spec.qemu_user.kind == QemuUser::Kind::launcher) {
    return "QEMU runs as this user, and nothing is taken from it (QEMU_USER=launcher)";
  }
  if (!confinement.capabilities) {
    return "QEMU runs as this user, and nothing is taken from it: its own arguments open files or "
           "devices that only you know of (QEMU_USER=UID:GID makes it another user all the same)";
  }
  const auto names = names_of(*confinement.capabilities);
  return fmt::format("QEMU runs as {} {}",
                     confinement.user ? fmt::format("user {}", confinement.user->uid) : "this user",
                     names.empty()
                         ? "without capabilities"
                         : fmt::format("with the capabilities {} alone{}", fmt::join(names, ", "),
                                       reason_of_mapped(spec, host, confinement.user)));
}

std::string describe_refused_files(const LaunchPlan& plan) {
  std::vector<std::string> settings;
  bool is_any_ninep = false;
  for (const auto& [share, helper, arguments, connection] : plan.shares) {
    const auto& process = helper ? *helper : plan.attempts.front().process;
    const auto& refused = process.confinement.refused;
    const bool is_mapped = is_ninep(share) && share.accessmode == AccessMode::mapped;
    const bool is_refused =
        std::find(refused.begin(), refused.end(), Refused::set_user_id) != refused.end();
    if (share.readonly || is_mapped || !is_refused) continue;
    settings.push_back(share_variable(share.number, "PRIVILEGED_FILES") + "=1");
    is_any_ninep |= is_ninep(share);
  }
  if (settings.empty()) return "";
  return fmt::format(
      "The guest sets no set-user-ID bit{} and makes no device in its shares; {} lets it",
      is_any_ninep ? ", over 9p no set-group-ID bit either," : "", fmt::join(settings, ", "));
}

}  // namespace vmr
