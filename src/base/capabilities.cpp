// SPDX-License-Identifier: MIT
#include "base/capabilities.hpp"

#include <array>
#include <linux/capability.h>
#include <string_view>

namespace vmr {
namespace {

/// By their numbers, from 0 on.
constexpr std::array<std::string_view, capability_count> capability_names = {"CHOWN",
                                                                             "DAC_OVERRIDE",
                                                                             "DAC_READ_SEARCH",
                                                                             "FOWNER",
                                                                             "FSETID",
                                                                             "KILL",
                                                                             "SETGID",
                                                                             "SETUID",
                                                                             "SETPCAP",
                                                                             "LINUX_IMMUTABLE",
                                                                             "NET_BIND_SERVICE",
                                                                             "NET_BROADCAST",
                                                                             "NET_ADMIN",
                                                                             "NET_RAW",
                                                                             "IPC_LOCK",
                                                                             "IPC_OWNER",
                                                                             "SYS_MODULE",
                                                                             "SYS_RAWIO",
                                                                             "SYS_CHROOT",
                                                                             "SYS_PTRACE",
                                                                             "SYS_PACCT",
                                                                             "SYS_ADMIN",
                                                                             "SYS_BOOT",
                                                                             "SYS_NICE",
                                                                             "SYS_RESOURCE",
                                                                             "SYS_TIME",
                                                                             "SYS_TTY_CONFIG",
                                                                             "MKNOD",
                                                                             "LEASE",
                                                                             "AUDIT_WRITE",
                                                                             "AUDIT_CONTROL",
                                                                             "SETFCAP",
                                                                             "MAC_OVERRIDE",
                                                                             "MAC_ADMIN",
                                                                             "SYSLOG",
                                                                             "WAKE_ALARM",
                                                                             "BLOCK_SUSPEND",
                                                                             "AUDIT_READ",
                                                                             "PERFMON",
                                                                             "BPF",
                                                                             "CHECKPOINT_RESTORE"};

}  // namespace

CapabilitySet capabilities_of_virtiofsd() {
  return capability_set({CAP_CHOWN, CAP_DAC_OVERRIDE, CAP_FOWNER, CAP_FSETID, CAP_SETGID,
                         CAP_SETUID, CAP_SETPCAP, CAP_MKNOD, CAP_SETFCAP});
}

std::vector<std::string> names_of(CapabilitySet set) {
  std::vector<std::string> names;
  for (std::size_t number = 0; number < capability_names.size(); ++number) {
    if ((set >> number & 1) != 0) names.emplace_back(capability_names.at(number));
  }
  return names;
}

}  // namespace vmr
