// SPDX-License-Identifier: MIT
#include "run/service_state.hpp"

#include "run/status.hpp"

#include <fmt/format.h>

#include <utility>

namespace vmr {

ServiceState::ServiceState(const boost::asio::any_io_executor& executor,
                           std::function<void(std::function<void()>)> is_well)
    : is_well_(std::move(is_well)), timer_(executor) {}

void ServiceState::update(Phase phase, Accelerator accelerator, bool expects_report) {
  if (phase == std::exchange(told_, phase)) return;
  const auto text = fmt::format("{} ({})", word_for(phase), word_for(accelerator));
  if (phase == Phase::running || (phase == Phase::booting && !expects_report)) {
    notifier_.ready(text);
  } else if (phase == Phase::stopping || phase == Phase::stopped) {
    notifier_.stopping(text);
  } else {
    notifier_.status(text);
  }
}

void ServiceState::watch() {
  const auto interval = notifier_.watchdog_interval();
  if (!interval) return;
  ask();
  timer_.expires_after(*interval);
  timer_.async_wait([this](boost::system::error_code cancelled) {
    if (!cancelled) watch();
  });
}

void ServiceState::ask() {
  // One that hangs is not sent question after question. One of which nobody has the answer any more
  // was refused, or has gone with the QEMU that was asked.
  if (!asked_.expired()) return;
  const auto question = std::make_shared<Question>();
  asked_ = question;
  is_well_([this, question] { notifier_.watchdog(); });
}

}  // namespace vmr
