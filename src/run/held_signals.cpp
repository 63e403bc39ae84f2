// SPDX-License-Identifier: MIT
#include "run/held_signals.hpp"

#include <array>
#include <csignal>

namespace vmr {
namespace {

constexpr std::array all_stop_signals = {SIGTERM, SIGINT, SIGHUP, SIGQUIT};

void change_mask(int how) {
  sigset_t signals;
  ::sigemptyset(&signals);
  for (const int signal : all_stop_signals) ::sigaddset(&signals, signal);
  ::pthread_sigmask(how, &signals, nullptr);
}

bool is_ignored(int signal) {
  struct sigaction action {};
  ::sigaction(signal, nullptr, &action);
  return action.sa_handler == SIG_IGN;
}

}  // namespace

void hold_stop_signals() {
  change_mask(SIG_BLOCK);
}
void release_stop_signals() {
  change_mask(SIG_UNBLOCK);
}

std::vector<int> stop_signals() {
  // A parent that has us ignore one says that it is not meant for us: nohup the end of the
  // terminal, a shell without job control the keys of what runs in front of its `&`. So do ssh and
  // sort. An explicit `kill -INT` is lost then, but whoever started us so also knows SIGTERM, which
  // has no key; were that ignored too, nothing but SIGKILL could end us.
  std::vector<int> signals;
  for (const int signal : all_stop_signals) {
    if (signal == SIGTERM || !is_ignored(signal)) signals.push_back(signal);
  }
  return signals;
}

}  // namespace vmr
