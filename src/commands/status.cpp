// SPDX-License-Identifier: MIT
#include "base/printable.hpp"
#include "commands/commands.hpp"
#include "commands/print_output.hpp"
#include "commands/resolved_vm.hpp"
#include "commands/security_table.hpp"
#include "commands/status_table.hpp"
#include "run/json_session.hpp"
#include "run/wait_for_socket.hpp"

#include <boost/json.hpp>

#include <chrono>

namespace vmr {
namespace {

constexpr std::chrono::seconds time_to_start{10};

}  // namespace

ExitStatus command_status(const Arguments& arguments, const std::vector<std::string>& environment) {
  const auto address = find_control(arguments, environment);
  // That of a launcher which is just being started may be a moment away.
  if (arguments.wait) wait_for_socket(address.socket, time_to_start);
  const auto status = ask_launcher(address, {{"request", "status"}, {"wait", arguments.wait}},
                                   arguments.wait ? Patience::for_ever : Patience::some_seconds)
                          .result;
  if (arguments.security) {
    const auto processes = read_processes(status);
    print_output(arguments.format == Format::json ? json_line(security_json(processes))
                                                  : security_table(processes));
    return ExitStatus::ok;
  }
  const bool healthy = is_true(status, "healthy");
  if (arguments.healthy) {
    print_output((healthy ? "healthy" : on_one_line(text_at(status, "problem"))) + "\n");
  } else if (arguments.format == Format::json) {
    print_output(json_line(status));
  } else {
    print_output(status_table(status));
  }
  const bool is_question = arguments.healthy || arguments.wait;
  return healthy || !is_question ? ExitStatus::ok : ExitStatus::failed;
}

}  // namespace vmr
