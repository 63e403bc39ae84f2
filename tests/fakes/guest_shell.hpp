// SPDX-License-Identifier: MIT
// Runs what a guest's agent would run, on this machine.
#pragma once

#include <array>
#include <csignal>
#include <fcntl.h>
#include <string>
#include <string_view>
#include <sys/types.h>
#include <unistd.h>
#include <vector>

namespace fake {

/// Replaces `from`, which is there once; false when it is not.
inline bool replace_once(std::string& text, const std::string& from, const std::string& to) {
  const auto at = text.find(from);
  if (at == text.npos || text.find(from, at + 1) != text.npos) return false;
  text.replace(at, from.size(), to);
  return true;
}

/// Makes `script` of an `exec` one that runs here: /sys/class/virtio-ports and /dev are the folders
/// "ports" and "dev" in `folder`, and the ports that it would open are at 3, 4 and 5 already. False
/// when it is no such script.
inline bool move_into(std::string& script, const std::string& folder) {
  return replace_once(script, "/sys/class/virtio-ports/", folder + "/ports/") &&
         replace_once(script, "port=/dev/", "port=" + folder + "/dev/") &&
         replace_once(script, "exec 3<\"$in\" 4>\"$out\" 5<>\"$err\"\n", "\n");
}

/// Starts `shell` in a process group of its own, with `script` on standard input and `sockets` at
/// 3, 4 and 5, as an agent starts what wants no output.
inline pid_t start_script(const std::vector<std::string>& shell, const std::string& script,
                          const std::array<int, 3>& sockets) {
  std::array<int, 2> input{};
  if (::pipe2(input.data(), O_CLOEXEC) != 0) return -1;
  auto words = shell;
  std::vector<char*> argv;
  for (auto& word : words) argv.push_back(word.data());
  argv.push_back(nullptr);
  const pid_t pid = ::fork();
  if (pid == 0) {
    ::setpgid(0, 0);
    sigset_t none;
    ::sigemptyset(&none);
    ::sigprocmask(SIG_SETMASK, &none, nullptr);
    std::signal(SIGPIPE, SIG_DFL);
    std::array<int, 3> high{};
    for (std::size_t i = 0; i < 3; ++i) high[i] = ::fcntl(sockets[i], F_DUPFD, 100);
    ::dup2(input[0], STDIN_FILENO);
    const int nothing = ::open("/dev/null", O_RDWR | O_CLOEXEC);
    ::dup2(nothing, STDOUT_FILENO);
    ::dup2(nothing, STDERR_FILENO);
    for (std::size_t i = 0; i < 3; ++i) ::dup2(high[i], static_cast<int>(i) + 3);
    ::close_range(6, ~0U, 0);
    ::execvp(argv.front(), argv.data());
    ::_exit(127);
  }
  ::close(input[0]);
  std::string_view rest = script;
  while (!rest.empty()) {
    const auto size = ::write(input[1], rest.data(), rest.size());
    if (size <= 0) break;
    rest.remove_prefix(static_cast<std::size_t>(size));
  }
  ::close(input[1]);
  return pid;
}

}  // namespace fake
