// SPDX-License-Identifier: MIT
#include "run/held_signals.hpp"
#include "support/processes.hpp"

#include <doctest/doctest.h>

#include <csignal>
#include <vector>

namespace vmr {
namespace {

using Signals = std::vector<int>;

/// Whether `expected` ask to stop in a process that was started with `ignored` ignored.
bool are_stop_signals(const Signals& expected, const Signals& ignored) {
  const pid_t pid = test::fork_and_run([&] {
    for (const int signal : {SIGTERM, SIGINT, SIGHUP, SIGQUIT}) std::signal(signal, SIG_DFL);
    for (const int signal : ignored) std::signal(signal, SIG_IGN);
    hold_stop_signals();
    const bool equal = stop_signals() == expected;
    release_stop_signals();
    return equal && stop_signals() == expected ? 0 : 1;
  });
  return test::wait_for(pid) == 0;
}

TEST_CASE("the signals that ask to stop are those that are not ignored and SIGTERM") {
  CHECK(are_stop_signals({SIGTERM, SIGINT, SIGHUP, SIGQUIT}, {}));
  CHECK(are_stop_signals({SIGTERM, SIGINT, SIGQUIT}, {SIGHUP}));  // nohup
  CHECK(are_stop_signals({SIGTERM, SIGHUP}, {SIGINT, SIGQUIT}));  // & of a script
  CHECK(are_stop_signals({SIGTERM}, {SIGTERM, SIGINT, SIGHUP, SIGQUIT}));
}

}  // namespace
}  // namespace vmr
