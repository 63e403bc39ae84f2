// SPDX-License-Identifier: MIT
#include "host/capture.hpp"

#include "base/log.hpp"
#include "base/unique_fd.hpp"
#include "config/secrets.hpp"
#include "host/child_environment.hpp"
#include "host/session_keyring.hpp"
#include "host/wait_for_exit.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstdint>
#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

namespace vmr {
namespace {

/// A file without a name that holds `text`, read from its start.
UniqueFd file_with(const std::string& text) {
  UniqueFd file(::memfd_create("input", MFD_CLOEXEC));
  [[maybe_unused]] const auto written = ::write(file.get(), text.data(), text.size());
  ::lseek(file.get(), 0, SEEK_SET);
  return file;
}

struct Pipe {
  Pipe() {
    std::array<int, 2> ends{-1, -1};
    if (::pipe2(ends.data(), O_CLOEXEC) == 0) {
      read.reset(ends[0]);
      write.reset(ends[1]);
    }
  }
  UniqueFd read;
  UniqueFd write;
};

/// Appends what there is to `text`; false at the end.
bool read_some(int fd, std::string& text) {
  std::array<char, 4096> buffer{};
  const auto count = ::read(fd, buffer.data(), buffer.size());
  if (count > 0) text.append(buffer.data(), static_cast<std::size_t>(count));
  return count > 0;
}

using Clock = std::chrono::steady_clock;
constexpr auto never = Clock::time_point::max();

/// For poll(2): the time until `deadline`, -1 for `never`.
int milliseconds_until(Clock::time_point deadline) {
  if (deadline == never) return -1;
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - Clock::now()).count();
  return static_cast<int>(std::max<std::int64_t>(left, 0));
}

/// What a program that has a deadline may write.
constexpr std::size_t most_output = std::size_t{16} << 20;

/// Reads both to their ends; false when `deadline`, or too much of it, comes first. Of one that has
/// no deadline a signal to us ends the child `pid`: no key of the terminal reaches it.
bool read_both(Pipe& output, Pipe& errors, Captured& captured, Clock::time_point deadline,
               pid_t pid) {
  std::array<pollfd, 2> both = {{{output.read.get(), POLLIN, 0}, {errors.read.get(), POLLIN, 0}}};
  std::array<std::string*, 2> texts = {&captured.output, &captured.errors};
  while (both[0].fd >= 0 || both[1].fd >= 0) {
    const int count = ::poll(both.data(), both.size(), milliseconds_until(deadline));
    const bool too_much = captured.output.size() + captured.errors.size() > most_output;
    const bool has_limit = deadline != never;
    if (has_limit && (too_much || Clock::now() >= deadline)) return false;
    if (count < 0 && !has_limit) ::kill(pid, SIGTERM);
    if (count < 0) continue;
    for (std::size_t i = 0; i < both.size(); ++i) {
      const bool ready = both.at(i).fd >= 0 && both.at(i).revents != 0;
      if (ready && !read_some(both.at(i).fd, *texts.at(i))) both.at(i).fd = -1;
    }
  }
  return true;
}

/// Whether the child `pid` ends before `deadline`.
bool ends_before(pid_t pid, Clock::time_point deadline) {
  if (deadline == never) return true;  // the caller waits for it anyway
  const UniqueFd process(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0)));
  if (!process) return true;
  pollfd end{process.get(), POLLIN, 0};
  int count = -1;
  while ((count = ::poll(&end, 1, milliseconds_until(deadline))) < 0 && errno == EINTR) {
  }
  return count > 0;
}

}  // namespace

Captured capture(const std::vector<std::string>& argv, const std::string& input,
                 std::chrono::milliseconds limit, int folder) {
  log_debug("run {}", command_for_log(argv));
  const auto deadline = limit == no_limit ? never : Clock::now() + limit;
  const UniqueFd in = file_with(input);
  Pipe output;
  Pipe errors;
  posix_spawn_file_actions_t actions;
  ::posix_spawn_file_actions_init(&actions);
  ::posix_spawn_file_actions_adddup2(&actions, in.get(), STDIN_FILENO);
  ::posix_spawn_file_actions_adddup2(&actions, output.write.get(), STDOUT_FILENO);
  ::posix_spawn_file_actions_adddup2(&actions, errors.write.get(), STDERR_FILENO);
  // QEMU looks for its firmware where it works.
  if (folder < 0) ::posix_spawn_file_actions_addchdir_np(&actions, "/");
  if (folder >= 0) ::posix_spawn_file_actions_addfchdir_np(&actions, folder);
  // The launcher may hold signals back; a program that hangs must still die of them.
  posix_spawnattr_t attributes;
  sigset_t none;
  ::sigemptyset(&none);
  ::posix_spawnattr_init(&attributes);
  ::posix_spawnattr_setsigmask(&attributes, &none);
  // Out of the session, whose terminal it could type into.
  ::posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSID);
  leave_session_keyring();
  std::vector<char*> arguments;
  arguments.reserve(argv.size() + 1);
  for (const auto& argument : argv) arguments.push_back(const_cast<char*>(argument.c_str()));
  arguments.push_back(nullptr);

  const ChildEnvironment environment;
  Captured captured;
  pid_t pid = -1;
  stop_ignoring_sigchld();
  captured.ran = ::posix_spawn(&pid, argv.front().c_str(), &actions, &attributes, arguments.data(),
                               const_cast<char* const*>(environment.entries())) == 0;
  ::posix_spawn_file_actions_destroy(&actions);
  ::posix_spawnattr_destroy(&attributes);
  if (!captured.ran) return captured;
  output.write.reset();
  errors.write.reset();
  captured.timed_out =
      !read_both(output, errors, captured, deadline, pid) || !ends_before(pid, deadline);
  if (captured.timed_out) ::kill(pid, SIGKILL);
  const int status = wait_for_exit(pid);
  captured.ok = WIFEXITED(status) && WEXITSTATUS(status) == 0;
  return captured;
}

}  // namespace vmr
