// SPDX-License-Identifier: MIT
#include "host/file_systems.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <linux/magic.h>
#include <string_view>
#include <sys/statfs.h>
#include <sys/xattr.h>
#include <unistd.h>

namespace vmr {
namespace {

struct FileSystem {
  long type;
  std::string_view name;
  bool is_kernels = false;  ///< shows what the kernel has; holds nothing of users
};

constexpr std::array file_systems = std::to_array<FileSystem>({
    {EXT4_SUPER_MAGIC, "ext4"},
    {0x58465342, "xfs"},
    {static_cast<long>(BTRFS_SUPER_MAGIC), "btrfs"},
    {OVERLAYFS_SUPER_MAGIC, "overlay"},
    {TMPFS_MAGIC, "tmpfs"},
    {NFS_SUPER_MAGIC, "nfs"},
    {static_cast<long>(0xff534d42), "cifs"},
    {static_cast<long>(0xfe534d42), "smb2"},
    {FUSE_SUPER_MAGIC, "fuse"},
    {V9FS_MAGIC, "9p"},
    {0x2fc12fc1, "zfs"},
    {static_cast<long>(F2FS_SUPER_MAGIC), "f2fs"},
    {MSDOS_SUPER_MAGIC, "vfat"},
    {0x2011bab0, "exfat"},
    {CEPH_SUPER_MAGIC, "ceph"},
    {SQUASHFS_MAGIC, "squashfs"},
    {RAMFS_MAGIC, "ramfs"},
    {PROC_SUPER_MAGIC, "proc", true},
    {SYSFS_MAGIC, "sysfs", true},
    {CGROUP_SUPER_MAGIC, "cgroup", true},
    {CGROUP2_SUPER_MAGIC, "cgroup2", true},
    {DEBUGFS_MAGIC, "debugfs", true},
    {TRACEFS_MAGIC, "tracefs", true},
    {SECURITYFS_MAGIC, "securityfs", true},
    {SELINUX_MAGIC, "selinuxfs", true},
    {DEVPTS_SUPER_MAGIC, "devpts", true},
    {static_cast<long>(BPF_FS_MAGIC), "bpf", true},
    {BINFMTFS_MAGIC, "binfmt_misc", true},
    {0x62656570, "configfs", true},
    {0x19800202, "mqueue", true},
    {0x65735543, "fusectl", true},
    {PSTOREFS_MAGIC, "pstore", true},
    {static_cast<long>(EFIVARFS_MAGIC), "efivarfs", true},
    {NSFS_MAGIC, "nsfs", true},
});

const FileSystem* find(long type) {
  const auto* const found = std::find_if(file_systems.begin(), file_systems.end(),
                                         [&](const FileSystem& one) { return one.type == type; });
  return found == file_systems.end() ? nullptr : found;
}

}  // namespace

std::string file_system_name(long type) {
  const auto* known = find(type);
  return known == nullptr ? fmt::format("{:#x}", type) : std::string(known->name);
}

std::string kernel_file_system_of(const std::string& path) {
  struct statfs facts {};
  if (::statfs(path.c_str(), &facts) != 0) return {};
  const auto* known = find(facts.f_type);
  return known == nullptr || !known->is_kernels ? std::string() : std::string(known->name);
}

bool lacks_user_attributes(const std::string& path) {
  // Asking for one that is not there changes nothing and tells whether there could be one.
  return ::getxattr(path.c_str(), "user.vm-runner.none", nullptr, 0) < 0 && errno == ENOTSUP;
}

std::string find_obstacle_in(const std::string& path) {
  if (::access(path.c_str(), W_OK | X_OK) != 0) {
    return fmt::format("{}: {}", path, std::strerror(errno));
  }
  // Root may write there, says access(2), though mkdir(2) would fail or mean something else.
  const auto name = kernel_file_system_of(path);
  if (name.empty()) return {};
  return fmt::format("{}: a file system of the kernel's own ({})", path, name);
}

}  // namespace vmr
