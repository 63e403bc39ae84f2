// SPDX-License-Identifier: MIT
#include "commands/status_table.hpp"

#include "base/printable.hpp"

#include <boost/json.hpp>
#include <fmt/format.h>

namespace vmr {
namespace {

namespace json = boost::json;

/// object[key] for people; empty when it is not there. Some of it is what the guest said.
std::string text_of(const json::object& object, std::string_view key) {
  const auto* value = object.if_contains({key.data(), key.size()});
  if (value == nullptr) return {};
  return on_one_line(value->is_string() ? std::string(value->as_string())
                                        : json::serialize(*value));
}

std::string row(std::string_view name, const std::string& value) {
  return fmt::format("{:<12} {}\n", name, value);
}

std::string helper_row(const json::object& helper) {
  const auto pid = text_of(helper, "pid");
  return row(text_of(helper, "name"),
             fmt::format("{}, sandbox {}, share #{}", pid == "null" ? "has died" : "pid " + pid,
                         text_of(helper, "sandbox"), text_of(helper, "share")));
}

}  // namespace

std::string share_row(const json::object& share) {
  const auto reason = text_of(share, "reason");
  return row("share #" + text_of(share, "index"),
             fmt::format("{} at {} ({}{}): {}{}{}", text_of(share, "source"),
                         text_of(share, "mount"), text_of(share, "driver"),
                         text_of(share, "readonly") == "true" ? ", read-only" : "",
                         text_of(share, "proof"), reason.empty() ? "" : ": ", reason));
}

std::string status_table(const json::object& status) {
  auto text =
      row("name", text_of(status, "name")) + row("state", text_of(status, "state")) +
      row("guest", text_of(status, "guest")) +
      row("healthy",
          text_of(status, "healthy") == "true" ? "yes" : "no: " + text_of(status, "problem")) +
      row("uptime", text_of(status, "uptime") + " s") + row("pid", text_of(status, "pid")) +
      row("accelerator", text_of(status, "accelerator")) +
      row("guest agent", text_of(status, "agent") == "true" ? "yes" : "no");
  for (const auto& value : status.at("ports").as_array()) {
    const auto& port = value.as_object();
    text += row("port", fmt::format("{} -> {}", text_of(port, "host"), text_of(port, "guest")));
  }
  if (const auto* qemu = status.if_contains("qemu")) {
    const auto state = text_of(qemu->as_object(), "state");
    text += row("qemu", fmt::format("pid {}{}{}", text_of(qemu->as_object(), "pid"),
                                    state.empty() ? "" : ", ", state));
  }
  for (const auto& helper : status.at("helpers").as_array()) text += helper_row(helper.as_object());
  for (const auto& share : status.at("shares").as_array()) text += share_row(share.as_object());
  return text;
}

}  // namespace vmr
