// SPDX-License-Identifier: MIT
// The supervisor's actions as text, so that whole sequences are compared.
#pragma once

#include "run/supervisor.hpp"

#include <csignal>
#include <map>
#include <string>
#include <vector>

namespace vmr::test {

inline const std::map<std::string, std::string> one_helper = {
    {"virtiofsd-1", "/mnt/s (Filesystem #1)"}};

/// A supervisor with 60 s to start and 8 s to stop.
Supervisor supervisor(std::vector<Accelerator> attempts = {Accelerator::tcg},
                      std::map<std::string, std::string> helpers = one_helper,
                      HelperExitPolicy policy = HelperExitPolicy::stop);

inline const Ending clean{false, 0, "exit status 0", {}};
inline const Ending killed{true, SIGKILL, "signal 9 (Killed)", {}};
inline const Ending refused{true, 0, "exit status 1", {"unshare(CLONE_FS) failed with EPERM"}};
inline const Ending aborted{
    true, SIGABRT, "signal 6 (Aborted)", {"kvm_buf_set_msrs: Assertion failed."}};

/// One action a line: "start 0", "arm quit 6000", "info: The guest powered off".
std::string text(const Actions& actions);

/// Feeds `events` to a machine that is being started and returns what the last one led to.
template <typename... Events>
std::string after(Supervisor& machine, const Events&... events) {
  Actions last = machine.start();
  ((last = machine.on(events)), ...);
  return text(last);
}

/// What is said of virtiofsd-1 when it was killed.
inline const std::string killed_words =
    "error: virtiofsd-1 died (signal 9 (Killed))\n"
    "error:   likely cause: somebody killed it: a person, or the kernel for want of memory\n"
    "error:   hint: look at the host's kernel log (dmesg)\n";

/// What a stop begins with, and what it comes to.
inline const std::string stop_begins =
    "powerdown\narm powerdown-again 5000\narm agent 2000\narm quit 6000\n";
inline const std::string quit = "quit\narm terminate 666\narm kill 1333\n";

}  // namespace vmr::test
