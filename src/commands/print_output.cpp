// SPDX-License-Identifier: MIT
#include "commands/print_output.hpp"

#include "base/error.hpp"

#include <cerrno>
#include <cstdio>
#include <cstring>

namespace vmr {

void print_output(const std::string& text) {
  if (std::fwrite(text.data(), 1, text.size(), stdout) != text.size() || std::fflush(stdout) != 0) {
    throw Error("standard output cannot be written", std::strerror(errno), "");
  }
}

}  // namespace vmr
