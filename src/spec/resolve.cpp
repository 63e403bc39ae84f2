// SPDX-License-Identifier: MIT
#include "spec/disk.hpp"
#include "spec/exposed_files.hpp"
#include "spec/extra_args.hpp"
#include "spec/guest.hpp"
#include "spec/own_disks.hpp"
#include "spec/problems.hpp"
#include "spec/share_owner.hpp"
#include "spec/shared_memory.hpp"
#include "spec/shares.hpp"
#include "spec/virtiofs.hpp"
#include "spec/vm_spec.hpp"

#include <algorithm>

namespace vmr {
namespace {

using namespace std::chrono_literals;

constexpr std::string_view letters_and_digits =
    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";

bool only_has(std::string_view text, std::string_view more_characters) {
  return std::all_of(text.begin(), text.end(), [&](char c) {
    return letters_and_digits.find(c) != letters_and_digits.npos ||
           more_characters.find(c) != more_characters.npos;
  });
}

void check_words(const Config& config, Findings& findings) {
  const auto& name = config.guest_name;
  const bool starts_well = !name.value.empty() && only_has(name.value.substr(0, 1), "");
  if (!starts_well || name.value.size() > 63 || !only_has(name.value, "-._")) {
    findings.refuse(name, "not a machine name",
                    "use 1 to 63 letters, digits, '-', '.' and '_', starting with a letter or a "
                    "digit");
  }
  if (!only_has(config.machine.value, "-._")) {
    findings.refuse(config.machine, "not a machine type",
                    "use a name that 'qemu-system-x86_64 -machine help' lists; further machine "
                    "options go into EXTRA_ARGS");
  }
  if (!only_has(config.cpu_model.value, "-._,=+")) {
    findings.refuse(config.cpu_model, "not a CPU model",
                    "use a model that 'qemu-system-x86_64 -cpu help' lists, with features as in "
                    "'max,-avx512f'");
  }
}

Architecture architecture_of(const Config& config, const Host& host) {
  return config.arch.value == Architecture::automatic ? host.architecture : config.arch.value;
}

/// The machine as far as it depends on the architecture.
void resolve_machine(const Config& config, const Host& host, VmSpec& spec, Findings& findings) {
  spec.architecture = architecture_of(config, host);
  const bool is_arm = spec.architecture == Architecture::aarch64;
  spec.machine = !config.machine.value.empty() ? config.machine.value : is_arm ? "virt" : "q35";
  const auto guest = chosen_guest(config, host);
  if (guest && guest->architecture != Architecture::automatic &&
      guest->architecture != spec.architecture) {
    findings.problems.push_back(
        {fmt::format("the guest '{}' is one for {}, and the machine {}", guest->name,
                     word_for(guest->architecture), word_for(spec.architecture)),
         describe(config.arch.origin), "set BASE_IMAGE to a guest of this architecture, or ARCH"});
  }
  const bool has_disk = spec.disk || config.base_image.value == no_base_image;
  if (!is_arm || !spec.boot.kernel.empty() || !has_disk) return;
  spec.firmware = host.firmware;
  if (host.firmware.empty()) {
    findings.problems.push_back({"there is no UEFI firmware to start the disk's boot loader", "",
                                 "install it (Debian: apt install qemu-efi-aarch64), or set KERNEL",
                                 ExitStatus::host_unsupported});
  }
}

/// The accelerators to try, in order.
std::vector<Accelerator> resolve_accelerators(const Config& config, const Host& host,
                                              Findings& findings) {
  const bool must_be_kvm = config.require_kvm.value || config.accel.value == Accelerator::kvm;
  if (config.require_kvm.value && config.accel.value == Accelerator::tcg) {
    findings.refuse(config.accel, "contradicts " + config.require_kvm.origin.variable + "=1",
                    "leave one of the two out");
  }
  if (config.accel.value == Accelerator::tcg) return {Accelerator::tcg};
  const bool native = architecture_of(config, host) == host.architecture;
  if (native && host.kvm.state == KvmFacts::State::opens) {
    if (must_be_kvm) return {Accelerator::kvm};
    return {Accelerator::kvm, Accelerator::tcg};
  }
  if (!native) {
    constexpr std::string_view reason = "KVM runs guests of this machine's own architecture only";
    if (must_be_kvm) {
      findings.refuse(config.arch, reason, "leave it out, or use ACCEL=tcg",
                      ExitStatus::host_unsupported);
    }
    return {Accelerator::tcg};
  }
  const std::string fix =
      host.kvm.state == KvmFacts::State::missing
          ? "run the container with --device /dev/kvm, or load the kvm module on the host"
          : "let this user open /dev/kvm (group kvm; in a container --group-add)";
  if (must_be_kvm) {
    const auto reason = fmt::format("KVM cannot be used: {}", host.kvm.reason);
    if (config.accel.value == Accelerator::kvm) {
      findings.refuse(config.accel, reason, fix, ExitStatus::host_unsupported);
    } else {
      findings.refuse(config.require_kvm, reason, fix, ExitStatus::host_unsupported);
    }
    return {Accelerator::kvm};
  }
  findings.warnings.push_back(
      fmt::format("KVM cannot be used: {}; the guest runs under TCG, many times slower ({})",
                  host.kvm.reason, fix));
  return {Accelerator::tcg};
}

void check_cpu_model(const Config& config, const std::vector<Accelerator>& accelerators,
                     Findings& findings) {
  const bool is_host =
      config.cpu_model.value == "host" || config.cpu_model.value.starts_with("host,");
  if (is_host && accelerators.front() == Accelerator::tcg) {
    findings.warnings.push_back(fmt::format("{}='{}' needs KVM: 'max' is used instead",
                                            config.cpu_model.origin.variable,
                                            config.cpu_model.value));
  }
}

void check_qemu_user(const Config& config, const Host& host, Findings& findings) {
  const auto& user = config.qemu_user;
  const bool is_other = user.value.kind == QemuUser::Kind::given &&
                        (user.value.given.uid != host.uid || user.value.given.gid != host.gid);
  if (!is_other || host.other_user) return;
  findings.refuse(
      user, "this process cannot start programs as another user",
      "leave it out, or run as root with the capabilities SETUID, SETGID, KILL and CHOWN",
      ExitStatus::host_unsupported);
}

/// Whether the machine type has a PCI Express bus, whose root ports take devices while it runs.
bool has_root_ports(std::string_view machine) {
  return machine == "q35" || machine.starts_with("pc-q35-") || machine == "virt" ||
         machine.starts_with("virt-");
}

/// How many shares can be added: virtiofsd must be able to map the guest's memory.
std::size_t resolve_hotplug(const Config& config, const VmSpec& spec, Findings& findings) {
  const auto wished = config.hotplug_shares.value;
  if (wished == 0 || !has_root_ports(spec.machine)) return 0;
  if (spec.own_memory != OwnMemory::not_shared) return wished;
  const bool is_refused =
      std::any_of(spec.shares.begin(), spec.shares.end(),
                  [](const Share& share) { return share.driver == Driver::virtiofs; });
  if (is_refused) return 0;
  auto& texts = config.hotplug_shares.is_default() ? findings.notes : findings.warnings;
  texts.push_back(
      "the guest's memory is made by your own QEMU arguments and not shared: no share can be added "
      "while the machine runs (HOTPLUG_SHARES); share=on in its -object shares it");
  return 0;
}

SshForward resolve_ssh(const Config& config, const Host& host, Findings& findings) {
  SshForward ssh = config.ssh_port.value;
  if (ssh.port == 0) return {};
  // In a container of its own network, Docker's -p decides who may reach the port.
  const bool is_published = is_container(host.surroundings) && host.own_network;
  if (ssh.address.empty()) ssh.address = is_published ? "0.0.0.0" : "127.0.0.1";
  if (config.ssh_port.is_default() && host.free_ssh_port && *host.free_ssh_port != ssh.port) {
    findings.warnings.push_back(fmt::format("port {} is in use: SSH is forwarded from port {}",
                                            ssh.port, *host.free_ssh_port));
    ssh.port = *host.free_ssh_port;
  }
  return ssh;
}

}  // namespace

Resolved resolve(const Config& config, const Host& host) {
  Findings findings;
  VmSpec spec;
  check_words(config, findings);
  findings.warnings.insert(findings.warnings.end(), host.skipped.begin(), host.skipped.end());
  spec.name = config.guest_name.value;
  spec.memory_mib = config.memory.value;
  spec.cpus = config.cpus.value;
  spec.cpu_model = config.cpu_model.value;
  spec.accelerators = resolve_accelerators(config, host, findings);
  check_cpu_model(config, spec.accelerators, findings);
  if (host.qemu.empty()) {
    findings.problems.push_back({host.qemu_problem, "",
                                 architecture_of(config, host) == Architecture::aarch64
                                     ? "install QEMU (Debian: apt install qemu-system-arm)"
                                     : "install QEMU (Debian: apt install qemu-system-x86)",
                                 ExitStatus::host_unsupported});
  }
  spec.boot = resolve_boot(config, host, findings);
  spec.disk = resolve_disk(config, host, spec.boot, findings);
  resolve_machine(config, host, spec, findings);
  if (!has_guest(config, spec) && host.guest_problem.empty() && host.guest_toml_problems.empty()) {
    findings.warnings.push_back(
        "no guest: set BASE_IMAGE, or make the demo guest with scripts/build-guest");
  }
  if (const auto guest = chosen_guest(config, host)) spec.login_user = guest->login_user;
  const auto guest_owner = login_owner(spec.login_user);
  spec.shares = resolve_shares(config.shares, host, guest_owner, findings);
  for (std::size_t i = 0; i < spec.shares.size(); ++i) {
    check_exposed_files(config, config.shares.at(i), spec.shares[i], host, findings);
    check_ways_to_sources(config, config.shares[i], spec.shares[i],
                          std::span(spec.shares).first(i + 1), host, findings);
  }
  spec.own_memory = resolve_own_memory(config, spec.shares, findings);
  spec.ssh = resolve_ssh(config, host, findings);
  spec.network = config.network.value;
  spec.cloud_init = resolve_cloud_init(config, host, spec.generated_password, findings);
  spec.console = !config.no_console.value;
  spec.start_timeout =
      config.start_timeout.value.value_or(60s + std::chrono::seconds(spec.memory_mib / 1024));
  spec.stop_timeout =
      config.stop_timeout.value.value_or(is_container(host.surroundings) ? 8s : 90s);
  spec.on_helper_exit = config.on_helper_exit.value;
  spec.hotplug_shares = resolve_hotplug(config, spec, findings);
  spec.qemu_user = config.qemu_user.value;
  check_qemu_user(config, host, findings);
  spec.extra_args = config.extra_args.value;
  spec.qemu_args = config.qemu_args;
  check_extra_args(config, findings);
  resolve_own_disks(config, host, spec, findings);
  if (findings.problems.empty()) {
    tell_sandbox(config.shares, spec.shares, host, findings);
    for (const auto& share : spec.shares) check_write_access(share, guest_owner, host, findings);
  }
  return {std::move(spec), std::move(findings.problems), std::move(findings.warnings),
          std::move(findings.notes)};
}

}  // namespace vmr
