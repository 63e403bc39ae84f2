// SPDX-License-Identifier: MIT
// The system calls of a program that was taken over: what the kernel answers it.
#pragma once

#include <array>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <fcntl.h>
#include <sched.h>
#include <string>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>
#include <vector>

namespace fake {

/// A call that does nothing even where it is let through: of no file, with no address.
struct HostileCall {
  std::string name;
  int error;  ///< 0: it succeeded
};

inline std::vector<HostileCall> try_hostile_calls() {
  std::vector<HostileCall> calls;
  const auto add = [&](const char* name, long result) {
    calls.push_back({name, result < 0 ? errno : 0});
    return result;
  };
  const auto add_socket = [&](const char* name, int family) {
    const auto fd = add(name, ::socket(family, SOCK_DGRAM | SOCK_CLOEXEC, 0));
    if (fd >= 0) ::close(static_cast<int>(fd));
  };
  // Not by the C library, which leaves some of them to others, and has no name for others.
  const auto call = [](long number, auto... arguments) { return ::syscall(number, arguments...); };
  const char* const none = "/nowhere/file";
  add_socket("socket IPv4", AF_INET);
  add_socket("socket IPv6", AF_INET6);
  add_socket("socket UNIX", AF_UNIX);
  add_socket("socket NETLINK", AF_NETLINK);
  add_socket("socket PACKET", AF_PACKET);
  add_socket("socket VSOCK", AF_VSOCK);
  add("socket UNIX, high bits", call(SYS_socket, 0x100000001L, SOCK_DGRAM, 0));
  add("socket ALG", call(SYS_socket, AF_ALG, 99, 0));
  std::array<int, 2> pair = {-1, -1};
  const auto add_pair = [&](const char* name, int type) {
    if (add(name, ::socketpair(AF_UNIX, type | SOCK_CLOEXEC, 0, pair.data())) < 0) return;
    for (const int fd : pair) ::close(fd);
  };
  add_pair("pair of streams", SOCK_STREAM);
  add_pair("pair of datagrams", SOCK_DGRAM);
  add("keyctl", call(SYS_keyctl, 99, 0, 0, 0, 0));
  add("add_key", call(SYS_add_key, nullptr, nullptr, nullptr, 0, 0));
  add("ptrace", call(SYS_ptrace, 99, 0, 0, 0));
  add("process_vm_readv", call(SYS_process_vm_readv, 0, nullptr, 0, nullptr, 0, 9));
  add("pidfd_getfd", call(SYS_pidfd_getfd, -1, -1, 0));
  add("bpf", call(SYS_bpf, 999, nullptr, 0));
  add("perf_event_open", call(SYS_perf_event_open, nullptr, 0, -1, -1, 0));
  add("userfaultfd", call(SYS_userfaultfd, -1));
  add("io_uring_setup", call(SYS_io_uring_setup, 0, nullptr));
  add("mount", call(SYS_mount, none, none, "none", 0, nullptr));
  add("open_tree", call(SYS_open_tree, -1, none, 0));
  add("unshare", call(SYS_unshare, 0x1));
  // With a flag that no new namespace of users goes with.
  add("clone", call(SYS_clone, CLONE_NEWUSER | CLONE_FS | SIGCHLD, nullptr, nullptr, nullptr, 0));
  add("clone3", call(SYS_clone3, nullptr, 0));
  add("open_by_handle_at", call(SYS_open_by_handle_at, -1, nullptr, 0));
  add("truncate", call(SYS_truncate, none, 0));
  add("open to truncate", call(SYS_openat, AT_FDCWD, none, O_RDONLY | O_TRUNC));
  add("open neither to read nor to write", call(SYS_openat, AT_FDCWD, none, O_ACCMODE));
  add("chmod 4755", call(SYS_fchmodat, AT_FDCWD, none, 04755));
  add("chmod 2755", call(SYS_fchmodat, AT_FDCWD, none, 02755));
  add("chmod 1777", call(SYS_fchmodat, AT_FDCWD, none, 01777));
  add("fchmod 4755", call(SYS_fchmod, -1, 04755));
  add("mknod 4755", call(SYS_mknodat, AT_FDCWD, none, S_IFREG | 04755, 0));
  add("mknod device", call(SYS_mknodat, AT_FDCWD, none, S_IFBLK | 0600, 0x801));
  add("mknod character device", call(SYS_mknodat, AT_FDCWD, none, S_IFCHR | 0600, 0x103));
  add("mknod whiteout", call(SYS_mknodat, AT_FDCWD, none, S_IFCHR, 0));
  add("mknod fifo", call(SYS_mknodat, AT_FDCWD, none, S_IFIFO | 0600, 0));
  add("open 4755", call(SYS_openat, AT_FDCWD, none, O_CREAT | O_WRONLY, 04755));
  add("open 0755", call(SYS_openat, AT_FDCWD, none, O_CREAT | O_WRONLY, 0755));
  add("open unnamed 4755", call(SYS_openat, AT_FDCWD, none, O_TMPFILE | O_WRONLY, 04755));
  add("openat2", call(SYS_openat2, -1, nullptr, nullptr, 0));
  add("fchmodat2", call(452, AT_FDCWD, none, 04755, 0));
  return calls;
}

/// "call mount: Operation not permitted" on standard error, for each.
inline void tell_hostile_calls() {
  for (const auto& [name, error] : try_hostile_calls()) {
    std::fprintf(stderr, "call %s: %s\n", name.c_str(), std::strerror(error));
  }
}

}  // namespace fake
