// SPDX-License-Identifier: MIT
#include "host/refused_calls.hpp"

#include "base/error.hpp"
#include "base/unique_fd.hpp"

#include <seccomp.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <initializer_list>
#include <linux/seccomp.h>
#include <map>
#include <memory>
#include <sched.h>
#include <string>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

namespace vmr {
namespace {

// What libraries of Debian 12 have no name for; the numbers are every architecture's.
constexpr int number_of_fchmodat2 = 452;
constexpr int number_of_open_tree_attr = 467;

void check(int result) {
  if (result < 0) throw Error("system calls cannot be refused", std::strerror(-result), "");
}

scmp_arg_cmp masked(unsigned int argument, scmp_datum_t mask, scmp_datum_t value) {
  return {argument, SCMP_CMP_MASKED_EQ, mask, value};
}

class Filter {
 public:
  Filter() : context_(::seccomp_init(SCMP_ACT_ALLOW), &::seccomp_release) {
    if (!context_) check(-ENOMEM);
    check(::seccomp_attr_set(context_.get(), SCMP_FLTATR_CTL_OPTIMIZE, 2));
  }

  void refuse(int number, int error, std::initializer_list<scmp_arg_cmp> arguments = {}) {
    check(::seccomp_rule_add_array(context_.get(), SCMP_ACT_ERRNO(error), number,
                                   static_cast<unsigned int>(arguments.size()), arguments.begin()));
  }

  /// Of a call by name, which not every architecture has.
  void refuse(const char* name, std::initializer_list<scmp_arg_cmp> arguments = {}) {
    const int number = ::seccomp_syscall_resolve_name(name);
    if (number >= 0) refuse(number, EPERM, arguments);
  }

  void refuse_all(std::initializer_list<const char*> names) {
    for (const char* name : names) refuse(name);
  }

  /// As if the kernel were older: programs do without what arguments cannot be told of.
  void hide(const char* name) {
    const int number = ::seccomp_syscall_resolve_name(name);
    if (number >= 0) refuse(number, ENOSYS);
  }

  [[nodiscard]] std::vector<sock_filter> program() const {
    const UniqueFd file(::memfd_create("filter", MFD_CLOEXEC));
    if (!file) check(-errno);
    check(::seccomp_export_bpf(context_.get(), file.get()));
    const auto size = ::lseek(file.get(), 0, SEEK_END);
    if (size < 0) check(-errno);
    const auto bytes = static_cast<std::size_t>(size);
    std::vector<sock_filter> program(bytes / sizeof(sock_filter));
    if (::pread(file.get(), program.data(), bytes, 0) != size) check(-EIO);
    return program;
  }

 private:
  std::unique_ptr<void, decltype(&::seccomp_release)> context_;
};

/// All but IPv4 and IPv6, and pairs that are connected for good. Not by a list of others: the upper
/// half of the argument, which the kernel does not look at, would make each a number that is not in
/// it.
void refuse_local_sockets(Filter& filter) {
  static_assert(AF_INET == 2 && AF_INET6 == 10);
  filter.refuse("socket", {{0, SCMP_CMP_LT, AF_INET, 0}});
  for (scmp_datum_t family = AF_INET + 1; family < AF_INET6; ++family) {
    filter.refuse("socket", {{0, SCMP_CMP_EQ, family, 0}});
  }
  filter.refuse("socket", {{0, SCMP_CMP_GT, AF_INET6, 0}});
  // Of a pair, only one of datagrams could be turned to another address.
  constexpr scmp_datum_t kinds = 0xf;
  filter.refuse("socketpair", {masked(1, kinds, SOCK_DGRAM)});
  filter.refuse("socketpair", {masked(1, kinds, SOCK_RAW)});
}

/// A mode with one of `bits`, wherever a file gets one.
void refuse_modes(Filter& filter, scmp_datum_t bits) {
  struct ModeCall {
    const char* name;
    unsigned int mode;  ///< the number of its argument
  };
  for (const auto& [name, mode] : std::to_array<ModeCall>({{"chmod", 1},
                                                           {"fchmod", 1},
                                                           {"fchmodat", 2},
                                                           {"creat", 1},
                                                           {"mknod", 1},
                                                           {"mknodat", 2}})) {
    filter.refuse(name, {masked(mode, bits, bits)});
  }
  // Of O_TMPFILE only what is not O_DIRECTORY, as the kernel tells it.
  constexpr scmp_datum_t unnamed = O_TMPFILE & ~O_DIRECTORY;
  for (const scmp_datum_t flag : {scmp_datum_t{O_CREAT}, unnamed}) {
    filter.refuse("open", {masked(1, flag, flag), masked(2, bits, bits)});
    filter.refuse("openat", {masked(2, flag, flag), masked(3, bits, bits)});
  }
  filter.hide("openat2");
  filter.refuse(number_of_fchmodat2, ENOSYS);
}

/// But the device 0:0, by which an overlay keeps in mind what was removed.
void refuse_devices(Filter& filter) {
  filter.refuse("mknod", {masked(1, S_IFMT, S_IFBLK)});
  filter.refuse("mknodat", {masked(2, S_IFMT, S_IFBLK)});
  filter.refuse("mknod", {masked(1, S_IFMT, S_IFCHR), {2, SCMP_CMP_NE, 0, 0}});
  filter.refuse("mknodat", {masked(2, S_IFMT, S_IFCHR), {3, SCMP_CMP_NE, 0, 0}});
}

/// Landlock before its version 3 sees writing by how a file is opened alone.
void refuse_name_truncated(Filter& filter) {
  filter.refuse("truncate");
  // The third way to open is neither for reading nor for writing, which no Landlock sees: it cuts
  // files off all the same, and gives commands to devices.
  constexpr scmp_datum_t mask = O_ACCMODE | O_TRUNC;
  filter.refuse("open", {masked(1, mask, O_RDONLY | O_TRUNC)});
  filter.refuse("open", {masked(1, O_ACCMODE, O_ACCMODE)});
  filter.refuse("openat", {masked(2, mask, O_RDONLY | O_TRUNC)});
  filter.refuse("openat", {masked(2, O_ACCMODE, O_ACCMODE)});
  filter.hide("openat2");
}

/// Threads are made all the same: libraries do without clone3, whose flags cannot be told.
void refuse_namespaces(Filter& filter) {
  filter.refuse("unshare");
  for (const scmp_datum_t kind : {CLONE_NEWNS, CLONE_NEWCGROUP, CLONE_NEWUTS, CLONE_NEWIPC,
                                  CLONE_NEWUSER, CLONE_NEWPID, CLONE_NEWNET}) {
    filter.refuse("clone", {masked(0, kind, kind)});
  }
  filter.hide("clone3");
}

void add(Filter& filter, Refused what) {
  switch (what) {
    case Refused::local_sockets:
      return refuse_local_sockets(filter);
    case Refused::kernel_doors:
      return filter.refuse_all({"add_key", "bpf", "kcmp", "keyctl", "perf_event_open",
                                "pidfd_getfd", "process_madvise", "process_vm_readv",
                                "process_vm_writev", "ptrace", "request_key", "userfaultfd"});
    case Refused::io_uring:
      return filter.refuse_all({"io_uring_enter", "io_uring_register", "io_uring_setup"});
    case Refused::mounts:
      filter.refuse_all({"fsconfig", "fsmount", "fsopen", "fspick", "mount", "mount_setattr",
                         "move_mount", "open_tree", "pivot_root", "setns", "umount", "umount2"});
      return filter.refuse(number_of_open_tree_attr, EPERM);
    case Refused::namespaces:
      return refuse_namespaces(filter);
    case Refused::file_handles:
      return filter.refuse("open_by_handle_at");
    case Refused::set_user_id:
      refuse_devices(filter);
      return refuse_modes(filter, S_ISUID);
    case Refused::set_group_id:
      return refuse_modes(filter, S_ISGID);
    case Refused::name_truncated:
      return refuse_name_truncated(filter);
  }
}

}  // namespace

std::vector<sock_filter> make_call_filter(const std::vector<Refused>& refused) {
  if (refused.empty()) return {};
  // Each once: libseccomp 2.5.4 keeps some 2 KiB of every program that it sorts into a tree.
  static std::map<std::vector<Refused>, std::vector<sock_filter>> made;
  auto& program = made[refused];
  if (program.empty()) {
    Filter filter;
    for (const auto what : refused) add(filter, what);
    program = filter.program();
  }
  return program;
}

int put_on_call_filter(const std::vector<sock_filter>& filter) {
  if (filter.empty()) return 0;
  sock_fprog program{static_cast<unsigned short>(filter.size()),
                     const_cast<sock_filter*>(filter.data())};
  return ::prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0 ? 0 : errno;
}

}  // namespace vmr
