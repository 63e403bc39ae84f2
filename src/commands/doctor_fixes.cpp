// SPDX-License-Identifier: MIT
#include "commands/doctor_fixes.hpp"

#include <fmt/format.h>

namespace vmr {

std::string name_of(Surroundings surroundings) {
  switch (surroundings) {
    case Surroundings::machine:
      return "a machine, no container";
    case Surroundings::docker:
      return "a Docker container";
    case Surroundings::podman:
      return "a Podman container";
    case Surroundings::kubernetes:
      return "a Kubernetes pod";
    case Surroundings::container:
      return "a container";
  }
  return {};
}

std::string run_flags(Surroundings surroundings, const std::string& flags,
                      const std::string& pod_words) {
  if (surroundings == Surroundings::kubernetes) return pod_words;
  return fmt::format("{} run {}", surroundings == Surroundings::podman ? "podman" : "docker",
                     flags);
}

std::string fix_for_kvm_device(const KvmFacts& kvm, const DoctorFacts& facts, std::uint32_t uid) {
  const auto where = facts.surroundings;
  const std::string device_plugin =
      "a device plugin that offers /dev/kvm (docker/kubernetes/kvm shows how)";
  const bool is_missing = kvm.state == KvmFacts::State::missing;
  if (is_container(where) && !is_missing && uid != 0) {
    return run_flags(where, "--device /dev/kvm --group-add \"$(stat -c %g /dev/kvm)\"",
                     device_plugin + "; supplementalGroups: [the group of /dev/kvm]");
  }
  if (is_container(where)) return run_flags(where, "--device /dev/kvm", device_plugin);
  if (!is_missing) {
    return uid == 0 ? "allow the device 10:232 where a cgroup or a security module forbids it"
                    : "sudo usermod -aG kvm \"$USER\", then log in again";
  }
  const auto& extension = facts.cpu.virtualization;
  if (extension == "vmx") return "sudo modprobe kvm_intel";
  if (extension == "svm") return "sudo modprobe kvm_amd";
  return "switch virtualization on in the firmware (VT-x, AMD-V); in a virtual machine its host "
         "has "
         "to allow nested virtualization";
}

std::string fix_for_broken_kvm(Surroundings surroundings) {
  const std::string where = is_container(surroundings) ? " on the container's host" : "";
  return "sudo dmesg | grep -i kvm" + where +
         " may say why (in a virtual machine its host has to allow nested virtualization); "
         "ACCEL=tcg "
         "does without KVM";
}

std::string fix_for_namespaces(Surroundings surroundings) {
  if (!is_container(surroundings)) return "run as root with CAP_SYS_ADMIN";
  return run_flags(surroundings,
                   "--cap-add SYS_ADMIN --security-opt seccomp=docker/seccomp-virtiofs.json, and "
                   "--security-opt apparmor=unconfined where AppArmor confines containers",
                   "securityContext: capabilities: add: [SYS_ADMIN], with a seccompProfile of "
                   "type Localhost that is docker/seccomp-virtiofs.json");
}

std::string fix_for_user_namespaces(Surroundings surroundings, const std::string& sysctl) {
  if (is_container(surroundings)) {
    return run_flags(surroundings, "without --user: root has the sandbox 'chroot'",
                     "no runAsUser: root has the sandbox 'chroot'") +
           ", and FILESYSTEM_OWNER=1000:1000 makes files of user 1000";
  }
  if (sysctl == "user.max_user_namespaces") return "sudo sysctl user.max_user_namespaces=15000";
  if (sysctl == "kernel.unprivileged_userns_clone") return "sudo sysctl " + sysctl + "=1";
  if (!sysctl.empty()) return "sudo sysctl " + sysctl + "=0";
  return "run as root, or allow this user namespaces and an unmasked /proc";
}

std::string fix_for_unshare(Surroundings surroundings) {
  if (!is_container(surroundings)) return "take unshare(2) out of the seccomp filter";
  return run_flags(surroundings, "--security-opt seccomp=docker/seccomp-virtiofs.json",
                   "a seccompProfile of type Localhost that is docker/seccomp-virtiofs.json");
}

std::string fix_for_open_files(Surroundings surroundings, std::uint64_t count) {
  if (!is_container(surroundings)) {
    return fmt::format("sudo prlimit --pid $$ --nofile={0}:{0}", count);
  }
  return run_flags(surroundings, fmt::format("--ulimit nofile={0}:{0}", count),
                   "a higher limit of open files in the node's container runtime");
}

std::string fix_for_memory_limit(Surroundings surroundings, std::uint64_t wanted) {
  if (!is_container(surroundings)) {
    return fmt::format("raise the limit of its cgroup (systemd: MemoryMax={}M)", wanted);
  }
  return run_flags(surroundings, fmt::format("--memory {}m", wanted),
                   fmt::format("resources: limits: memory: {}Mi", wanted));
}

std::string fix_by_package(Surroundings surroundings, std::uint32_t uid,
                           const std::string& package) {
  if (is_container(surroundings)) return fmt::format("apt install {} in the image", package);
  return fmt::format("{}apt install {}", uid == 0 ? "" : "sudo ", package);
}

}  // namespace vmr
