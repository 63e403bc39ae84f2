// SPDX-License-Identifier: MIT
#include "host/abilities.hpp"

#include "base/capabilities.hpp"
#include "base/own_user.hpp"
#include "host/wait_for_exit.hpp"

#include <array>
#include <cerrno>
#include <fcntl.h>
#include <linux/capability.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>
#include <utility>
#include <vector>

namespace vmr {
namespace {

/// Whether `attempt` returns true in a child process, which then ends.
bool works_in_child(bool (*attempt)()) {
  const pid_t pid = ::fork();
  if (pid == 0) ::_exit(attempt() ? 0 : 1);
  if (pid < 0) return false;
  const int status = wait_for_exit(pid);
  return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

bool open_by_handle() {
  union {
    file_handle handle;
    std::array<char, sizeof(file_handle) + MAX_HANDLE_SZ> space;
  } buffer{};
  buffer.handle.handle_bytes = MAX_HANDLE_SZ;
  const int root = ::open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  int mount_id = 0;
  if (root < 0) return false;
  // A file system without handles cannot be asked; the permission is checked before the handle.
  ::name_to_handle_at(root, "", &buffer.handle, &mount_id, AT_EMPTY_PATH);
  return ::open_by_handle_at(root, &buffer.handle, O_PATH) >= 0 || errno != EPERM;
}

/// What virtiofsd's namespace sandbox does inside its namespaces. Mounting proc fails where parts
/// of the outer one are hidden, as in most containers; the last step fails where the root file
/// system is not a mount that can be moved. Both whatever the privileges.
bool change_root() {
  constexpr const char* folder = "/etc";
  return ::mount(nullptr, "/", nullptr, MS_REC | MS_SLAVE, nullptr) == 0 &&
         ::mount("proc", "/proc", "proc", MS_NODEV | MS_NOEXEC | MS_NOSUID, nullptr) == 0 &&
         ::mount(folder, folder, nullptr, MS_BIND | MS_REC, nullptr) == 0 && ::chdir(folder) == 0 &&
         ::syscall(SYS_pivot_root, ".", ".") == 0;
}

/// Whether the whole sandbox works in new namespaces of these kinds; only a child of the one that
/// unshares is in the new pid namespace.
template <int kinds>
bool sandbox_in_namespaces() {
  return ::unshare(kinds) == 0 && works_in_child(change_root);
}

/// Whether a process of root's can become a user of QEMU's own.
bool become_other_user() {
  // It has to be signalled, and given its files.
  constexpr auto needed = capability_set({CAP_KILL, CAP_CHOWN});
  if ((effective_capabilities() & needed) != needed) return false;
  // The highest of them: the ids of a container may end before it.
  constexpr auto id = last_own_user;
  return ::syscall(SYS_setgroups, 0, nullptr) == 0 && ::syscall(SYS_setresgid, id, id, id) == 0 &&
         ::syscall(SYS_setresuid, id, id, id) == 0;
}

/// In the exit status of the child that tries it all.
enum Bit : int {
  can_sys_admin = 1,
  can_unshare_fs = 2,
  can_chroot = 4,
  can_user_namespace = 8,
  can_dac_read_search = 16,
  can_become_other_user = 32,
  got_to_the_end = 64,
};

struct Attempt {
  Bit bit;
  bool (*works)();
};

/// In an order in which none changes what the next ones find.
std::vector<Attempt> attempts_of(AbilitiesProbe::Scope scope) {
  using Scope = AbilitiesProbe::Scope;
  const bool is_root = ::geteuid() == 0;
  std::vector<Attempt> attempts;
  if (scope != Scope::users) {
    attempts.push_back({can_sys_admin, [] {
                          constexpr int kinds = CLONE_NEWNS | CLONE_NEWPID;
                          return works_in_child(sandbox_in_namespaces<kinds>);
                        }});
    if (!is_root || scope == Scope::all) {
      attempts.push_back({can_user_namespace, [] {
                            constexpr int kinds = CLONE_NEWUSER | CLONE_NEWNS | CLONE_NEWPID;
                            return works_in_child(sandbox_in_namespaces<kinds>);
                          }});
    }
    attempts.push_back({can_dac_read_search, open_by_handle});
    attempts.push_back({can_unshare_fs, [] { return ::unshare(CLONE_FS) == 0; }});
    attempts.push_back({can_chroot, [] { return ::chroot("/") == 0; }});
  }
  if (is_root) attempts.push_back({can_become_other_user, become_other_user});
  return attempts;
}

/// The bits of those that work, tried in this process, whom they change for good.
int try_all(AbilitiesProbe::Scope scope) {
  int able = got_to_the_end;
  for (const auto& attempt : attempts_of(scope)) able |= attempt.works() ? attempt.bit : 0;
  return able;
}

/// The same with a child for each: a seccomp profile may kill who makes one of the calls.
int try_each(AbilitiesProbe::Scope scope) {
  int able = 0;
  for (const auto& attempt : attempts_of(scope)) {
    able |= works_in_child(attempt.works) ? attempt.bit : 0;
  }
  return able;
}

pid_t fork_whose_status_is_kept() {
  stop_ignoring_sigchld();
  return ::fork();
}

}  // namespace

AbilitiesProbe::AbilitiesProbe(Scope scope) : scope_(scope), child_(fork_whose_status_is_kept()) {
  if (child_ == 0) ::_exit(try_all(scope));
}

AbilitiesProbe::~AbilitiesProbe() {
  if (child_ > 0) wait_for_exit(child_);
}

AbleTo AbilitiesProbe::wait() {
  const int status = child_ > 0 ? wait_for_exit(std::exchange(child_, -1)) : 0;
  int able = WIFEXITED(status) ? WEXITSTATUS(status) : 0;
  if ((able & got_to_the_end) == 0) able = try_each(scope_);
  const auto has = [&](Bit bit) { return (able & bit) != 0; };
  return {{has(can_sys_admin), has(can_unshare_fs), has(can_chroot), has(can_user_namespace),
           has(can_dac_read_search)},
          has(can_become_other_user)};
}

CapabilitySet effective_capabilities() {
  __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
  std::array<__user_cap_data_struct, 2> sets{};
  if (::syscall(SYS_capget, &header, sets.data()) != 0) return 0;
  return CapabilitySet{sets[1].effective} << 32 | sets[0].effective;
}

std::vector<std::string> find_missing_capabilities() {
  if (::geteuid() != 0) return {};
  return names_of(capabilities_of_virtiofsd() & ~effective_capabilities());
}

}  // namespace vmr
