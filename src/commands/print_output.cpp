// SPDX-License-Identifier: MIT
#include "commands/print_output.hpp"

#include "base/error.hpp"

#include <cerrno>
#include <csignal>
#include <cstring>
#include <poll.h>
#include <unistd.h>

namespace vmr {

void print_output(std::string_view text) {
  // The status is then the same whether or not the signal was ignored before.
  std::signal(SIGPIPE, SIG_IGN);
  while (!text.empty()) {
    const auto size = ::write(STDOUT_FILENO, text.data(), text.size());
    if (size >= 0) {
      text.remove_prefix(static_cast<std::size_t>(size));
    } else if (errno == EAGAIN) {
      // Somebody else made the pipe or terminal so, and may read slowly.
      pollfd ready{STDOUT_FILENO, POLLOUT, 0};
      ::poll(&ready, 1, -1);
    } else if (errno == EPIPE) {
      throw ReaderGone();
    } else if (errno != EINTR) {
      throw Error("standard output cannot be written", std::strerror(errno), "");
    }
  }
}

}  // namespace vmr
