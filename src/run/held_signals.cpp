// SPDX-License-Identifier: MIT
#include "run/held_signals.hpp"

#include <csignal>
#include <initializer_list>

namespace vmr {
namespace {

void change_mask(int how) {
  sigset_t signals;
  ::sigemptyset(&signals);
  for (const int signal : {SIGTERM, SIGINT, SIGHUP, SIGQUIT}) ::sigaddset(&signals, signal);
  ::pthread_sigmask(how, &signals, nullptr);
}

}  // namespace

void hold_stop_signals() {
  change_mask(SIG_BLOCK);
}
void release_stop_signals() {
  change_mask(SIG_UNBLOCK);
}

}  // namespace vmr
