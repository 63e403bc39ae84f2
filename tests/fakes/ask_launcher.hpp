// SPDX-License-Identifier: MIT
// What a launcher tells the programs that it has started.
#pragma once

#include "fake.hpp"

#include <cstdio>
#include <string>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

namespace fake {

/// Whether the launcher at the socket `path` tells this process anything.
inline bool is_answered_at(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  path.copy(address.sun_path, sizeof(address.sun_path) - 1);
  const int fd = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (::connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof(address)) != 0)
    return false;
  const std::string request = "{\"version\": 1, \"request\": \"status\"}\n";
  // It may be closed by now.
  ::send(fd, request.data(), request.size(), MSG_NOSIGNAL);
  char c = 0;
  const bool is_answered = ::read(fd, &c, 1) == 1;
  ::close(fd);
  return is_answered;
}

/// With FAKE_CONTROL: "status for itself: no answer" on standard error, and the same for a child
/// that has left our process group.
inline void ask_launcher() {
  const auto path = environment("FAKE_CONTROL");
  if (path.empty()) return;
  const auto word = [&] { return is_answered_at(path) ? "answered" : "no answer"; };
  std::fprintf(stderr, "status for itself: %s\n", word());
  const pid_t child = ::fork();
  if (child == 0) {
    ::setpgid(0, 0);
    std::fprintf(stderr, "status for a child in its own group: %s\n", word());
    ::_exit(0);
  }
  ::waitpid(child, nullptr, 0);
}

}  // namespace fake
