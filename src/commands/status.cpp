// SPDX-License-Identifier: MIT
#include "commands/commands.hpp"
#include "commands/resolved_vm.hpp"
#include "run/control.hpp"

#include <boost/json.hpp>
#include <fmt/format.h>

namespace vmr {
namespace {

namespace json = boost::json;

/// object[key] for people; empty when it is not there.
std::string text_of(const json::object& object, std::string_view key) {
  const auto* value = object.if_contains({key.data(), key.size()});
  if (value == nullptr) return {};
  return value->is_string() ? std::string(value->as_string()) : json::serialize(*value);
}

std::string row(std::string_view name, const std::string& value) {
  return fmt::format("{:<12} {}\n", name, value);
}

std::string share_rows(const json::object& status) {
  std::string rows;
  for (const auto& value : status.at("shares").as_array()) {
    const auto& share = value.as_object();
    const auto reason = text_of(share, "reason");
    rows += row("share #" + text_of(share, "index"),
                fmt::format("{} at {} ({}{}): {}{}{}", text_of(share, "source"),
                            text_of(share, "mount"), text_of(share, "driver"),
                            text_of(share, "readonly") == "true" ? ", read-only" : "",
                            text_of(share, "proof"), reason.empty() ? "" : ": ", reason));
  }
  return rows;
}

std::string as_table(const json::object& status) {
  auto text =
      row("name", text_of(status, "name")) + row("state", text_of(status, "state")) +
      row("healthy",
          text_of(status, "healthy") == "true" ? "yes" : "no: " + text_of(status, "problem")) +
      row("uptime", text_of(status, "uptime") + " s") + row("pid", text_of(status, "pid")) +
      row("accelerator", text_of(status, "accelerator"));
  if (const auto* ssh = status.if_contains("ssh")) {
    text += row("ssh", fmt::format("{}:{}", text_of(ssh->as_object(), "address"),
                                   text_of(ssh->as_object(), "port")));
  }
  if (const auto* qemu = status.if_contains("qemu")) {
    text += row("qemu", "pid " + text_of(qemu->as_object(), "pid"));
  }
  for (const auto& helper : status.at("helpers").as_array()) {
    const auto& object = helper.as_object();
    text += row(text_of(object, "name"), "pid " + text_of(object, "pid"));
  }
  return text + share_rows(status);
}

}  // namespace

ExitStatus command_status(const Arguments& arguments, const std::vector<std::string>& environment) {
  const auto address = find_control(arguments, environment);
  const auto status = ask_launcher(address.socket, address.vm_name, "status");
  const bool healthy = text_of(status, "healthy") == "true";
  if (arguments.healthy) {
    fmt::print("{}\n", healthy ? "healthy" : text_of(status, "problem"));
    return healthy ? ExitStatus::ok : ExitStatus::failed;
  }
  fmt::print("{}",
             arguments.format == Format::json ? json::serialize(status) + "\n" : as_table(status));
  return ExitStatus::ok;
}

}  // namespace vmr
