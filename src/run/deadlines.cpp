// SPDX-License-Identifier: MIT
#include "run/deadlines.hpp"

#include <utility>

namespace vmr {

Deadlines::Deadlines(boost::asio::io_context& context, OnReached on_reached)
    : context_(context), on_reached_(std::move(on_reached)) {}

void Deadlines::arm(Timer timer, std::chrono::milliseconds after) {
  auto [entry, is_new] = timers_.try_emplace(timer, context_);
  entry->second.expires_after(after);
  entry->second.async_wait([this, timer](boost::system::error_code cancelled) {
    if (!cancelled) on_reached_(timer);
  });
}

void Deadlines::disarm(Timer timer) {
  timers_.erase(timer);
  // Asio has the kernel wake it for a cancelled timer too, unless another goes off before.
  at_once_.expires_after(std::chrono::milliseconds(0));
  at_once_.async_wait([](boost::system::error_code) {});
}

}  // namespace vmr
