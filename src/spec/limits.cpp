// SPDX-License-Identifier: MIT
#include "spec/limits.hpp"

#include <fmt/format.h>

namespace vmr {
namespace {

/// With fewer a guest that lists a large folder gets a part of it, and files seem empty.
constexpr std::uint64_t few_open_files = 16384;

bool keeps_mapping(const Share& share) {
  return share.driver == Driver::ninep && share.accessmode == AccessMode::mapped;
}

}  // namespace

bool needs_attributes(const Share& share) {
  return keeps_mapping(share) || share.xattr || share.posix_acl;
}

std::optional<std::string> find_lacking_attributes(const Share& share, const Host& host) {
  if (share.readonly || !needs_attributes(share)) return std::nullopt;
  if (!facts_of(share.source, host).lacks_user_attributes) return std::nullopt;
  const auto start =
      fmt::format("Filesystem #{}: the file system of '{}' has no extended attributes of users",
                  share.number, share.source);
  if (keeps_mapping(share)) {
    return start +
           ", in which 'mapped' keeps owners and modes: the guest can make nothing there; put the "
           "source on ext4, xfs or btrfs, or use another ACCESSMODE";
  }
  return start +
         ": what the guest sets (XATTR, POSIX_ACL) is refused; put the source on ext4, xfs or "
         "btrfs, or leave them out";
}

std::vector<std::string> find_limits(const VmSpec& spec, const Host& host) {
  std::vector<std::string> warnings;
  const auto wanted = spec.memory_mib + own_memory_mib;
  if (host.memory_limit && *host.memory_limit < wanted) {
    warnings.push_back(fmt::format(
        "MEMORY is {} MiB, and this process may use {} MiB with all that it starts: the kernel "
        "kills QEMU once the guest uses more; set the limit (docker run --memory, systemd's "
        "MemoryMax) to {} MiB or MEMORY lower",
        spec.memory_mib, *host.memory_limit, wanted));
  }
  if (!spec.shares.empty() && host.open_files_limit < few_open_files) {
    warnings.push_back(fmt::format(
        "a process may have {} files open here, and each file that the guest knows in a share "
        "takes one: listings may be cut short and files seem empty; raise the limit (docker run "
        "--ulimit nofile=1048576, ulimit -Hn, systemd's LimitNOFILE)",
        host.open_files_limit));
  }
  for (const auto& share : spec.shares) {
    if (auto lacking = find_lacking_attributes(share, host)) {
      warnings.push_back(std::move(*lacking));
    }
  }
  return warnings;
}

}  // namespace vmr
