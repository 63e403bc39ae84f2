// SPDX-License-Identifier: MIT
#include "run/stop_signals.hpp"

#include <array>
#include <cerrno>
#include <fcntl.h>
#include <unistd.h>

namespace vmr {
namespace {

// A signal's handler sees nothing but globals.
volatile std::sig_atomic_t first_signal = 0;
volatile std::sig_atomic_t pipe_to_write = -1;

void take_signal(int signal) {
  const int error = errno;
  if (first_signal == 0) first_signal = signal;
  [[maybe_unused]] const auto written = ::write(pipe_to_write, "!", 1);
  errno = error;
}

}  // namespace

StopSignals::StopSignals() {
  std::array<int, 2> ends = {-1, -1};
  if (::pipe2(ends.data(), O_CLOEXEC | O_NONBLOCK) != 0) return;
  reading_.reset(ends[0]);
  writing_.reset(ends[1]);
  first_signal = 0;
  pipe_to_write = writing_.get();
  for (const int signal : {SIGTERM, SIGINT, SIGHUP, SIGQUIT}) {
    struct sigaction before {};
    ::sigaction(signal, nullptr, &before);
    if (before.sa_handler == SIG_IGN) continue;
    struct sigaction ours {};
    ours.sa_handler = take_signal;
    ::sigaction(signal, &ours, nullptr);
    before_.emplace_back(signal, before);
  }
}

StopSignals::~StopSignals() {
  for (const auto& [signal, before] : before_) ::sigaction(signal, &before, nullptr);
}

int StopSignals::first() const {
  return first_signal;
}

}  // namespace vmr
