// SPDX-License-Identifier: MIT
#include "run/qmp.hpp"

#include "base/log.hpp"

#include <boost/json.hpp>
#include <fmt/format.h>

#include <sys/socket.h>

namespace vmr {
namespace {

namespace json = boost::json;

constexpr std::size_t longest_message = 1 << 20;

/// object[key] as text; empty when it is not there.
std::string text_at(const json::object& object, std::string_view key) {
  const auto* value = object.if_contains(json::string_view(key.data(), key.size()));
  return value != nullptr && value->is_string() ? std::string(value->as_string()) : std::string();
}

json::object object_at(const json::object& object, std::string_view key) {
  const auto* value = object.if_contains(json::string_view(key.data(), key.size()));
  return value != nullptr && value->is_object() ? value->as_object() : json::object();
}

bool is_true(const json::object& object, std::string_view key) {
  const auto* value = object.if_contains(json::string_view(key.data(), key.size()));
  return value != nullptr && value->is_bool() && value->as_bool();
}

}  // namespace

Qmp::Qmp(boost::asio::any_io_executor executor, UniqueFd socket, QmpHandlers handlers)
    : handlers_(std::move(handlers)),
      reader_(
          std::move(executor), std::move(socket), longest_message,
          [this](const std::string& line) { on_line(line); }, [] {}) {}

void Qmp::execute(const std::string& command) {
  const auto text = fmt::format("{{\"execute\": \"{}\"}}\n", command);
  log_debug("qmp > {}", command);
  // A few bytes on a fresh socket always fit; a QEMU that is gone is noticed by its exit.
  if (::send(reader_.fd(), text.data(), text.size(), MSG_NOSIGNAL | MSG_DONTWAIT) > 0) {
    sent_.push_back(command);
  }
}

void Qmp::on_line(const std::string& line) {
  log_debug("qmp < {}", line);
  boost::system::error_code error;
  const auto message = json::parse(line, error);
  if (error || !message.is_object()) return;
  const auto& object = message.as_object();
  if (object.contains("QMP")) {
    execute("qmp_capabilities");
  } else if (const auto name = text_at(object, "event"); !name.empty()) {
    const auto data = object_at(object, "data");
    if (name == "SHUTDOWN") handlers_.shutdown(is_true(data, "guest"), text_at(data, "reason"));
    if (name == "STOP") execute("query-status");
  } else if (!sent_.empty()) {
    const auto command = sent_.front();
    sent_.pop_front();
    if (object.contains("error")) {
      log_warn("QEMU refused '{}': {}", command, text_at(object_at(object, "error"), "desc"));
    } else if (command == "qmp_capabilities") {
      handlers_.ready();
    } else if (command == "query-status") {
      handlers_.stopped(text_at(object_at(object, "return"), "status"));
    }
  }
}

}  // namespace vmr
