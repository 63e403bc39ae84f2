// SPDX-License-Identifier: MIT
#include "support/processes.hpp"

#include <array>
#include <cerrno>
#include <cstdio>
#include <fcntl.h>
#include <filesystem>
#include <iterator>
#include <poll.h>
#include <stdexcept>
#include <sys/wait.h>
#include <unistd.h>

namespace vmr::test {

Pipe::Pipe() {
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) throw std::runtime_error("pipe2 failed");
  reading.reset(ends[0]);
  writing.reset(ends[1]);
}

bool reaches_end(const UniqueFd& reading) {
  pollfd waiting{.fd = reading.get(), .events = POLLIN, .revents = 0};
  char byte = 0;
  return ::poll(&waiting, 1, 10000) == 1 && ::read(reading.get(), &byte, 1) == 0;
}

std::string read_all(const UniqueFd& reading) {
  std::string text;
  std::array<char, 4096> bytes{};
  while (true) {
    const auto size = ::read(reading.get(), bytes.data(), bytes.size());
    if (size < 0 && errno == EINTR) continue;
    if (size <= 0) return text;
    text.append(bytes.data(), static_cast<std::size_t>(size));
  }
}

std::string standard_error_of(const std::function<void()>& action) {
  Pipe pipe;
  const UniqueFd before(::fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 3));
  ::dup2(pipe.writing.get(), STDERR_FILENO);
  action();
  ::dup2(before.get(), STDERR_FILENO);
  pipe.writing.reset();
  return read_all(pipe.reading);
}

int count_descriptors() {
  const auto entries = std::filesystem::directory_iterator("/proc/self/fd");
  return static_cast<int>(std::distance(begin(entries), end(entries))) - 1;
}

pid_t fork_and_run(const std::function<int()>& body) {
  const pid_t pid = ::fork();
  if (pid != 0) return pid;
  int status = 99;
  try {
    status = body();
  } catch (const std::exception& error) {
    std::fprintf(stderr, "in a forked process: %s\n", error.what());
  }
  ::_exit(status);
}

int wait_for(pid_t pid) {
  int status = 0;
  while (::waitpid(pid, &status, 0) < 0) {
    if (errno != EINTR) return -1;
  }
  return WIFSIGNALED(status) ? 1000 + WTERMSIG(status) : WEXITSTATUS(status);
}

}  // namespace vmr::test
