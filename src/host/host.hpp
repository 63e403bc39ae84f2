// SPDX-License-Identifier: MIT
// What this machine offers, as plain data: all that spec/ and plan/ know of the world.
#pragma once

#include "base/error.hpp"
#include "base/units.hpp"
#include "config/disk_record.hpp"
#include "config/words.hpp"

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace vmr {

/// What a file is by its own bytes, as far as a machine could be started from it.
struct FileContents {
  enum class Kind {
    unread,  ///< nobody looked, or could
    empty,
    blank,  ///< zeros, as far as was looked
    unknown,
    // Disks as they are.
    disk,  ///< with a partition table or a boot sector
    file_system,
    iso,
    swap,
    qcow2,
    // Disks in other formats.
    broken_qcow2,
    qcow1,
    qed,
    vmdk,
    vdi,
    vhd,
    vhdx,
    parallels,
    cloop,
    dmg,
    bochs,
    // What has to be unpacked.
    gzip,
    xz,
    lzma,
    zstd,
    bzip2,
    lz4,
    lzop,
    zip,
    seven_zip,
    rar,
    tar,
    ova,
    cpio,
    // Kernels and programs.
    linux_x86,
    linux_arm64,
    multiboot,
    uboot,
    elf_pvh,    ///< that QEMU can enter on x86
    elf_arm64,  ///< a kernel or a program
    elf,
    efi_program,
    // What came instead of a file.
    html,
    xml,
    lfs_pointer,
    text,
  };
  Kind kind = Kind::unread;
  std::string detail{};  ///< file_system: its name; broken_qcow2: what is wrong
  std::string label{};   ///< of a volume of ISO 9660 or FAT; empty: none

  bool operator==(const FileContents&) const = default;
};

/// What a path of the configuration turned out to be.
struct FileFacts {
  enum class Kind { missing, directory, regular, other };
  Kind kind = Kind::missing;
  bool readable = false;         ///< by us; a directory: also searchable
  bool read_only_mount = false;  ///< the file system it is on is mounted read-only
  Owner owner{};
  std::uint32_t mode = 0;        ///< permission bits
  std::uint64_t names = 1;       ///< a file: how many hard links it has
  std::string real_path{};       ///< the path without symbolic links; of a missing one, as far as
                                 ///< it is there
  bool reachable = false;        ///< every user may search the folders that lead to it
  std::string backing{};         ///< a disk image: the path of the image behind it; empty: none
  bool opens_unknown = false;    ///< a disk image: it names files in a way that only QEMU reads
  std::string obstacle{};        ///< why a missing folder could not be made; empty: it could
  FileContents contents{};       ///< of what a machine is started from
  std::string backing_format{};  ///< of `backing`, as the image says; empty: it does not
  bool has_data_file = false;    ///< a disk image: its contents are in another file
  std::string data_file{};       ///< as its header names that; empty: it does not
  std::string fingerprint{};     ///< of an image that a persistent disk is made over
  std::string place{};           ///< device and path on it, whichever mount leads there
  bool on_root_mount = false;    ///< on the mount of `/`
  bool root_has_layers = false;  ///< and that is layers over each other
  std::int64_t changed = 0;      ///< when its contents were last written, in ns since 1970
  std::string link{};  ///< a source of a mapped share: a symbolic link below it, by its path from
                       ///< there; empty: none was found
  bool lacks_user_attributes = false;  ///< its file system refuses extended attributes of users;
                                       ///< of what is missing: where it would be made
  std::string missing_parent{};        ///< the folder a missing path would be in, where that is
                                       ///< missing too
  /// What leads to it and is not above it, each by its real path and its place: symbolic links, and
  /// folders that `..` leaves. Whoever can write there chooses where it leads.
  std::vector<std::string> passed{};
  std::vector<std::string> mounts_below{};  ///< a folder: the places of what is mounted below it
  std::string stranger{};  ///< of where a persistent disk is, and of what is found there: who else
                           ///< could have chosen it; empty: nobody
  std::string kernel_file_system{};  ///< the name of a file system that shows what the kernel has
                                     ///< ("proc"); empty: it is on another

  bool operator==(const FileFacts&) const = default;
};

/// Whether KVM can be tried. Only a real start tells whether it works.
struct KvmFacts {
  enum class State { missing, no_permission, opens };
  State state = State::missing;
  std::string reason;  ///< what the system said, when it does not open
  Owner owner{};       ///< of /dev/kvm
  std::uint32_t mode = 0;

  bool operator==(const KvmFacts&) const = default;
};

struct VirtiofsdFacts {
  enum class Family { c, rust };  ///< C: part of QEMU up to 7.2; Rust: its successor
  std::string path;
  Family family = Family::rust;
  bool has_readonly = false;            ///< knows --readonly (Rust, from 1.13)
  bool has_sandbox_none = false;        ///< Rust only
  bool has_file_handles = false;        ///< knows --inode-file-handles
  bool has_translation = false;         ///< knows --translate-uid (Rust, from 1.13)
  bool has_modcaps = false;             ///< knows modcaps, which drops capabilities
  bool has_announce_submounts = false;  ///< knows the option of this name, and leaves it off
  bool has_killpriv_v2 = false;         ///< knows the option of this name, and leaves it off

  bool operator==(const VirtiofsdFacts&) const = default;
};

/// What this process may do, each probed by doing it in a child.
struct Abilities {
  bool sys_admin = false;        ///< may change the root in new mount and pid namespaces
  bool unshare_fs = false;       ///< unshare(CLONE_FS) is allowed
  bool chroot = false;           ///< chroot(2) is allowed
  bool user_namespace = false;   ///< the same in a new user namespace, which needs no privilege
  bool dac_read_search = false;  ///< open_by_handle_at is allowed

  bool operator==(const Abilities&) const = default;
};

/// What is known of the place of a persistent disk beyond its file.
struct DiskPlace {
  bool has_record = false;           ///< there is a file with its record
  std::optional<DiskRecord> record;  ///< none: there is none, or it is damaged
  std::uint64_t free = 0;            ///< bytes for a new disk
  std::uint64_t copy_size = 0;       ///< bytes that a full copy of the image takes; 0: not asked
  std::string copy_problem;          ///< why that cannot be told

  bool operator==(const DiskPlace&) const = default;
};

/// A guest that we know how to boot: a disk image, or a folder with a guest.toml.
struct GuestImage {
  std::string name;    ///< for people
  std::string kernel;  ///< absolute paths; empty: none
  std::string initrd;
  std::string disk;
  std::string disk_format;  ///< "qcow2" or "raw"; empty without a disk
  std::string cmdline;
  std::string login_user;                               ///< empty: unknown
  Architecture architecture = Architecture::automatic;  ///< automatic: unknown
  // Where its guest.toml names them; empty: it is BASE_IMAGE itself.
  std::string kernel_origin{};
  std::string initrd_origin{};
  std::string disk_origin{};
  std::string digest{};  ///< of the disk, as whoever made the guest wrote it; empty: not said

  bool operator==(const GuestImage&) const = default;
};

/// What runs this process, as far as it says so.
enum class Surroundings { machine, docker, podman, kubernetes, container };

/// Whether they are a container of any kind.
constexpr bool is_container(Surroundings surroundings) {
  return surroundings != Surroundings::machine;
}

struct Host {
  std::uint32_t uid = 0;  ///< effective
  std::uint32_t gid = 0;
  bool is_pid_1 = false;
  Surroundings surroundings = Surroundings::machine;
  bool own_network = false;           ///< its network is not the machine's: nothing is open to
                                      ///< others that its container engine does not publish
  std::string home;                   ///< for `~`
  std::string working_folder;         ///< relative paths start here
  std::string runtime_folder;         ///< absolute; runtime folders of VMs are made below it
  std::string short_runtime_folder;   ///< the same for a VM whose sockets' paths would be too long
  std::string temporary_folder;       ///< where QEMU keeps the changes of a disk until the end
  bool has_temporary_folder = true;   ///< it can be written
  std::string cache_folder;           ///< of guests and what programs told; empty: none
  std::string description_folder;     ///< where users describe vhost-user programs; empty: none
  std::vector<std::string> programs;  ///< beside QEMU and virtiofsd; and what the loader reads
  std::vector<std::string> program_folders;          ///< where they have their libraries and data
  Architecture architecture = Architecture::x86_64;  ///< of this machine
  KvmFacts kvm;
  std::string qemu;                               ///< absolute path; empty: not found
  std::string qemu_problem;                       ///< why there is none
  std::string firmware;                           ///< UEFI for an aarch64 guest; empty: not found
  std::optional<VirtiofsdFacts> virtiofsd;        ///< none when not needed or not found
  std::string virtiofsd_problem;                  ///< why there is none, in libvirt's words
  Abilities abilities;                            ///< probed only where a share may need virtiofsd
  bool other_user = false;                        ///< a child may become another user
  std::optional<std::uint32_t> own_user;          ///< reserved for QEMU; none: what its name gives
  std::vector<std::string> missing_capabilities;  ///< of root's, that virtiofsd needs: "CHOWN", …
  std::uint64_t open_files_limit = 0;             ///< hard limit
  std::optional<std::uint64_t> memory_limit;      ///< MiB, of our cgroup; none: no limit
  int landlock = 0;                               ///< version; 0: the kernel has none
  std::optional<GuestImage> guest;                ///< of BASE_IMAGE, or the default one
  std::vector<std::string> skipped;               ///< what another user could choose, and why
  std::string guest_toml;                         ///< that was read for it; empty: none
  std::string guest_problem;                      ///< why BASE_IMAGE cannot be used
  std::vector<Problem> guest_toml_problems;       ///< what is wrong in its guest.toml
  bool has_data_volume = false;                   ///< in a container: /data is mounted
  DiskPlace disk_place;                           ///< of the persistent disk, with PERSIST
  std::string user_data;                          ///< contents of CLOUD_INIT_USER_DATA
  std::string user_data_problem;                  ///< why it cannot be read
  std::optional<std::uint16_t>
      free_ssh_port;                 ///< the first free one of the ten from the wished one
  bool foreign_ssh_address = false;  ///< the wished one is none of this host's
  std::string ssh_port_obstacle;     ///< why the wished one cannot be had, if not for being in use
  std::string random;                ///< 32 hex digits of fresh randomness
  std::map<std::string, FileFacts> files;  ///< by absolute path: what the configuration names,
                                           ///< and the files that QEMU opens

  bool operator==(const Host&) const = default;
};

/// What `host` told about the absolute `path`; one that it did not look at counts as missing.
inline const FileFacts& facts_of(const std::string& path, const Host& host) {
  static const FileFacts unknown;
  const auto found = host.files.find(path);
  return found == host.files.end() ? unknown : found->second;
}

/// Whether a path is lost with the container that this is. The root of an engine's container ends
/// with it; that of others (LXC, systemd-nspawn) may stay, unless it is made of layers.
inline bool is_on_own_layer(const FileFacts& facts, const Host& host) {
  if (!is_container(host.surroundings)) return false;
  const bool by_engine = host.surroundings != Surroundings::container;
  return by_engine ? facts.on_root_mount : facts.root_has_layers;
}

}  // namespace vmr
