// SPDX-License-Identifier: MIT
#include "run/guest_agent.hpp"

#include "base/log.hpp"

#include <fmt/format.h>

#include <utility>

namespace vmr {
namespace {

/// So many commands may wait for those before them.
constexpr std::size_t most_commands = 64;
/// The agent returns up to 16 MiB of a file or of output in base64; we never ask for that.
constexpr std::size_t longest_agent_message = 1 << 16;
constexpr auto longest_answer = std::chrono::seconds(10);

}  // namespace

GuestAgent::GuestAgent(boost::asio::any_io_executor executor, UniqueFd socket)
    : session_(
          std::move(executor), std::move(socket), "agent", longest_agent_message,
          [](const boost::json::object&) {}, [] {}) {}

void GuestAgent::set_present(bool present) {
  if (present == present_) return;
  present_ = present;
  log_within(quota_, LogLevel::debug, "the guest agent",
             [&] { return fmt::format("the guest agent is {}", present ? "there" : "gone"); });
  if (present) return;
  const std::string gone = "the guest agent is gone";
  const auto commands = std::exchange(commands_, {});
  session_.abandon(gone);
  for (const auto& command : commands) command.done({gone, nullptr});
}

void GuestAgent::execute(const std::string& command, const boost::json::object& arguments,
                         JsonSession::OnAnswer done) {
  if (!present_) return done({"no guest agent is running", nullptr});
  if (commands_.size() >= most_commands) return done({"it does not answer others", nullptr});
  commands_.push_back({command, arguments, std::move(done)});
  send_next();
}

// One at a time: qemu-ga drops the answer while more than the 4096 bytes of one read are there for
// it. (GLib takes the port for a file in which it has to seek back before it writes, and cannot.)
void GuestAgent::send_next() {
  if (commands_.empty() || is_waiting()) return;
  const auto command = std::move(commands_.front());
  commands_.pop_front();
  open_ = ++sent_;
  sent_at_ = std::chrono::steady_clock::now();
  session_.execute(command.name, command.arguments,
                   [this, number = open_, done = command.done](const JsonAnswer& answer) {
                     if (number == open_) open_ = 0;
                     send_next();
                     done(answer);
                   });
}

bool GuestAgent::is_waiting() const {
  return open_ != 0 && std::chrono::steady_clock::now() - sent_at_ < longest_answer;
}

void GuestAgent::shut_down() {
  if (!present_) return;
  session_.execute("guest-shutdown", {{"mode", "powerdown"}}, [](const JsonAnswer& answer) {
    if (!answer.ok()) log_debug("'guest-shutdown' failed: {}", answer.error);
  });
}

}  // namespace vmr
