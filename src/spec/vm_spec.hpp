// SPDX-License-Identifier: MIT
// What is meant, checked: a VM that can be planned without asking anything again.
#pragma once

#include "base/error.hpp"
#include "config/config.hpp"
#include "config/share_tag.hpp"
#include "host/host.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace vmr {

/// One share, checked and complete.
struct Share {
  int number = 1;
  std::string tag;
  std::string source;                ///< absolute
  std::string mount;                 ///< absolute, in the guest
  Driver driver = Driver::virtiofs;  ///< automatic: unknown, beside a problem that says why
  AccessMode accessmode = AccessMode::passthrough;
  bool readonly = false;
  bool create_source = false;  ///< the folder is missing and will be made
  CacheMode cache = CacheMode::automatic;
  std::optional<Owner> owner;       ///< virtiofs: who the guest acts as on the host
  Owner guest_owner;                ///< with `owner`: what its files belong to in the guest
  Sandbox sandbox = Sandbox::none;  ///< virtiofs: never automatic
  std::uint32_t fmode = 0644;       ///< 9p mapped
  std::uint32_t dmode = 0755;
  Multidevs multidevs = Multidevs::remap;  ///< 9p
  std::optional<WritePolicy> wrpolicy;     ///< 9p
  std::uint64_t queue_size = 1024;         ///< virtiofs
  std::uint64_t thread_pool_size = 0;
  bool xattr = false;
  bool posix_acl = false;
  bool privileged_files = false;  ///< set-user-ID programs, devices, file capabilities

  bool operator==(const Share&) const = default;
};

struct Boot {
  std::string kernel;  ///< empty: the disk's own boot loader
  std::string initrd;
  std::string cmdline;

  bool operator==(const Boot&) const = default;
};

/// An image that QEMU only reads.
struct DiskImage {
  std::string path;
  std::string format;  ///< "qcow2" or "raw"

  bool operator==(const DiskImage&) const = default;
};

struct Disk {
  std::string image;
  std::string format;      ///< of `image`: "qcow2" or "raw"
  std::string persistent;  ///< path of the disk that keeps changes; empty: changes are dropped
  bool is_copy = false;    ///< the persistent disk needs no image behind it
  std::vector<DiskImage> behind{};  ///< the images behind `image`, from the nearest on
  std::string record{};  ///< what has to be written beside the persistent disk; empty: nothing
  std::vector<std::pair<std::string, std::string>> copies{};  ///< files that are kept with a copy:
                                                              ///< from where, to where

  bool operator==(const Disk&) const = default;
};

/// The images that QEMU reads behind the file that it writes to, from the nearest on; for a disk
/// whose changes are dropped, `image` is the first.
std::vector<DiskImage> images_of(const Disk& disk);

/// What the guest is told through cloud-init.
struct CloudInit {
  std::string user_data;      ///< verbatim; empty: none
  std::string password_hash;  ///< crypt(5), SHA-512; empty: no password login
  std::vector<std::string> ssh_keys;

  bool operator==(const CloudInit&) const = default;
};

/// The guest's memory where the user's own QEMU arguments make it.
enum class OwnMemory { none, shared, not_shared };

/// A disk among the user's own QEMU arguments that is a plain file.
struct OwnDisk {
  std::string path;  ///< absolute
  bool is_read_only = false;
  std::vector<DiskImage> behind;  ///< from the nearest on

  bool operator==(const OwnDisk&) const = default;
};

struct VmSpec {
  std::string name;
  std::uint64_t memory_mib = 0;
  std::uint64_t cpus = 0;
  std::vector<Accelerator> accelerators;  ///< in the order they are tried; never automatic
  std::string cpu_model;                  ///< empty: host under KVM, max under TCG
  Architecture architecture = Architecture::x86_64;  ///< never automatic
  OwnMemory own_memory = OwnMemory::none;            ///< none: QEMU gets memory from us
  std::string machine;
  std::string firmware;  ///< UEFI that starts the disk's boot loader; empty: QEMU's own
  Boot boot;
  std::optional<Disk> disk;
  std::vector<Share> shares;
  SshForward ssh;  ///< port 0: none
  Network network = Network::open;
  std::optional<CloudInit> cloud_init;
  std::string login_user;          ///< empty: unknown
  std::string generated_password;  ///< shown once, when none was given; else empty
  bool console = true;
  std::chrono::milliseconds start_timeout{};
  std::chrono::milliseconds stop_timeout{};
  HelperExitPolicy on_helper_exit = HelperExitPolicy::stop;
  std::size_t hotplug_shares = 0;       ///< how many shares can be added while it runs
  QemuUser qemu_user;                   ///< automatic stays so: the plan decides
  std::vector<std::string> extra_args;  ///< the user's own QEMU arguments
  std::vector<std::string> qemu_args;   ///< more of them, behind `--`
  std::vector<OwnDisk> own_disks{};     ///< of both
  bool opens_unknown = false;           ///< one of them names what cannot be known

  bool operator==(const VmSpec&) const = default;
};

/// The spec, or every reason why there is none; warnings and notes either way.
struct Resolved {
  VmSpec spec;  ///< meaningful only without problems
  std::vector<Problem> problems;
  std::vector<std::string> warnings;
  std::vector<std::string> notes;  ///< what was chosen, for information
};

/// Checks `config` against every rule and against `host`. Pure.
Resolved resolve(const Config& config, const Host& host);

}  // namespace vmr
