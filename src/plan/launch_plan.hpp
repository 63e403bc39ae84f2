// SPDX-License-Identifier: MIT
// What will be done, as data. `args` prints it, `run` executes it.
#pragma once

#include "base/confinement.hpp"
#include "host/host.hpp"
#include "spec/vm_spec.hpp"

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace vmr {

/// Where the files of one running VM are; all but `control` are gone once QEMU has opened them.
struct RuntimePaths {
  std::string folder;  ///< 0700, one VM each
  std::string seed;    ///< empty without a seed
  std::string qmp;
  std::string console;
  std::string reports;    ///< the guest's words about its mounts
  std::string agent{};    ///< the guest agent
  std::string control{};  ///< the launcher's own; there as long as the VM is

  bool operator==(const RuntimePaths&) const = default;
};

/// A listening socket that the launcher binds and the child finds at descriptor `fd`.
struct Listener {
  int fd = 3;
  std::string path;

  bool operator==(const Listener&) const = default;
};

/// A socket that the launcher connects to `path` and the child finds at descriptor `fd`.
struct Connection {
  int fd = 3;
  std::string path;

  bool operator==(const Connection&) const = default;
};

/// What the launcher opens and the child finds at descriptor `fd`: what was looked at is what is
/// used, and the folders on the way need not let the child through.
struct OpenedPath {
  int fd = 3;
  std::string told;           ///< as everybody but the child calls it
  std::string path;           ///< where the launcher opens it
  bool follow_links = false;  ///< nobody has looked at it: `path` may lead through symbolic links

  bool operator==(const OpenedPath&) const = default;
};

/// A process to start: argv[0] is an absolute path.
struct ProcessPlan {
  std::string name;  ///< "qemu", "virtiofsd-1"
  std::vector<std::string> argv;
  std::vector<Listener> listeners;
  Confinement confinement{};  ///< what it is left with; not in any script
  std::string working_folder = "/";
  std::vector<Connection> connections{};
  /// Where a folder of its own is made for its temporary files, as which the rules for files of
  /// `confinement` have this one; empty: none is.
  std::string temporary_files_in{};
  std::vector<OpenedPath> opened{};
  /// With `opened`: `argv` with the names that the child knows, as the launcher starts it. A script
  /// has the paths.
  std::vector<std::string> opened_argv{};
  /// A folder over which, in a mount namespace of its own, the child finds the first of `opened`;
  /// empty: there is none.
  std::string mounted_at{};

  bool operator==(const ProcessPlan&) const = default;
};

/// QEMU arguments that belong together.
struct ArgumentGroup {
  std::string name;  ///< "machine", "memory", "shares", …
  std::vector<std::string> arguments;
  int share = 0;                       ///< the number of the share that they are of; 0: of none
  std::vector<std::string> written{};  ///< as the user wrote them, where that is not the same

  bool operator==(const ArgumentGroup&) const = default;
};

/// One share, from the host's folder to the guest's mount.
struct SharePlan {
  Share share;
  std::optional<ProcessPlan> helper;  ///< virtiofs: its daemon
  std::vector<std::string> qemu_arguments;
  std::optional<Connection> connection{};  ///< of QEMU to the daemon

  bool operator==(const SharePlan&) const = default;
};

/// The files of the NoCloud seed.
struct SeedContents {
  std::string meta_data;
  std::string user_data;
  std::string vendor_data;

  bool operator==(const SeedContents&) const = default;
};

/// QEMU under one accelerator.
struct QemuPlan {
  Accelerator accelerator = Accelerator::tcg;
  std::vector<ArgumentGroup> groups;
  ProcessPlan process;  ///< the groups, flattened
  /// The user's options for which it works in the user's folder: only QEMU knows what they name.
  std::vector<std::string> unread{};

  bool operator==(const QemuPlan&) const = default;
};

struct LaunchPlan {
  std::string vm_name;
  RuntimePaths paths;
  std::vector<SharePlan> shares;
  std::optional<SeedContents> seed;
  std::vector<QemuPlan> attempts;  ///< the first is tried first; the next when it dies before ready
  std::vector<std::string> create_folders;    ///< missing sources of writable shares
  std::optional<Disk> persistent_disk;        ///< its overlay is made when it is not there yet
  SshForward ssh;                             ///< port 0: none
  std::chrono::milliseconds start_timeout{};  ///< for QEMU's first answer
  std::chrono::milliseconds stop_timeout{};
  std::uint64_t memory_mib = 0;  ///< of the guest
  HelperExitPolicy on_helper_exit = HelperExitPolicy::stop;
  std::vector<std::string> hotplug_ports;  ///< QEMU's buses for shares that are added later
  bool console = true;
  std::string login_note{};  ///< how to log in with the password made for this run; empty: none was
  int landlock = 0;          ///< version of the kernel's; 0: none
  bool locks_down = true;    ///< the launcher gives up, for ever, what it does not need any more

  bool operator==(const LaunchPlan&) const = default;
};

/// The shares of `plan` without what is done for them.
std::vector<Share> shares_of(const LaunchPlan& plan);

/// The folder of the VM `name` while it runs; of `host` only its runtime folders count.
std::string runtime_folder_of(const std::string& name, const Host& host);

/// Where the launcher of the VM `name` answers; of `host` only its runtime folders count.
std::string control_socket_of(const std::string& name, const Host& host);

/// Decides everything. Pure; cannot fail for a spec without problems.
LaunchPlan make_plan(const VmSpec& spec, const Host& host);

/// How to log in with the password made for this run; empty when somebody chose one.
std::string login_note(const VmSpec& spec);

/// "Filesystem #1: /share -> guest tag 'share' (read-write, driver=virtiofs, …)".
std::string describe(const Share& share);

/// Where the source leads, when symbolic links are on the way; else empty.
std::string describe_real_source(const Share& share, const Host& host);

}  // namespace vmr
