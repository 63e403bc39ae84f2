// SPDX-License-Identifier: MIT
#include "run/diagnosis.hpp"

#include <doctest/doctest.h>

#include <csignal>
#include <vector>

namespace vmr {
namespace {

std::string cause_of(const std::vector<std::string>& last_lines) {
  const auto diagnosis = diagnose({true, 0, "exit status 1", last_lines});
  return diagnosis ? diagnosis->cause : std::string();
}

TEST_CASE("the last words of QEMU and virtiofsd name the likely cause") {
  struct Row {
    std::string words;
    std::string cause;
  };
  const std::vector<Row> rows = {
      {"unshare(CLONE_FS) failed with EPERM. If running in a container please check",
       "this container's seccomp profile forbids unshare, which this virtiofsd needs"},
      {"[ERROR virtiofsd] Error entering sandbox: CleanMount(Os)",
       "this container does not let virtiofsd make its sandbox"},
      {"virtiofsd: open: Too many open files", "the limit of open files is reached"},
      {"qemu-system-x86_64: cannot set up guest memory 'memory': Cannot allocate memory",
       "there is not enough memory for the guest"},
      {"qemu-system-x86_64: -drive x: Could not write: No space left on device",
       "a disk of the host is full"},
      {"qemu-system-x86_64: -netdev user: Could not set up host forwarding rule 'tcp::22-:22'",
       "the port is in use"},
      {R"(qemu-system-x86_64: -drive x: Failed to get "write" lock)",
       "another process, probably another VM, uses the disk image"},
      {"Could not access KVM kernel module: Permission denied", "KVM refuses"},
      {"qemu-system-x86_64: failed to initialize kvm: Device or resource busy", "KVM refuses"},
      {"qemu-system-x86_64: -kernel /k: Permission denied",
       "this user may not open a file that it needs"},
      {"qemu-system-x86_64: -bogus: invalid option", ""},
      {"%s%n", ""}};
  for (const auto& row : rows) {
    CAPTURE(row.words);
    CHECK(cause_of({"first line", row.words, "last line"}) == row.cause);
  }
  CHECK(cause_of({}).empty());
}

TEST_CASE("a kill without a word may be for want of memory") {
  CHECK(diagnose({true, SIGKILL, "signal 9 (Killed)", {}, true}) ==
        Diagnosis{"the kernel killed it for want of memory",
                  "lower MEMORY, or give the container or host more (docker run --memory)"});
  CHECK(diagnose({true, SIGKILL, "signal 9 (Killed)", {}}) ==
        Diagnosis{"somebody killed it: a person, or the kernel for want of memory",
                  "look at the host's kernel log (dmesg)"});
  CHECK(diagnose({true, SIGSEGV, "signal 11 (Segmentation fault)", {}}) == std::nullopt);
  CHECK(diagnose({false, 0, "exit status 0", {}}) == std::nullopt);
}

}  // namespace
}  // namespace vmr
