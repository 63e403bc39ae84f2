// SPDX-License-Identifier: MIT
// What `doctor` tells beyond the Host, as plain data.
#pragma once

#include "base/error.hpp"
#include "host/host.hpp"
#include "host/process_security.hpp"

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace vmr {

/// What QEMU told about itself; empty where it did not.
struct QemuFacts {
  std::string version;                    ///< "7.2.22"
  std::vector<std::string> accelerators;  ///< "kvm", "tcg", …
  std::optional<bool> has_virtiofs;       ///< knows vhost-user-fs-pci; none: it did not tell
  std::optional<bool> has_ninep;          ///< knows virtio-9p-pci
  std::string kvm_problem;      ///< why it does not start the machine under KVM; empty: it does, or
                                ///< was not asked
  std::string machine_problem;  ///< the same under TCG
  std::string kvm_refusal{};  ///< why it does not start it with the user's own arguments under KVM,
                              ///< though it does without them; empty: it does, or was not asked
  std::string refusal{};      ///< the same under TCG
  std::string untried_refusal{};  ///< why it takes those not that would reach outside; empty: it
                                  ///< does, or nobody knows
  bool takes_untried = false;     ///< it takes them, as far as it did not have to reach there

  bool operator==(const QemuFacts&) const = default;
};

/// The CPU, and whether a virtual one of KVM ran an instruction.
struct CpuFacts {
  std::string model;
  std::uint64_t count = 0;         ///< that this process may use
  std::string virtualization;      ///< "vmx" or "svm"; empty: not announced
  std::string vcpu_problem;        ///< why no vCPU ran; empty: one did, or /dev/kvm does not open
  bool vcpu_is_only_made = false;  ///< this architecture's are made, not run

  bool operator==(const CpuFacts&) const = default;
};

/// What qemu-img told about the disk that QEMU would open.
struct ImageFacts {
  std::string path;
  bool asked = false;   ///< qemu-img is there
  std::string problem;  ///< why it, or a file behind it, cannot be opened
  std::string lock;     ///< what was said of another process that has it open
  bool writable = true;
  std::string format;
  std::uint64_t size = 0;          ///< that the guest sees, in bytes
  std::vector<std::string> chain;  ///< the files, from `path` to the last behind it

  bool operator==(const ImageFacts&) const = default;
};

/// The file system that a folder, or the nearest one above it, is on.
struct FolderFacts {
  enum class Xattrs { unknown, work, refused };
  std::string file_system;  ///< "ext4"; a number in hex when we know no name; empty: unknown
  std::uint64_t free_mib = 0;
  Xattrs xattrs = Xattrs::unknown;  ///< of users: "user.…"
  std::string obstacle;             ///< why nothing can be made in it; empty: it can

  bool operator==(const FolderFacts&) const = default;
};

/// What this process may do, and how much of it.
struct ProcessFacts {
  std::vector<std::string> capabilities;     ///< in effect: "CHOWN", …
  std::vector<std::string> no_capabilities;  ///< the others
  int seccomp_mode = 0;                      ///< 0: none, 2: a filter
  bool no_new_privileges = false;
  std::string user_namespaces_off;            ///< the sysctl that forbids them; empty: none does
  std::uint64_t open_files = 0;               ///< soft limit
  std::optional<std::uint64_t> locked_kib;    ///< memory that may be locked; none: no limit
  std::optional<std::uint64_t> memory_limit;  ///< MiB of our cgroup; none: no limit
  std::uint64_t memory_available = 0;         ///< MiB of the machine; 0: unknown

  bool operator==(const ProcessFacts&) const = default;
};

struct DoctorFacts {
  Surroundings surroundings = Surroundings::machine;  ///< they decide what helps
  CpuFacts cpu;
  QemuFacts qemu;
  std::string virtiofsd_version;
  ProcessFacts process;
  std::optional<ImageFacts> image;             ///< none: the guest has no disk
  bool is_running = false;                     ///< a VM of this name answers
  std::optional<Problem> runtime_problem;      ///< why the VM cannot have its runtime folder
  std::vector<ProcessSecurity> processes{};    ///< of the VM of this name, if it runs
  std::map<std::string, FolderFacts> folders;  ///< by absolute path: of shares, and where disks
                                               ///< keep their changes

  bool operator==(const DoctorFacts&) const = default;
};

}  // namespace vmr
