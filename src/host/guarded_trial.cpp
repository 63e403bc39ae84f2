// SPDX-License-Identifier: MIT
#include "host/guarded_trial.hpp"

#include "base/unique_fd.hpp"
#include "host/capture.hpp"
#include "host/pass_descriptors.hpp"
#include "host/wait_for_exit.hpp"

#include <fmt/format.h>
#include <seccomp.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdint>
#include <fcntl.h>
#include <linux/netlink.h>
#include <memory>
#include <poll.h>
#include <sstream>
#include <string_view>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>
#include <utility>
#include <vector>

namespace vmr {
namespace {

using Clock = std::chrono::steady_clock;

/// Where QEMU finds the socket of its monitor.
constexpr int monitor_fd = 3;

/// The status of a child that did not become QEMU, which QEMU itself does not have.
constexpr int failed = 125;

/// Done in name only, and nothing before the start shows it.
constexpr std::array pretended = {"bind",  "chmod",    "connect", "fchmod", "fchmodat", "listen",
                                  "mlock", "mlockall", "mlock2",  "unlink", "unlinkat"};

/// Each changes something that others see, or takes what others need.
constexpr std::array deadly = {"creat",    "execveat", "link",      "linkat",    "mkdir",
                               "mkdirat",  "mknod",    "mknodat",   "mount",     "openat2",
                               "ptrace",   "rename",   "renameat",  "renameat2", "rmdir",
                               "sendmmsg", "symlink",  "symlinkat", "truncate",  "unshare"};

class Filter {
 public:
  Filter() : context_(::seccomp_init(SCMP_ACT_ALLOW), &::seccomp_release) {}

  void add(std::uint32_t action, const char* name, const std::vector<scmp_arg_cmp>& when = {}) {
    const int number = ::seccomp_syscall_resolve_name(name);
    if (number < 0) return;  // not every architecture, or library, has each
    const auto count = static_cast<unsigned>(when.size());
    is_complete_ &=
        ::seccomp_rule_add_array(context_.get(), action, number, count, when.data()) == 0;
  }

  /// Asks the parent about each open(2) of this name that may write.
  void ask_about_writing(const char* name, unsigned flags) {
    for (const scmp_datum_t mode : {O_WRONLY, O_RDWR, O_ACCMODE}) {
      add(SCMP_ACT_NOTIFY, name, {SCMP_CMP64(flags, SCMP_CMP_MASKED_EQ, O_ACCMODE, mode)});
    }
    for (const scmp_datum_t flag : {O_CREAT, O_TRUNC}) {
      add(SCMP_ACT_NOTIFY, name, {SCMP_CMP64(flags, SCMP_CMP_MASKED_EQ, flag, flag)});
    }
  }

  /// For this process, for good; the descriptor that asks, or -1.
  int load() {
    const bool is_loaded = is_complete_ && ::seccomp_load(context_.get()) == 0;
    return is_loaded ? ::seccomp_notify_fd(context_.get()) : -1;
  }

 private:
  std::unique_ptr<void, decltype(&::seccomp_release)> context_;
  bool is_complete_ = true;
};

/// `program` is the only one that may be started: its name has this address nowhere else.
int load_filter(const char* program) {
  Filter filter;
  for (const char* name : pretended) filter.add(SCMP_ACT_ERRNO(0), name);
  for (const char* name : deadly) filter.add(SCMP_ACT_KILL_PROCESS, name);
  filter.ask_about_writing("open", 1);
  filter.ask_about_writing("openat", 2);
  // The C library asks the kernel for its addresses.
  constexpr scmp_datum_t netlink = sizeof(sockaddr_nl);
  filter.add(SCMP_ACT_KILL_PROCESS, "sendto", {SCMP_CMP32(5, SCMP_CMP_NE, netlink)});
  const scmp_datum_t monitor = monitor_fd;
  filter.add(SCMP_ACT_KILL_PROCESS, "sendmsg", {SCMP_CMP32(0, SCMP_CMP_NE, monitor)});
  const scmp_datum_t address = reinterpret_cast<std::uintptr_t>(program);
  filter.add(SCMP_ACT_KILL_PROCESS, "execve", {SCMP_CMP64(0, SCMP_CMP_NE, address)});
  return filter.load();
}

/// The descriptor that comes over the socket `over`; none: the child could not send one.
UniqueFd receive(int over) {
  std::vector<UniqueFd> descriptors;
  receive_with_descriptors(over, 1, descriptors);
  return descriptors.empty() ? UniqueFd() : std::move(descriptors.front());
}

/// In a child: becomes QEMU, which asks by the descriptor that the parent gets over `monitor`.
[[noreturn]] void become(const std::vector<std::string>& argv, int monitor, int errors) {
  std::vector<char*> words;
  for (const auto& word : argv) words.push_back(const_cast<char*>(word.c_str()));
  words.push_back(nullptr);
  const int nothing = ::open("/dev/null", O_RDWR);
  const rlimit none{0, 0};
  sigset_t signals;
  ::sigemptyset(&signals);
  ::sigprocmask(SIG_SETMASK, &signals, nullptr);
  const bool is_ready = ::dup2(nothing, STDIN_FILENO) >= 0 && ::dup2(nothing, STDOUT_FILENO) >= 0 &&
                        ::dup2(errors, STDERR_FILENO) >= 0 && ::dup2(monitor, monitor_fd) >= 0 &&
                        ::setrlimit(RLIMIT_CORE, &none) == 0;
  const int asking = is_ready ? load_filter(words.front()) : -1;
  if (asking >= 0 && send_with_descriptors(monitor_fd, "f", {asking}))
    ::execve(words.front(), words.data(), environ);
  ::_exit(failed);
}

/// The path in the memory of `pid`; empty: it cannot be read.
std::string path_at(pid_t pid, std::uint64_t address) {
  std::string path(4096, '\0');
  iovec here{path.data(), path.size()};
  // One that ends at the end of what is mapped is read as far as that.
  constexpr std::uint64_t page = 4096;
  const auto to_end = page - address % page;
  std::array<iovec, 2> there = {{{reinterpret_cast<void*>(address), to_end},
                                 {reinterpret_cast<void*>(address + to_end), page - to_end}}};
  const auto size = ::process_vm_readv(pid, &here, 1, there.data(), to_end < page ? 2 : 1, 0);
  path.resize(size > 0 ? static_cast<std::size_t>(size) : 0);
  const auto end = path.find('\0');
  return end == path.npos ? std::string() : path.substr(0, end);
}

/// Whether a call opens nothing that is there, and makes nothing: QEMU looks for devices so.
bool is_harmless(const seccomp_notif& question) {
  const auto& call = question.data;
  const bool is_at = call.nr == ::seccomp_syscall_resolve_name("openat");
  const auto path = path_at(static_cast<pid_t>(question.pid), call.args[is_at ? 1 : 0]);
  if ((call.args[is_at ? 2 : 1] & O_CREAT) != 0 || !path.starts_with('/')) return false;
  return path == "/dev/null" || (::access(path.c_str(), F_OK) != 0 && errno == ENOENT);
}

/// Answers one question; false when the call would change something.
bool answer(int asking) {
  seccomp_notif question{};
  if (::ioctl(asking, SECCOMP_IOCTL_NOTIF_RECV, &question) != 0) return errno == ENOENT;
  if (!is_harmless(question)) return false;
  seccomp_notif_resp response{question.id, 0, 0, SECCOMP_USER_NOTIF_FLAG_CONTINUE};
  return ::ioctl(asking, SECCOMP_IOCTL_NOTIF_SEND, &response) == 0 || errno == ENOENT;
}

/// Answers what `pid` asks until it has ended; false when it is to be ended.
bool attend(pid_t pid, int asking) {
  const UniqueFd process(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0)));
  const auto deadline = Clock::now() + time_to_tell;
  std::array<pollfd, 2> both = {{{process.get(), POLLIN, 0}, {asking, POLLIN, 0}}};
  for (auto left = deadline - Clock::now(); left.count() > 0; left = deadline - Clock::now()) {
    const auto wait = std::chrono::ceil<std::chrono::milliseconds>(left).count();
    if (::poll(both.data(), both.size(), static_cast<int>(wait)) < 0 && errno != EINTR) break;
    if (both[0].revents != 0) return true;
    if ((both[1].revents & POLLIN) != 0 && !answer(asking)) return false;
    // All that could ask have ended.
    if ((both[1].revents & POLLHUP) != 0) both[1].fd = -1;
  }
  return false;
}

/// The last line of `text` that QEMU wrote under its own name; empty: none.
std::string last_words(const std::string& text) {
  std::istringstream lines(text);
  std::string last;
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with("qemu-")) last = line;
  }
  return last;
}

/// All that can be read of `file`.
std::string contents_of(const UniqueFd& file) {
  std::string text;
  std::array<char, 4096> bytes{};
  for (ssize_t size = 0; (size = ::read(file.get(), bytes.data(), bytes.size())) > 0;) {
    text.append(bytes.data(), static_cast<std::size_t>(size));
  }
  return text;
}

}  // namespace

GuardedTrial try_guarded(const std::string& qemu, const std::vector<std::string>& arguments) {
  using End = GuardedTrial::End;
  std::vector<std::string> argv = {qemu,
                                   "-nodefaults",
                                   "-no-user-config",
                                   "-display",
                                   "none",
                                   "-S",
                                   "-chardev",
                                   fmt::format("socket,id=vm-runner-trial,fd={}", monitor_fd),
                                   "-mon",
                                   "chardev=vm-runner-trial,mode=control"};
  argv.insert(argv.end(), arguments.begin(), arguments.end());
  std::array<int, 2> ends{};
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()) != 0) return {};
  const UniqueFd ours(ends[0]);
  UniqueFd its(ends[1]);
  const UniqueFd errors(::memfd_create("errors", MFD_CLOEXEC));
  constexpr std::string_view commands = R"({"execute":"qmp_capabilities"}{"execute":"quit"})";
  if (::send(ours.get(), commands.data(), commands.size(), MSG_NOSIGNAL) < 0) return {};
  stop_ignoring_sigchld();
  const pid_t pid = ::fork();
  if (pid == 0) become(argv, its.get(), errors.get());
  if (pid < 0) return {};
  its.reset();
  const auto asking = receive(ours.get());
  const bool has_ended = asking && attend(pid, asking.get());
  if (!has_ended) ::kill(pid, SIGKILL);
  const int status = wait_for_exit(pid);
  if (!has_ended || !WIFEXITED(status) || WEXITSTATUS(status) == failed) return {};
  ::lseek(errors.get(), 0, SEEK_SET);
  const bool answered = contents_of(ours).find(R"("return")") != std::string::npos;
  if (WEXITSTATUS(status) == 0 && answered) return {End::started};
  const auto words = last_words(contents_of(errors));
  // QEMU names what it refuses. Without that it failed for want of something else, as a terminal.
  return words.empty() ? GuardedTrial{} : GuardedTrial{End::refused, words};
}

}  // namespace vmr
