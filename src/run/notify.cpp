// SPDX-License-Identifier: MIT
#include "run/notify.hpp"

#include "base/log.hpp"
#include "base/printable.hpp"
#include "base/units.hpp"
#include "host/environment.hpp"
#include "run/json_text.hpp"

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <cstring>
#include <limits>
#include <unistd.h>

namespace vmr {
namespace {

/// systemd throws away a message of more than 4096 bytes.
constexpr std::size_t longest_status = 1000;

std::optional<std::uint64_t> number_in(const char* variable) {
  const auto parsed =
      parse_number(environment(variable), 1, std::numeric_limits<std::uint64_t>::max());
  const auto* number = std::get_if<std::uint64_t>(&parsed);
  return number == nullptr ? std::nullopt : std::optional(*number);
}

std::optional<std::chrono::milliseconds> read_watchdog_interval() {
  const auto microseconds = number_in("WATCHDOG_USEC");
  if (!microseconds) return std::nullopt;
  // Variables that a parent left to us may be meant for that parent.
  const auto is_for_us = number_in("WATCHDOG_PID") == static_cast<std::uint64_t>(::getpid());
  if (!is_for_us && !environment("WATCHDOG_PID").empty()) return std::nullopt;
  // More often than asked does no harm, and no timer can count to the highest number.
  constexpr std::uint64_t an_hour = 3'600'000;
  return std::chrono::milliseconds(std::clamp<std::uint64_t>(*microseconds / 2000, 1, an_hour));
}

/// `text` as the value of STATUS: one line of UTF-8, not too long.
std::string status_value(std::string_view text) {
  auto line = on_one_line(to_utf8(std::string(text)));
  if (line.size() <= longest_status) return line;
  auto end = longest_status;
  const auto is_inside_character = [&] {
    return (static_cast<unsigned char>(line[end]) & 0xc0U) == 0x80;
  };
  while (is_inside_character()) --end;
  return line.substr(0, end) + "…";
}

}  // namespace

Notifier::Notifier() {
  const auto name = environment("NOTIFY_SOCKET");
  if (name.empty()) return;
  open(name);
  if (socket_) watchdog_interval_ = read_watchdog_interval();
}

void Notifier::open(const std::string& name) {
  const bool is_abstract = name.starts_with('@');
  // The whole of sun_path may be used: the size of the address says where it ends.
  if ((!is_abstract && !name.starts_with('/')) || name.size() > sizeof address_.sun_path) {
    return log_debug("NOTIFY_SOCKET='{}' is no address of a socket: systemd is told nothing", name);
  }
  address_.sun_family = AF_UNIX;
  name.copy(address_.sun_path, name.size());
  if (is_abstract) address_.sun_path[0] = '\0';
  address_size_ = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + name.size());
  socket_.reset(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  if (!socket_) log_debug("No socket to tell systemd anything: {}", std::strerror(errno));
}

void Notifier::ready(std::string_view status) {
  tell("READY=1\n", status);
}
void Notifier::status(std::string_view text) {
  tell("", text);
}
void Notifier::stopping(std::string_view status) {
  tell("STOPPING=1\n", status);
}
void Notifier::watchdog() {
  send("WATCHDOG=1\n");
}

void Notifier::tell(std::string_view state, std::string_view text) {
  if (owed_states_.find(state) == owed_states_.npos) owed_states_ += state;
  owed_status_ = "STATUS=" + status_value(text) + "\n";
  send("");
}

void Notifier::send(std::string_view last_line) {
  if (!socket_) return;
  const auto message = owed_states_ + owed_status_ + std::string(last_line);
  const auto sent =
      ::sendto(socket_.get(), message.data(), message.size(), MSG_DONTWAIT | MSG_NOSIGNAL,
               reinterpret_cast<const sockaddr*>(&address_), address_size_);
  if (sent < 0) return log_debug("systemd was not told '{}': {}", message, std::strerror(errno));
  owed_states_.clear();
  owed_status_.clear();
}

}  // namespace vmr
