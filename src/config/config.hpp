// SPDX-License-Identifier: MIT
// What the user said, and where: plain data, nothing checked against the machine yet.
#pragma once

#include "base/units.hpp"
#include "config/given.hpp"
#include "config/words.hpp"

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace vmr {

/// One share, as asked for. Every field carries its default when nobody set it, but for `source`
/// (required: empty is a problem) and `target` (empty: last component of the source).
struct ShareConfig {
  int number = 1;  ///< 1 is FILESYSTEM_…, 2 is FILESYSTEM2_…
  Origin origin;   ///< what made it a share: a line [[share]], else the first of its settings
  Given<std::string> source;
  Given<std::string> target;
  Given<Driver> driver;
  Given<AccessMode> accessmode;
  Given<bool> readonly;
  Given<std::string> mount;  ///< empty: /mnt/<tag>
  Given<CacheMode> cache;
  Given<std::optional<Owner>> owner;
  Given<std::optional<std::uint32_t>> fmode;  ///< permission bits
  Given<std::optional<std::uint32_t>> dmode;
  Given<std::optional<Multidevs>> multidevs;
  Given<std::optional<WritePolicy>> wrpolicy;
  Given<Sandbox> sandbox;
  Given<std::optional<std::uint64_t>> queue_size;
  Given<std::optional<std::uint64_t>> thread_pool_size;
  Given<bool> xattr;
  Given<bool> posix_acl;
  Given<bool> privileged_files;

  bool operator==(const ShareConfig&) const = default;
};

/// A host address and port for the guest's port 22; `port` 0 means no forward.
struct SshForward {
  std::string address;  ///< empty: chosen by spec/resolve.cpp
  std::uint16_t port = 0;

  bool operator==(const SshForward&) const = default;
};

/// Whom QEMU runs as.
struct QemuUser {
  enum class Kind { automatic, launcher, given };
  Kind kind = Kind::automatic;
  Owner given{};  ///< meaningful for `given`

  bool operator==(const QemuUser&) const = default;
};

/// The word of BASE_IMAGE for a machine without a disk of ours.
inline constexpr std::string_view no_base_image = "none";

/// The whole configuration. Text fields are empty when unset.
struct Config {
  Given<std::uint64_t> memory;  ///< MiB
  Given<std::uint64_t> cpus;
  Given<std::string> base_image;
  Given<std::string> kernel;
  Given<std::string> initrd;
  Given<std::string> cmdline;
  Given<Accelerator> accel;
  Given<bool> require_kvm;
  Given<std::string> cpu_model;  ///< empty: host under KVM, max under TCG
  Given<std::string> machine;    ///< empty: q35, or virt for aarch64
  Given<Architecture> arch;      ///< automatic: this machine's
  Given<std::string> guest_name;
  Given<std::string> guest_password;
  Given<std::string> guest_password_file;  ///< path of a file
  Given<SshForward> ssh_port;
  Given<Network> network;
  Given<std::string> ssh_pubkey;  ///< one key a line
  Given<bool> persist;
  Given<PersistBase> persist_base;
  Given<std::string> data_dir;
  Given<std::string> backing_dir;  ///< where images behind BASE_IMAGE may be, beside its own folder
  Given<bool> cloud_init;
  Given<std::string> cloud_init_user_data;  ///< path of a file
  Given<bool> no_console;
  Given<std::vector<std::string>> extra_args;
  Given<bool> log_verbose;
  Given<LogFormat> log_format;
  Given<std::optional<std::chrono::milliseconds>> start_timeout;  ///< unset: by the memory
  Given<std::optional<std::chrono::milliseconds>> stop_timeout;   ///< unset: by the way we run
  Given<HelperExitPolicy> on_helper_exit;
  Given<std::uint64_t> hotplug_shares;
  Given<QemuUser> qemu_user;
  Given<bool> allow_unknown_images;              ///< among the user's own QEMU arguments
  Given<bool> allow_open_data_dir;               ///< others may write to DATA_DIR
  Given<std::vector<StartKind>> allow_in_share;  ///< what a guest may write to all the same
  std::vector<ShareConfig> shares;               ///< by number, ascending
  std::vector<std::string> qemu_args;            ///< behind `--`
  std::string config_file;                       ///< as it was named; empty: none

  bool operator==(const Config&) const = default;
};

}  // namespace vmr
