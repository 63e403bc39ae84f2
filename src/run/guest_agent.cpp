// SPDX-License-Identifier: MIT
#include "run/guest_agent.hpp"

#include "base/log.hpp"

namespace vmr {

GuestAgent::GuestAgent(boost::asio::any_io_executor executor, UniqueFd socket)
    : session_(
          std::move(executor), std::move(socket), "agent", [](const boost::json::object&) {},
          [] {}) {}

void GuestAgent::set_present(bool present) {
  if (present == present_) return;
  present_ = present;
  log_debug("the guest agent is {}", present ? "there" : "gone");
  if (!present) session_.abandon("the guest agent is gone");
}

void GuestAgent::execute(const std::string& command, const boost::json::object& arguments,
                         JsonSession::OnAnswer done) {
  if (present_) return session_.execute(command, arguments, std::move(done));
  done({"no guest agent is running", nullptr});
}

void GuestAgent::shut_down() {
  execute("guest-shutdown", {{"mode", "powerdown"}}, [](const JsonAnswer& answer) {
    if (!answer.ok()) log_debug("'guest-shutdown' failed: {}", answer.error);
  });
}

}  // namespace vmr
