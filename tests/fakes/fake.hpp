// SPDX-License-Identifier: MIT
// What the fake programs share. A process test sets their behaviour in the environment:
//
//   FAKE_QEMU, FAKE_VIRTIOFSD  a list of behaviours, "slow,flood"; each program names its own
//   FAKE_VIRTIOFSD_<n>         more of them, for the daemon of share <n> only
//   FAKE_LOG_DIR               a folder in which a program that serves writes <name>.argv (each
//                              argument ended by NUL), <name>.fds ("3 socket:[123]" a line),
//                              <name>.place (its folder, whose session, TMPDIR),
//                              <name>.pid, and one pid more in <name>.starts
//   $FAKE_LOG_DIR/<name>.gate  a FIFO; while it is there, a behaviour that is said to pass the gate
//                              waits until a byte is written into it
//
// <name> is "qemu", or "virtiofsd-<n>" after the name of its socket.
#pragma once

#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <fcntl.h>
#include <filesystem>
#include <fstream>
#include <set>
#include <sstream>
#include <string>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>
#include <vector>

/// A sanitized program that is killed while it looks for leaks would leave a process behind, and
/// one that is sent SIGSEGV is to die of it.
extern "C" const char* __asan_default_options() {  // NOLINT(bugprone-reserved-identifier)
  return "detect_leaks=0:handle_segv=0";
}
extern "C" const char* __tsan_default_options() {  // NOLINT(bugprone-reserved-identifier)
  // A program that ends while one of its threads runs would sleep a second first.
  return "handle_segv=0:handle_abort=0:atexit_sleep_ms=0";
}

namespace fake {

using Arguments = std::vector<std::string>;
using Behaviours = std::set<std::string>;

inline std::string environment(const std::string& name) {
  const char* const value = std::getenv(name.c_str());
  return value != nullptr ? value : "";
}

inline Behaviours behaviours_in(const std::string& variable) {
  Behaviours behaviours;
  std::istringstream list(environment(variable));
  for (std::string word; std::getline(list, word, ',');) behaviours.insert(word);
  return behaviours;
}

/// The path of a log file; empty without FAKE_LOG_DIR.
inline std::string log_path(const std::string& name) {
  const auto folder = environment("FAKE_LOG_DIR");
  return folder.empty() ? "" : folder + "/" + name;
}

/// Writes the arguments, open descriptors and pid of this process to FAKE_LOG_DIR.
inline void log_start(const std::string& name, const Arguments& argv) {
  if (log_path(name).empty()) return;
  std::ostringstream descriptors;
  // A process that is confined sees neither, and leaves no log.
  std::error_code refused;
  for (const auto& entry : std::filesystem::directory_iterator("/proc/self/fd", refused)) {
    std::error_code closed;
    const auto target = std::filesystem::read_symlink(entry.path(), closed).string();
    // Not the descriptor of this very loop.
    if (!closed && target.find("/proc/") != 0) {
      descriptors << entry.path().filename().string() << ' ' << target << '\n';
    }
  }
  std::ofstream(log_path(name + ".fds")) << descriptors.str();
  std::error_code removed;
  std::ofstream(log_path(name + ".place"))
      << std::filesystem::current_path(removed).string() << '\n'
      << (::getsid(0) == ::getpid() ? "its own session" : "another's session") << '\n'
      << std::filesystem::weakly_canonical(environment("TMPDIR"), removed).string() << '\n';
  std::ofstream arguments(log_path(name + ".argv"));
  for (const auto& argument : argv) arguments << argument << '\0';
  std::ofstream(log_path(name + ".starts"), std::ios::app) << ::getpid() << '\n';
  std::ofstream(log_path(name + ".pid")) << ::getpid() << '\n';
}

/// Waits at <name>.gate for a byte; returns at once, and false, when there is no such FIFO.
inline bool pass_gate(const std::string& name) {
  const auto path = log_path(name + ".gate");
  struct stat facts {};
  if (path.empty() || ::stat(path.c_str(), &facts) != 0 || !S_ISFIFO(facts.st_mode)) return false;
  const int gate = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  char byte = 0;
  const bool passed = ::read(gate, &byte, 1) == 1;
  ::close(gate);
  return passed;
}

/// A line of a flood.
inline std::string flood_line(const std::string& program) {
  return program + ": warning: " + std::string(99, '~') + "\n";
}

/// Writes 1 MB of `line` to standard error; a signal handler may call it.
inline void flood(const std::string& line) {
  const int error = errno;
  for (std::size_t written = 0; written < 1'000'000; written += line.size()) {
    [[maybe_unused]] const auto result = ::write(STDERR_FILENO, line.data(), line.size());
  }
  errno = error;
}

/// Ends this process with `signal`, without a core file.
[[noreturn]] inline void die_by(int signal) {
  const rlimit none{0, 0};
  ::setrlimit(RLIMIT_CORE, &none);
  std::fflush(nullptr);
  std::signal(signal, SIG_DFL);
  sigset_t unblocked;
  ::sigemptyset(&unblocked);
  ::sigprocmask(SIG_SETMASK, &unblocked, nullptr);
  ::raise(signal);
  ::_exit(1);
}

}  // namespace fake
