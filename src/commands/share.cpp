// SPDX-License-Identifier: MIT
#include "base/ascii.hpp"
#include "base/paths.hpp"
#include "base/printable.hpp"
#include "commands/commands.hpp"
#include "commands/print_output.hpp"
#include "commands/resolved_vm.hpp"
#include "commands/status_table.hpp"
#include "config/settings.hpp"
#include "host/probe.hpp"
#include "run/json_session.hpp"

#include <boost/json.hpp>

#include <algorithm>
#include <filesystem>

namespace vmr {
namespace {

namespace json = boost::json;

/// The name of a share's setting in "TARGET=x" or "FILESYSTEM_TARGET=x"; empty for one of the VM.
std::string share_key(const std::string& assignment) {
  auto name = ascii_upper(assignment.substr(0, assignment.find('=')));
  if (name.starts_with("FILESYSTEM_")) name.erase(0, std::string_view("FILESYSTEM_").size());
  const auto settings = share_settings();
  const bool known = std::any_of(settings.begin(), settings.end(),
                                 [&](const auto& setting) { return setting.name == name; });
  return known ? name : std::string();
}

/// Takes those assignments out of `arguments` that are about the share; the rest names the VM.
json::array take_share_settings(Arguments& arguments) {
  const auto source = absolute_path(arguments.share, find_home(),
                                    // The launcher works in another folder.
                                    std::filesystem::current_path().string());
  json::array settings = {"SOURCE=" + source};
  std::vector<std::string> rest;
  for (const auto& assignment : arguments.assignments) {
    const auto key = share_key(assignment);
    if (key.empty()) {
      rest.push_back(assignment);
    } else {
      settings.emplace_back(key +
                            assignment.substr(std::min(assignment.find('='), assignment.size())));
    }
  }
  arguments.assignments = std::move(rest);
  return settings;
}

ExitStatus list_shares(const ControlAddress& address, Format format) {
  const auto result = ask_launcher(address, {{"request", "share-list"}}).result;
  if (format == Format::json) {
    print_output(json_line(result.at("shares")));
    return ExitStatus::ok;
  }
  std::string rows;
  for (const auto& share : result.at("shares").as_array()) rows += share_row(share.as_object());
  print_output(rows);
  return ExitStatus::ok;
}

void print_share(const json::object& share, Format format) {
  print_output(format == Format::json ? json_line(share) : share_row(share));
}

}  // namespace

ExitStatus command_share(const Arguments& given, const std::vector<std::string>& environment) {
  auto arguments = given;
  const bool add = arguments.share_action == ShareAction::add;
  auto settings = add ? take_share_settings(arguments) : json::array();
  const auto address = find_control(arguments, environment);
  if (arguments.share_action == ShareAction::list) return list_shares(address, arguments.format);
  if (!add) {
    ask_launcher(address, {{"request", "share-remove"}, {"share", arguments.share}},
                 Patience::for_ever);
    return ExitStatus::ok;
  }
  const auto share =
      ask_launcher(address, {{"request", "share-add"}, {"settings", std::move(settings)}},
                   Patience::for_ever)
          .result;
  print_share(share, arguments.format);
  if (text_at(share, "proof") == "mounted") return ExitStatus::ok;
  throw Error("the share is added, but not proved to be mounted", text_at(share, "reason"),
              "in the guest: " + text_at(share, "command"));
}

}  // namespace vmr
