// SPDX-License-Identifier: MIT
// The chardevs of the QEMU that is played: sockets it listens on, and those of its virtiofsds.
#pragma once

#include "fake.hpp"
#include "fake_qemu_words.hpp"

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <map>
#include <string>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

namespace fake {

inline void send_text(int fd, const std::string& text) {
  [[maybe_unused]] const auto written = ::write(fd, text.data(), text.size());
}

/// One chardev: where it listens, and its client.
struct Port {
  int listener = -1;
  int client = -1;

  [[nodiscard]] int readable() const { return client >= 0 ? client : listener; }
};

/// By their ids.
using Ports = std::map<std::string, Port>;

/// Stays connected until this process ends. Like QEMU it needs an answer before it goes on.
inline bool connect_to(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  path.copy(address.sun_path, sizeof(address.sun_path) - 1);
  const int fd = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  char answer = 0;
  return ::connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof(address)) == 0 &&
         ::read(fd, &answer, 1) == 1;
}

/// Takes the listeners that `argv` names into `ports`, and connects to the virtiofsds. False, and
/// said as QEMU does, when one of these does not answer.
inline bool open_chardevs(const Arguments& argv, Ports& ports) {
  for (std::size_t i = 1; i + 1 < argv.size(); ++i) {
    if (argv[i] != "-chardev") continue;
    auto option = parse_option(argv[i + 1]);
    if (option.count("fd") != 0) {
      ports[option["id"]].listener = std::atoi(option["fd"].c_str());
    } else if (!connect_to(option["path"])) {
      std::fprintf(stderr, "qemu-system-x86_64: -chardev %s: Failed to connect to '%s': %s\n",
                   argv[i + 1].c_str(), option["path"].c_str(), std::strerror(errno));
      return false;
    }
  }
  return true;
}

}  // namespace fake
