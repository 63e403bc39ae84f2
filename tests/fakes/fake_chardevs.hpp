// SPDX-License-Identifier: MIT
// The chardevs of the QEMU that is played: sockets it listens on, and those of its virtiofsds.
#pragma once

#include "fake.hpp"
#include "fake_qemu_words.hpp"

#include <cstdio>
#include <cstdlib>
#include <map>
#include <poll.h>
#include <string>
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

/// It stays connected until this process ends. Like QEMU it needs an answer before it goes on.
inline bool is_answered(int fd) {
  pollfd ready{fd, POLLIN, 0};
  char answer = 0;
  return ::poll(&ready, 1, -1) == 1 && ::read(fd, &answer, 1) == 1;
}

/// Takes the listeners that `argv` names into `ports`, and waits for the virtiofsds that it is
/// connected to. False, and said as QEMU does, when one of these does not answer.
inline bool open_chardevs(const Arguments& argv, Ports& ports) {
  for (std::size_t i = 1; i + 1 < argv.size(); ++i) {
    if (argv[i] != "-chardev") continue;
    auto option = parse_option(argv[i + 1]);
    const int fd = std::atoi(option["fd"].c_str());
    if (option.count("server") != 0) {
      ports[option["id"]].listener = fd;
    } else if (option.count("fd") != 0 && !is_answered(fd)) {
      std::fprintf(stderr, "qemu-system-x86_64: -chardev %s: no answer\n", argv[i + 1].c_str());
      return false;
    }
  }
  return true;
}

}  // namespace fake
