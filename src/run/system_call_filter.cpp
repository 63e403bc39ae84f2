// SPDX-License-Identifier: MIT
#include "run/system_call_filter.hpp"

#include "base/error.hpp"

#include <fmt/format.h>
#include <seccomp.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <fcntl.h>
#include <linux/keyctl.h>
#include <memory>
#include <string_view>
#include <ucontext.h>
#include <unistd.h>

namespace vmr {
namespace {

/// What a launcher does whose machine runs: it waits, reads and writes, answers at its sockets,
/// signals and waits for its children, and tidies up.
constexpr auto of_launcher = std::to_array<const char*>({"accept",
                                                         "accept4",
                                                         "access",
                                                         "bind",
                                                         "brk",
                                                         "chmod",
                                                         "chown",
                                                         "clock_getres",
                                                         "clock_gettime",
                                                         "clock_nanosleep",
                                                         "close",
                                                         "close_range",
                                                         "connect",
                                                         "dup",
                                                         "dup2",
                                                         "dup3",
                                                         "epoll_create1",
                                                         "epoll_ctl",
                                                         "epoll_pwait",
                                                         "epoll_wait",
                                                         "eventfd2",
                                                         "exit",
                                                         "exit_group",
                                                         "faccessat",
                                                         "faccessat2",
                                                         "fchmod",
                                                         "fchmodat",
                                                         "fchown",
                                                         "fchownat",
                                                         "fcntl",
                                                         "flock",
                                                         "fstat",
                                                         "fstatfs",
                                                         "futex",
                                                         "getcwd",
                                                         "getdents64",
                                                         "getegid",
                                                         "geteuid",
                                                         "getgid",
                                                         "getpeername",
                                                         "getpgid",
                                                         "getpgrp",
                                                         "getpid",
                                                         "getppid",
                                                         "getrandom",
                                                         "getrlimit",
                                                         "getrusage",
                                                         "getsid",
                                                         "getsockname",
                                                         "getsockopt",
                                                         "gettid",
                                                         "gettimeofday",
                                                         "getuid",
                                                         "ioctl",
                                                         "kill",
                                                         "lchown",
                                                         "listen",
                                                         "lseek",
                                                         "lstat",
                                                         "madvise",
                                                         "mkdir",
                                                         "mkdirat",
                                                         "mmap",
                                                         "mprotect",
                                                         "mremap",
                                                         "munmap",
                                                         "nanosleep",
                                                         "newfstatat",
                                                         "open",
                                                         "openat",
                                                         "pidfd_open",
                                                         "pidfd_send_signal",
                                                         "pipe2",
                                                         "poll",
                                                         "ppoll",
                                                         "pread64",
                                                         "prlimit64",
                                                         "pselect6",
                                                         "pwrite64",
                                                         "read",
                                                         "readlink",
                                                         "readlinkat",
                                                         "readv",
                                                         "recvfrom",
                                                         "recvmsg",
                                                         "restart_syscall",
                                                         "rmdir",
                                                         "rseq",
                                                         "rt_sigaction",
                                                         "rt_sigpending",
                                                         "rt_sigprocmask",
                                                         "rt_sigreturn",
                                                         "sched_getaffinity",
                                                         "sched_yield",
                                                         "select",
                                                         "sendmsg",
                                                         "sendto",
                                                         "set_robust_list",
                                                         "setsockopt",
                                                         "shutdown",
                                                         "sigaltstack",
                                                         "socket",
                                                         "socketpair",
                                                         "stat",
                                                         "statfs",
                                                         "statx",
                                                         "sysinfo",
                                                         "tgkill",
                                                         "time",
                                                         "timerfd_create",
                                                         "timerfd_gettime",
                                                         "timerfd_settime",
                                                         "umask",
                                                         "uname",
                                                         "unlink",
                                                         "unlinkat",
                                                         "utimensat",
                                                         "wait4",
                                                         "waitid",
                                                         "write",
                                                         "writev"});

/// What is needed, beside that, to start a virtiofsd with its sandbox, and by that itself.
constexpr auto of_helpers = std::to_array<const char*>({"alarm",
                                                        "arch_prctl",
                                                        "capget",
                                                        "capset",
                                                        "chdir",
                                                        "chroot",
                                                        "clone",
                                                        "clone3",
                                                        "copy_file_range",
                                                        "creat",
                                                        "epoll_create",
                                                        "epoll_pwait2",
                                                        "eventfd",
                                                        "execve",
                                                        "execveat",
                                                        "fadvise64",
                                                        "fallocate",
                                                        "fchdir",
                                                        "fdatasync",
                                                        "fgetxattr",
                                                        "flistxattr",
                                                        "fork",
                                                        "fremovexattr",
                                                        "fsetxattr",
                                                        "fsync",
                                                        "ftruncate",
                                                        "futex_waitv",
                                                        "futimesat",
                                                        "get_mempolicy",
                                                        "get_robust_list",
                                                        "getcpu",
                                                        "getdents",
                                                        "getgroups",
                                                        "getitimer",
                                                        "getpriority",
                                                        "getresgid",
                                                        "getresuid",
                                                        "getxattr",
                                                        "inotify_add_watch",
                                                        "inotify_init1",
                                                        "inotify_rm_watch",
                                                        "landlock_add_rule",
                                                        "landlock_create_ruleset",
                                                        "landlock_restrict_self",
                                                        "lgetxattr",
                                                        "link",
                                                        "linkat",
                                                        "listxattr",
                                                        "llistxattr",
                                                        "lremovexattr",
                                                        "lsetxattr",
                                                        "mbind",
                                                        "membarrier",
                                                        "memfd_create",
                                                        "mincore",
                                                        "mknod",
                                                        "mknodat",
                                                        "mlock",
                                                        "mlockall",
                                                        "mount",
                                                        "msync",
                                                        "munlock",
                                                        "name_to_handle_at",
                                                        "open_by_handle_at",
                                                        "openat2",
                                                        "pause",
                                                        "pipe",
                                                        "pivot_root",
                                                        "prctl",
                                                        "preadv",
                                                        "preadv2",
                                                        "pwritev",
                                                        "pwritev2",
                                                        "readahead",
                                                        "recvmmsg",
                                                        "removexattr",
                                                        "rename",
                                                        "renameat",
                                                        "renameat2",
                                                        "rt_sigqueueinfo",
                                                        "rt_sigsuspend",
                                                        "rt_sigtimedwait",
                                                        "rt_tgsigqueueinfo",
                                                        "sched_get_priority_max",
                                                        "sched_get_priority_min",
                                                        "sched_getparam",
                                                        "sched_getscheduler",
                                                        "sched_setaffinity",
                                                        "sched_setparam",
                                                        "sched_setscheduler",
                                                        "seccomp",
                                                        "sendfile",
                                                        "sendmmsg",
                                                        "set_mempolicy",
                                                        "set_tid_address",
                                                        "setfsgid",
                                                        "setfsuid",
                                                        "setgid",
                                                        "setgroups",
                                                        "setitimer",
                                                        "setpgid",
                                                        "setpriority",
                                                        "setregid",
                                                        "setresgid",
                                                        "setresuid",
                                                        "setreuid",
                                                        "setrlimit",
                                                        "setsid",
                                                        "setuid",
                                                        "setxattr",
                                                        "signalfd4",
                                                        "splice",
                                                        "symlink",
                                                        "symlinkat",
                                                        "sync_file_range",
                                                        "syncfs",
                                                        "tee",
                                                        "timer_create",
                                                        "timer_delete",
                                                        "timer_settime",
                                                        "times",
                                                        "tkill",
                                                        "truncate",
                                                        "umount2",
                                                        "unshare",
                                                        "utime",
                                                        "utimes",
                                                        "vfork"});

/// What GLib and QEMU's library try at their start, and do without.
constexpr auto refused_quietly = std::to_array<const char*>({"userfaultfd"});

/// Calls, by their numbers on every architecture, that newer C libraries try first and do without:
/// fchmodat2, map_shadow_stack, statmount, listmount, mseal.
constexpr auto not_there = std::to_array<int>({452, 453, 457, 458, 462});

/// Where the signal handler writes the numbers of refused calls.
int refused_calls = -1;

/// Runs in place of a call that was refused: says so, and makes it fail.
void take_refused_call(int, siginfo_t* info, void* machine_state) {
  const int before = errno;
  const int number = info->si_syscall;
  [[maybe_unused]] const auto written = ::write(refused_calls, &number, sizeof number);
  auto& registers = static_cast<ucontext_t*>(machine_state)->uc_mcontext;
#if defined(__x86_64__)
  registers.gregs[REG_RAX] = -ENOSYS;
#elif defined(__aarch64__)
  registers.regs[0] = static_cast<unsigned long long>(-ENOSYS);
#endif
  errno = before;
}

void check(int result) {
  if (result < 0) {
    throw Error("the launcher's system calls cannot be limited", std::strerror(-result), "");
  }
}

template <typename Names>
void add_rules(scmp_filter_ctx filter, std::uint32_t action, const Names& names) {
  for (const char* name : names) {
    const int number = ::seccomp_syscall_resolve_name(name);
    // Not every architecture, or library, has each.
    if (number >= 0) check(::seccomp_rule_add(filter, action, number, 0));
  }
}

void load_filter(bool starts_helpers) {
  const std::unique_ptr<void, decltype(&::seccomp_release)> filter(::seccomp_init(SCMP_ACT_TRAP),
                                                                   &::seccomp_release);
  if (!filter) check(-ENOMEM);
  // A tree of comparisons, not a list of hundreds.
  check(::seccomp_attr_set(filter.get(), SCMP_FLTATR_CTL_OPTIMIZE, 2));
  add_rules(filter.get(), SCMP_ACT_ALLOW, of_launcher);
  if (starts_helpers) {
    add_rules(filter.get(), SCMP_ACT_ALLOW, of_helpers);
    add_rules(filter.get(), SCMP_ACT_ERRNO(EPERM), refused_quietly);
    // A child leaves our keys behind.
    check(::seccomp_rule_add(filter.get(), SCMP_ACT_ALLOW, SCMP_SYS(keyctl), 1,
                             SCMP_A0(SCMP_CMP_EQ, KEYCTL_JOIN_SESSION_KEYRING)));
  }
  for (const int number : not_there) {
    check(::seccomp_rule_add(filter.get(), SCMP_ACT_ERRNO(ENOSYS), number, 0));
  }
  check(::seccomp_load(filter.get()));
}

}  // namespace

bool has_system_call_filter() {
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
  return false;
#else
  return true;
#endif
}

UniqueFd filter_system_calls(bool starts_helpers) {
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC | O_NONBLOCK) != 0) check(-errno);
  UniqueFd reading(ends[0]);
  // Kept open: the handler outlives whoever reads.
  if (refused_calls >= 0) ::close(refused_calls);
  refused_calls = ends[1];
  struct sigaction action {};
  action.sa_sigaction = take_refused_call;
  action.sa_flags = SA_SIGINFO | SA_RESTART;
  ::sigaction(SIGSYS, &action, nullptr);
  if (has_system_call_filter()) load_filter(starts_helpers);
  return reading;
}

std::string system_call_name(int number) {
  const std::unique_ptr<char, decltype(&std::free)> name(
      ::seccomp_syscall_resolve_num_arch(SCMP_ARCH_NATIVE, number), &std::free);
  return name ? name.get() : fmt::format("number {}", number);
}

}  // namespace vmr
