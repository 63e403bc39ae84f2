// SPDX-License-Identifier: MIT
#include "run/agent_wait.hpp"

#include <algorithm>
#include <iterator>
#include <utility>

namespace vmr {
namespace {

using Clock = std::chrono::steady_clock;

/// From cloud-init's first steps to the agent, on a busy machine under emulation.
constexpr auto agent_time = std::chrono::seconds(30);

}  // namespace

AgentWait::AgentWait(boost::asio::any_io_executor executor) : executor_(std::move(executor)) {}

void AgentWait::set_present(bool present) {
  present_ = present;
  while (present_ && !waiting_.empty()) finish(waiting_.begin());
}

void AgentWait::guest_is_up() {
  expected_until_ = std::min(expected_until_, Clock::now() + agent_time);
}

void AgentWait::guest_restarts() {
  expected_until_ = Clock::time_point::max();
}

void AgentWait::then(const std::shared_ptr<ControlRequest>& request, std::function<void()> act) {
  const auto now = Clock::now();
  if (present_ || now >= expected_until_) return request->attempt(act);
  waiting_.push_back({request, std::move(act), boost::asio::steady_timer(executor_)});
  const auto waiting = std::prev(waiting_.end());
  waiting->deadline.expires_at(std::min(expected_until_, now + agent_time));
  waiting->deadline.async_wait([this, waiting](boost::system::error_code cancelled) {
    if (!cancelled) finish(waiting);
  });
  request->on_gone([this, waiting] { waiting_.erase(waiting); });
}

void AgentWait::finish(std::list<Waiting>::iterator waiting) {
  waiting->request->on_gone({});
  std::list<Waiting> taken;
  taken.splice(taken.begin(), waiting_, waiting);
  taken.front().request->attempt(taken.front().act);
}

}  // namespace vmr
