// SPDX-License-Identifier: MIT
#include "run/status_requests.hpp"

#include <chrono>
#include <string>
#include <utility>

namespace vmr {
namespace {

/// Less than what the asking side waits, and than a container's health check.
constexpr auto patience = std::chrono::seconds(3);

std::string run_state_in(const JsonAnswer& answer) {
  const auto* result = answer.result.if_object();
  return answer.ok() && result != nullptr ? text_at(*result, "status") : std::string(no_answer);
}

}  // namespace

/// One question to QEMU, which may never be answered.
struct StatusRequests::Asked {
  explicit Asked(const boost::asio::any_io_executor& executor) : timer(executor) {}

  boost::asio::steady_timer timer;
  bool over = false;
};

StatusRequests::StatusRequests(boost::asio::any_io_executor executor, Sources sources)
    : executor_(std::move(executor)), sources_(std::move(sources)) {}

void StatusRequests::take(const std::shared_ptr<ControlRequest>& request) {
  if (is_true(request->body(), "wait")) {
    waiting_.push_back(request);
    request->on_gone([this, gone = request.get()] {
      std::erase_if(waiting_, [gone](const auto& one) { return one.get() == gone; });
    });
    return look_again();
  }
  const auto asked = std::make_shared<Asked>(executor_);
  const auto finish = [this, asked, request](const std::string& run_state) {
    if (std::exchange(asked->over, true)) return;
    asked->timer.cancel();
    auto state = sources_.state();
    state.run_state = run_state;
    answer(request, state);
  };
  const bool is_asked =
      sources_.ask_qemu([finish](const JsonAnswer& reply) { finish(run_state_in(reply)); });
  if (!is_asked) return finish("");
  if (asked->over) return;
  asked->timer.expires_after(patience);
  asked->timer.async_wait([finish](boost::system::error_code cancelled) {
    if (!cancelled) finish(std::string(no_answer));
  });
}

void StatusRequests::look_again() {
  if (waiting_.empty()) return;
  const auto state = sources_.state();
  if (!check_health(*sources_.plan, state, *sources_.reports).settled) return;
  for (const auto& request : std::exchange(waiting_, {})) answer(request, state);
}

void StatusRequests::answer(const std::shared_ptr<ControlRequest>& request, const VmState& state) {
  request->answer(status_json(*sources_.plan, state, *sources_.reports));
}

}  // namespace vmr
