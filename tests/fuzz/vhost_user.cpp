// SPDX-License-Identifier: MIT
// A file that describes a vhost-user program.
#include "fuzz/fuzz.hpp"
#include "host/programs.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace vmr::fuzz;
  const auto program = vmr::described_program(text_of(data, size));
  require(program.empty() || program.front() == '/', "a program is found by its whole path");
  require(program.find('\0') == program.npos, "a path has no NUL");
  return 0;
}
