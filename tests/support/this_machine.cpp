// SPDX-License-Identifier: MIT
#include "support/this_machine.hpp"

#include "host/capture.hpp"
#include "host/landlock.hpp"
#include "host/programs.hpp"

#include <doctest/doctest.h>

namespace vmr::test {

bool has_c_virtiofsd() {
  std::string problem;
  const auto daemon = find_virtiofsd("/nonexistent", problem);
  REQUIRE_MESSAGE(daemon.has_value(), problem);
  return daemon->family == VirtiofsdFacts::Family::c;
}

bool has_landlock() {
  if (landlock_version() > 0) return true;
  MESSAGE("SKIPPED: the kernel has no Landlock");
  return false;
}

std::string qemu_generation() {
  const auto version = capture({find_in_path("qemu-system-x86_64"), "--version"});
  REQUIRE(version.ok);
  return version.output.find(" 7.2") == version.output.npos ? "QEMU 10" : "QEMU 7.2";
}

}  // namespace vmr::test
