// SPDX-License-Identifier: MIT
#include "host/landlock.hpp"

#include "base/error.hpp"
#include "host/open_path.hpp"

#include <fmt/format.h>

#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <fcntl.h>
#include <linux/landlock.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace vmr {
namespace {

// Newer than the headers of Debian 12.
constexpr std::uint64_t access_truncate = 1ULL << 14;  // version 3
constexpr std::uint64_t access_bind_tcp = 1ULL << 0;   // version 4
constexpr int rule_of_port = 2;
constexpr std::uint64_t access_ioctl = 1ULL << 15;          // version 5: of devices
constexpr std::uint64_t scope_abstract_socket = 1ULL << 0;  // version 6
constexpr std::uint64_t scope_signal = 1ULL << 1;

/// struct landlock_ruleset_attr, as of version 6.
struct RulesetAttributes {
  std::uint64_t files;
  std::uint64_t network;
  std::uint64_t scope;
};

/// struct landlock_net_port_attr.
struct PortRule {
  std::uint64_t allowed;
  std::uint64_t port;
};

constexpr std::uint64_t reading =
    LANDLOCK_ACCESS_FS_EXECUTE | LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR;
/// What can be allowed for something that is not a folder.
constexpr std::uint64_t of_files = LANDLOCK_ACCESS_FS_EXECUTE | LANDLOCK_ACCESS_FS_READ_FILE |
                                   LANDLOCK_ACCESS_FS_WRITE_FILE | access_truncate | access_ioctl;

/// What concerns devices in a folder; a device that a rule names is meant as it is.
constexpr std::uint64_t of_devices =
    LANDLOCK_ACCESS_FS_MAKE_CHAR | LANDLOCK_ACCESS_FS_MAKE_BLOCK | access_ioctl;

/// Every access that this version knows.
std::uint64_t known_accesses(int version) {
  std::uint64_t accesses = LANDLOCK_ACCESS_FS_REFER * 2 - 1;
  if (version >= 3) accesses |= access_truncate;
  if (version >= 5) accesses |= access_ioctl;
  return accesses;
}

void add_rule(const UniqueFd& ruleset, const FileRule& rule, std::uint64_t known) {
  const auto fail = [&] {
    throw Error(fmt::format("QEMU or virtiofsd cannot be limited to '{}'", rule.path),
                std::strerror(errno), "QEMU_USER=launcher starts them without limits");
  };
  const UniqueFd file = rule.follow_links ? UniqueFd(::open(rule.path.c_str(), O_PATH | O_CLOEXEC))
                                          : open_path(rule.path, false);
  if (!file && (errno == ENOENT || errno == ENOTDIR || errno == EACCES)) return;
  struct stat facts {};
  if (!file || ::fstat(file.get(), &facts) != 0) fail();
  landlock_path_beneath_attr attributes{};
  attributes.parent_fd = file.get();
  const bool is_folder = S_ISDIR(facts.st_mode);
  attributes.allowed_access = known & (is_folder ? known : of_files);
  if (rule.access == FileRule::Access::read) attributes.allowed_access &= reading;
  if (rule.access == FileRule::Access::write && is_folder) {
    attributes.allowed_access &= ~of_devices;
  }
  if (::syscall(SYS_landlock_add_rule, ruleset.get(), LANDLOCK_RULE_PATH_BENEATH, &attributes, 0) !=
      0) {
    fail();
  }
}

void add_port(const UniqueFd& ruleset, std::uint16_t port) {
  const PortRule rule{access_bind_tcp, port};
  if (::syscall(SYS_landlock_add_rule, ruleset.get(), rule_of_port, &rule, 0) != 0) {
    throw Error(fmt::format("QEMU cannot be let listen at port {}", port), std::strerror(errno),
                "QEMU_USER=launcher starts it without limits");
  }
}

}  // namespace

int landlock_version() {
  const auto version =
      ::syscall(SYS_landlock_create_ruleset, nullptr, 0, LANDLOCK_CREATE_RULESET_VERSION);
  // The first one lets nobody move a file from one folder to another, whatever the rules.
  return version > 1 ? static_cast<int>(version) : 0;
}

UniqueFd make_landlock_ruleset(const std::vector<FileRule>& files,
                               const std::vector<std::uint16_t>& tcp_ports) {
  const int version = landlock_version();
  if (version == 0) return {};
  const auto known = known_accesses(version);
  RulesetAttributes attributes{known, access_bind_tcp, scope_abstract_socket | scope_signal};
  // An older kernel refuses what it does not know.
  const auto size = version >= 6   ? sizeof attributes
                    : version >= 4 ? offsetof(RulesetAttributes, scope)
                                   : offsetof(RulesetAttributes, network);
  UniqueFd ruleset(static_cast<int>(::syscall(SYS_landlock_create_ruleset, &attributes, size, 0)));
  if (!ruleset) throw Error("no Landlock ruleset can be made", std::strerror(errno), "");
  for (const auto& rule : files) add_rule(ruleset, rule, known);
  for (const auto port : tcp_ports) {
    if (version >= 4) add_port(ruleset, port);
  }
  return ruleset;
}

int put_on_landlock(int ruleset) {
  return ::syscall(SYS_landlock_restrict_self, ruleset, 0) == 0 ? 0 : errno;
}

}  // namespace vmr
